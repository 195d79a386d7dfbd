"""One ``swift`` for all paintings: its kernels and biases are functions of a style vector.

Dumoulin et al. 2017 ("A Learned Representation for Artistic Style") scale and shift channels by a style;
Ghiasi et al. 2017 predict the scales and shifts from the painting. Here each layer also mixes its kernels of
several experts (Yang et al. 2019, "CondConv"), and the last one maps its colors to the painting's mean and
covariance. For one painting all of this is constant, so what runs is a plain ``swift``: the experts cost
nothing then, and there is no normalization to take away.

The style vector holds, layer by layer, the experts' shares, the scales and the shifts, and then the colors:
see :class:`Slices`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from training.networks.colors import COLORS
from training.networks.exportable import ExportableNetwork
from training.networks.style_encoder import StyleEncoder
from training.networks.style_target import StyleTarget
from training.networks.swift import Swift
from training.networks.swift_layers import ConvNorm, UpConv

_FEATURES = "patch_features.weight"

_REACHES = 2.0, 0.7, 1.0
"""Largest experts' shares, scales and shifts. There is no normalization that would catch more."""


@dataclass(frozen=True)
class Slices:
    """Where a layer's numbers stand in a style vector."""

    experts: slice
    scale: slice
    shift: slice


class StyledKernel(nn.Module):
    """Kernel and bias of one layer as functions of a style vector.

    Args:
        outputs, inputs, side: of the kernel.
        experts: how many kernels are mixed.
    """

    gain: Tensor

    def __init__(self, outputs: int, inputs: int, side: int, experts: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, side, side))
        self.experts = nn.Parameter(torch.empty(experts, outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs))
        # Kernels have length 1 or so, where one learning rate suits all layers.
        self.register_buffer("gain", torch.full((outputs,), 2**0.5))
        spread = (inputs * side * side) ** -0.5
        nn.init.normal_(self.weight, std=spread)
        nn.init.normal_(self.experts, std=0.5 * spread)

    def forward(self, experts: Tensor, scale: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Kernel ``(O, I, k, k)`` and bias ``(O,)``, for shares ``(K,)``, scale and shift ``(O,)``."""
        kernel = self.weight + torch.tensordot(experts, self.experts, 1)
        # As Karras et al. 2020 (StyleGAN2) demodulate: what a style
        # mixes keeps its length, or activations of strange styles grow without bounds.
        kernel = kernel / kernel.flatten(1).norm(dim=1).clamp(min=1e-6)[:, None, None, None]
        return kernel * (self.gain * (1 + scale))[:, None, None, None], self.bias + shift

    @torch.no_grad()
    def start_from(self, kernels: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        """Begins as the first of the kernels, with the others' differences from it as experts."""
        first, *others = kernels
        length = first.flatten(1).norm(dim=1).clamp(min=1e-3)
        self.gain.copy_(length)
        self.weight.copy_(first / length[:, None, None, None])
        self.bias.copy_(biases[0])
        for expert, other in zip(self.experts, others, strict=False):
            expert.copy_((other - first) / length[:, None, None, None])


class StyledSwift(nn.Module):
    """RGB ``(N, 3, H, W)`` in [0, 1] and one style vector → the same; see :class:`Swift`.

    Args:
        experts: kernels that each layer mixes.
    """

    stride = Swift.stride

    def __init__(self, experts: int = 8) -> None:
        super().__init__()
        self.swift = _skeleton()
        self.slices: dict[str, Slices] = {}
        kernels: dict[str, nn.Module] = {}
        place = 0
        for name, layer in styled_layers(self.swift).items():
            outputs, inputs, side, _ = layer.weight.shape
            kernels[_key(name)] = StyledKernel(outputs, inputs, side, experts)
            ends = [place, place + experts, place + experts + outputs, place + experts + 2 * outputs]
            self.slices[name] = Slices(*(slice(*pair) for pair in itertools.pairwise(ends)))
            place = ends[-1]
            # They come from the kernels, and are not trained themselves.
            layer.register_parameter("weight", None)
            layer.register_parameter("bias", None)
        self.kernels = nn.ModuleDict(kernels)
        self.vector_size = place + COLORS

    def forward(self, photos: Tensor, vector: Tensor) -> Tensor:
        result: Tensor = functional_call(self.swift, self.weights(vector), (photos,), strict=False)
        return result

    def reach(self) -> Tensor:
        """How far each number of a style vector but the colors may lie from 0."""
        reach = torch.empty(self.vector_size - COLORS)
        for places in self.slices.values():
            reach[places.experts], reach[places.scale], reach[places.shift] = _REACHES
        return reach

    def kernel(self, name: str) -> StyledKernel:
        """The module that makes the kernel and bias of the layer ``name``."""
        module = self.kernels[_key(name)]
        assert isinstance(module, StyledKernel)
        return module

    def weights(self, vector: Tensor) -> dict[str, Tensor]:
        """The weights of the ``swift`` of one style, by their names there."""
        weights = {}
        for name, places in self.slices.items():
            kernel, bias = self.kernel(name)(
                vector[places.experts], vector[places.scale], vector[places.shift]
            )
            weights[f"{name}.weight"], weights[f"{name}.bias"] = kernel, bias
        matrix, mean = vector[-COLORS:-3].view(3, 3), vector[-3:]
        weights["up_full.weight"] = torch.einsum("oc,cikl->oikl", matrix, weights["up_full.weight"])
        weights["up_full.bias"] = matrix @ weights["up_full.bias"] + mean
        return weights

    @torch.no_grad()
    def for_style(self, vector: Tensor) -> Swift:
        """The folded ``swift`` of one style."""
        swift = _skeleton()
        for name, value in (self.weights(vector) | {_FEATURES: self.swift.get_parameter(_FEATURES)}).items():
            swift.get_parameter(name).copy_(value)
        swift.eval()
        swift.fold()
        return swift

    @torch.no_grad()
    def start_from(self, styles: Sequence[Swift], colors: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Begins with trained styles: the first, and as experts what the others do otherwise.

        Args:
            styles: with fixed statistics.
            colors: of each style's painting, matrix and mean as in a style vector.
        """
        weights = [_weights_of(swift) for swift in styles]
        for each, (matrix, mean) in zip(weights, colors, strict=True):
            inverse = torch.linalg.inv(matrix)
            each["up_full.weight"] = torch.einsum("oc,cikl->oikl", inverse, each["up_full.weight"])
            each["up_full.bias"] = inverse @ (each["up_full.bias"] - mean)
        for name in self.slices:
            self.kernel(name).start_from(
                [each[f"{name}.weight"] for each in weights], [each[f"{name}.bias"] for each in weights]
            )
        self.swift.get_parameter(_FEATURES).copy_(styles[0].get_parameter(_FEATURES))


class AnyStyle(ExportableNetwork):
    """The generator, and the encoder that tells it the style of a painting.

    ``python -m export`` writes it by :mod:`export.universal`, as several files.

    Args:
        channels: of each style layer of the loss networks, by name.
        experts: see :class:`StyledSwift`.
    """

    stride = StyledSwift.stride

    def __init__(self, channels: Mapping[str, int], experts: int) -> None:
        super().__init__()
        self.generator = StyledSwift(experts)
        self.encoder = StyleEncoder(channels, self.generator.reach())

    def vector(self, target: StyleTarget, fidelity: float) -> Tensor:
        """The style vector of a painting, ``(vector_size,)``."""
        vector: Tensor = self.encoder(target, target.mean.new_full((1, 1), fidelity))
        return vector[0]


def styled_layers(swift: Swift) -> dict[str, nn.Conv2d | UpConv]:
    """The layers that a style decides, in the order in which images pass."""
    return {name: module for name, module in swift.named_modules() if isinstance(module, UpConv | nn.Conv2d)}


def _skeleton() -> Swift:
    swift = Swift()
    for module in swift.modules():
        if isinstance(module, ConvNorm):
            module.fold()
    return swift


def _weights_of(swift: Swift) -> dict[str, Tensor]:
    for module in swift.modules():
        if isinstance(module, ConvNorm):
            module.fold()
    return {
        f"{name}.{part}": getattr(layer, part).detach().clone()
        for name, layer in styled_layers(swift).items()
        for part in ("weight", "bias")
    }


def _key(name: str) -> str:
    return name.replace(".", "_")
