"""Frozen ImageNet networks whose activations serve as perceptual features.

A loss network maps RGB in [0, 1], ``(N, 3, H, W)``, to a dict of activations by layer name (``vgg16.relu3_3``,
``squeezenet.fire4``). It computes no further than the deepest layer asked for.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import SqueezeNet1_0_Weights, VGG16_Weights, squeezenet1_0, vgg16

from training.networks.pretrained import IMAGENET_MEAN, IMAGENET_STD, downloaded, features_in, run_layer

_VGG16 = {
    f"relu{block}_{conv}": index
    for (block, conv), index in {
        (1, 1): 1, (1, 2): 3, (2, 1): 6, (2, 2): 8, (3, 1): 11, (3, 2): 13, (3, 3): 15,
        (4, 1): 18, (4, 2): 20, (4, 3): 22,
    }.items()
}  # fmt: skip
_SQUEEZENET = {
    "conv1": 1, "fire2": 3, "fire3": 4, "fire4": 5, "fire5": 7, "fire6": 8, "fire7": 9, "fire8": 10,
    "fire9": 12,
}  # fmt: skip
_LAYERS = {"vgg16": _VGG16, "squeezenet": _SQUEEZENET}
_CHANNELS = {
    "vgg16": {f"relu{block}": count for block, count in enumerate((64, 128, 256, 512), 1)},
    "squeezenet": {
        "conv1": 96, "fire2": 128, "fire3": 128, "fire4": 256, "fire5": 256, "fire6": 384, "fire7": 384,
        "fire8": 512, "fire9": 512,
    },
}  # fmt: skip


def channels_of(layer: str) -> int:
    """Channels of a layer's activations.

    Args:
        layer: full name, e.g. ``"vgg16.relu1_2"``, one that :class:`LossNetworks` knows.
    """
    network, _, name = layer.partition(".")
    return _CHANNELS[network][name.partition("_")[0]]


class LossNetwork(nn.Module):
    """One frozen network, cut after its deepest layer in ``layers``.

    Args:
        name: ``"vgg16"`` or ``"squeezenet"``.
        layers: names without the network's, e.g. ``"relu3_3"``.
        weights: a safetensors file in torchvision's layout, which may lack deeper layers, or None to download
            torchvision's ImageNet weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, layers: Iterable[str], weights: Path | None) -> None:
        super().__init__()
        known = _LAYERS[name]
        self._outputs = {known[layer]: f"{name}.{layer}" for layer in layers}
        build = {"vgg16": vgg16, "squeezenet": squeezenet1_0}[name]
        published = {"vgg16": VGG16_Weights.DEFAULT, "squeezenet": SqueezeNet1_0_Weights.DEFAULT}[name]
        network = build() if weights else downloaded(build, published, instead=f"--weights {name}=FILE")
        features = network.features[: max(self._outputs) + 1]
        if weights:
            _load(features, weights)
        self.features = features.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = ((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        activations = {}
        for index, layer in enumerate(self.features):
            x = run_layer(layer, x)
            if index in self._outputs:
                activations[self._outputs[index]] = x
        return activations


def _load(features: nn.Module, weights: Path) -> None:
    state = features_in(weights)
    expected = features.state_dict().keys()
    missing = sorted(expected - state.keys())
    if missing:
        raise ValueError(f"{weights}: no tensors for {', '.join(missing[:3])} (torchvision's names expected)")
    features.load_state_dict({key: state[key] for key in expected})


class LossNetworks(nn.Module):
    """Several loss networks as one: the union of their activations.

    Args:
        layers: full names, e.g. ``["vgg16.relu1_2", "squeezenet.fire4"]``.
        weights: file by network name; weights of networks that are not named are downloaded.
    """

    def __init__(self, layers: Sequence[str], weights: dict[str, Path]) -> None:
        super().__init__()
        by_network: dict[str, list[str]] = {}
        for layer in layers:
            network, _, name = layer.partition(".")
            if name not in _LAYERS.get(network, {}):
                known = ", ".join(f"{n}.{each}" for n, names in _LAYERS.items() for each in names)
                raise ValueError(f"no layer {layer!r}; known: {known}")
            by_network.setdefault(network, []).append(name)
        self.networks = nn.ModuleList(
            LossNetwork(network, names, weights.get(network)) for network, names in by_network.items()
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {layer: value for network in self.networks for layer, value in network(x).items()}
