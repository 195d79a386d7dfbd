"""LPIPS (Zhang et al. 2018, "The unreasonable effectiveness of deep features"), v0.1 on SqueezeNet 1.1.

A perceptual distance: 0 for equal images, about 0.1 for images that are hard to tell apart.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import squeezenet1_1

from training.networks.pretrained import run_layer

ENDS = 1, 4, 7, 9, 10, 11, 12
"""Layers whose activations are compared."""

_MEAN = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
"""Mean and deviation of RGB in [-1, 1], as the authors' heads were trained."""


class Lpips(nn.Module):
    """The distance of images, RGB in [0, 1], ``(N, 3, H, W)`` with sides of at least 32, → ``(N,)``.

    Args:
        weights: safetensors of the features in torchvision's layout, and of the heads, ``lpips.lin0`` to 6.

    Raises:
        ValueError: the file lacks a tensor.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        state = {name: value.float() for name, value in load_file(weights).items()}
        trunk = squeezenet1_1(weights=None).features
        try:
            trunk.load_state_dict(
                {name: state[f"features.{name}"] for name in trunk.state_dict()}, strict=True
            )
            self.heads = [state[f"lpips.lin{number}"] for number in range(len(ENDS))]
        except KeyError as exc:
            raise ValueError(
                f"{weights}: has no {exc.args[0]}, so it is not LPIPS on SqueezeNet 1.1"
            ) from exc
        self.trunk = trunk.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return self.between(self.features(output), self.features(target))

    def between(self, output: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
        """The distance of images whose :meth:`features` are known, ``(N,)``."""
        total = torch.zeros(len(output[0]))
        for a, b, head in zip(output, target, self.heads, strict=True):
            total += (head * (_unit(a) - _unit(b)).square()).sum(1).mean((1, 2))
        return total

    def features(self, images: Tensor) -> list[Tensor]:
        """Activations of RGB in [0, 1] after the layers :data:`ENDS`."""
        mean, scale = (torch.tensor(each)[:, None, None] for each in (_MEAN, _SCALE))
        x = (2 * images - 1 - mean) / scale
        found = []
        for index, layer in enumerate(self.trunk):
            x = run_layer(layer, x)
            if index in ENDS:
                found.append(x)
        return found


def _unit(features: Tensor) -> Tensor:
    """Normalized to length 1 at each position."""
    return features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10)
