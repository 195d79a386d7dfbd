"""Generators. A generator maps RGB in [0, 1], ``(N, 3, H, W)`` float32, to the same shape and range.

``GENERATORS`` is the explicit list of what ``--network`` accepts.
"""

from collections.abc import Callable

from torch import nn

from training.networks.johnson import Johnson
from training.networks.swift import Swift

GENERATORS: dict[str, Callable[[], nn.Module]] = {
    "johnson": Johnson,
    "swift": Swift,
}


def build_generator(name: str) -> nn.Module:
    """The generator called ``name``, with fresh weights drawn from torch's global generator."""
    return GENERATORS[name]()
