"""Loading a generator's weights from a checkpoint or from an exported model."""

from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.core.compatibility import upgrade_checkpoint, upgrade_weights
from training.networks.exportable import ExportableNetwork

HALVED = "_half"
"""Suffix of the names of weights that an exported file stores as float16."""

_PREFIXES = "network.", "generator."
"""Prefix of the names of weights in an exported file; ``generator.`` in files of vidgan 0.1."""


def load_weights(generator: nn.Module, path: Path, *, part: str = "") -> None:
    """Loads the weights of a checkpoint or of a float32 ``.onnx`` into ``generator``.

    Args:
        part: name of the generator, if the checkpoint has several.

    Raises:
        ValueError: the file has the weights of another network, or in another precision.
    """
    if path.suffix == ".onnx":
        _load_exported(generator, path)
        return
    saved = upgrade_checkpoint(torch.load(path, map_location="cpu", weights_only=True))
    try:
        generator.load_state_dict(part_of(saved["generator"], part))
    except (KeyError, RuntimeError) as exc:
        raise ValueError(f"{path}: not a checkpoint of this network") from exc


def part_of(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """The weights of one of several networks, by their names within it; all weights if ``part`` is empty."""
    prefix = f"{part}." if part else ""
    return {name.removeprefix(prefix): each for name, each in state.items() if name.startswith(prefix)}


def _load_exported(generator: nn.Module, path: Path) -> None:
    if not isinstance(generator, ExportableNetwork):
        raise ValueError(f"{path}: this network starts from a checkpoint, not from an .onnx")
    initializers = onnx.load(path).graph.initializer
    tensors = {each.name: torch.tensor(numpy_helper.to_array(each)) for each in initializers}
    tensors = {
        name.removesuffix(HALVED): tensor.float() if name.endswith(HALVED) else tensor
        for name, tensor in tensors.items()
    }
    prefix = next((each for each in _PREFIXES if any(name.startswith(each) for name in tensors)), "")
    weights = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix) and tensor.dtype == torch.float32
    }
    # The exporter leaves out a bias that is 0.
    for name in [name for name in weights if name.endswith("weight")]:
        weights.setdefault(name.removesuffix("weight") + "bias", torch.zeros(len(weights[name])))
    try:
        generator.load_folded_weights(upgrade_weights(weights))
    except NotImplementedError as exc:
        raise ValueError(f"{path}: {exc}") from exc
    except (KeyError, RuntimeError) as exc:
        raise ValueError(f"{path}: not a float32 swift network exported by vidgan") from exc
