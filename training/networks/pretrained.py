"""Networks with torchvision's ImageNet weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import WeightsEnum

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_TRUNK = "trunk.networks.0.features."
"""Prefix of the names of SqueezeNet's weights in a ``predictor.onnx``."""


def downloaded(build: Callable[..., Any], published: WeightsEnum, *, instead: str) -> Any:
    """A network with torchvision's own weights, from its cache or downloaded.

    Args:
        build: torchvision's function.
        instead: the option that names a local file, for the error message.

    Raises:
        OSError: the weights cannot be downloaded.
    """
    try:
        return build(weights=published)
    except OSError as exc:
        reason = getattr(exc, "reason", exc)
        raise OSError(
            f"could not download {published.url} ({reason}); have its weights in {instead}"
        ) from exc


def features_in(weights: Path) -> dict[str, Tensor]:
    """The float32 weights of ``network.features`` in a file.

    Args:
        weights: a safetensors file of torchvision's layout, or the ``predictor.onnx`` of a universal style model,
            which has the layers of its SqueezeNet in float16.
    """
    if weights.suffix == ".onnx":
        return _features_of_predictor(weights)
    return {name.removeprefix("features."): each.float() for name, each in load_file(weights).items()}


def _features_of_predictor(path: Path) -> dict[str, Tensor]:
    initializers = onnx.load(path).graph.initializer
    return {
        each.name.removeprefix(_TRUNK).removesuffix("_half"): torch.tensor(
            numpy_helper.to_array(each)
        ).float()
        for each in initializers
        if each.name.startswith(_TRUNK)
    }


def run_layer(layer: nn.Module, x: Tensor) -> Tensor:
    """One layer, out of place: an in-place ReLU would overwrite the activation that autograd keeps."""
    return torch.relu(x) if isinstance(layer, nn.ReLU) else layer(x)


def imagenet_normalize(images: Tensor) -> Tensor:
    """RGB in [0, 1], ``(N, 3, H, W)`` → normalized as torchvision's networks expect."""
    mean, std = (
        torch.tensor(each, device=images.device)[:, None, None] for each in (IMAGENET_MEAN, IMAGENET_STD)
    )
    return (images - mean) / std
