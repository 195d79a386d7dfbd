"""Weights: from a run's checkpoint, from what was exported of one, or as torchvision publishes them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from training.networks.swift import Swift

_PREFIX = "generator."

HALVED = "_half"
"""What the names of weights end with that are kept as float16."""


def load_weights(generator: nn.Module, path: Path, *, part: str = "") -> None:
    """Gives ``generator`` the weights in a checkpoint or in a float32 ``.onnx``.

    Args:
        part: of several generators in the checkpoint, the one that is meant.

    Raises:
        ValueError: the file has the weights of another network, or in another precision.
    """
    if path.suffix == ".onnx":
        _take_over(generator, path)
        return
    saved = torch.load(path, map_location="cpu", weights_only=True)
    try:
        generator.load_state_dict(part_of(saved["generator"], part))
    except (KeyError, RuntimeError) as exc:
        raise ValueError(f"{path}: not a checkpoint of this network") from exc


def downloaded(build: Callable[..., Any], published: WeightsEnum, *, instead: str) -> Any:
    """A network with torchvision's own weights, from its cache or the network.

    Args:
        build: torchvision's function.
        instead: how a file is named, for those who have no network.

    Raises:
        OSError: they are not to be had.
    """
    try:
        return build(weights=published)
    except OSError as exc:
        reason = getattr(exc, "reason", exc)
        raise OSError(
            f"could not download {published.url} ({reason}); have its weights in {instead}"
        ) from exc


def part_of(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Of the weights of several networks those of one, by their names there; all where no part is named."""
    prefix = f"{part}." if part else ""
    return {name.removeprefix(prefix): each for name, each in state.items() if name.startswith(prefix)}


def _take_over(generator: nn.Module, path: Path) -> None:
    if not isinstance(generator, Swift):
        raise ValueError(f"{path}: only a swift network can start from an .onnx; others from a checkpoint")
    graph = onnx.load(path).graph
    tensors = {each.name: torch.tensor(numpy_helper.to_array(each)) for each in graph.initializer}
    tensors = {
        name.removesuffix(HALVED): tensor.float() if name.endswith(HALVED) else tensor
        for name, tensor in tensors.items()
    }
    weights = {
        name.removeprefix(_PREFIX): tensor
        for name, tensor in tensors.items()
        if name.startswith(_PREFIX) and tensor.dtype == torch.float32
    }
    # The exporter leaves out a bias that is 0.
    for name in [name for name in weights if name.endswith("weight")]:
        weights.setdefault(name.removesuffix("weight") + "bias", torch.zeros(len(weights[name])))
    try:
        generator.take_over(weights)
    except (KeyError, RuntimeError) as exc:
        raise ValueError(f"{path}: not a float32 swift network exported by vidgan") from exc
