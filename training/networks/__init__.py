"""Generators. A generator maps RGB in [0, 1], ``(N, 3, H, W)`` float32, to the same shape and range.

``GENERATORS`` is the explicit list of what ``--network`` accepts.
"""

from training.networks.johnson import Johnson
from training.networks.swift import Swift

Generator = Johnson | Swift

GENERATORS: dict[str, type[Johnson] | type[Swift]] = {
    "johnson": Johnson,
    "swift": Swift,
}


def build_generator(name: str) -> Generator:
    """The generator called ``name``, with fresh weights drawn from torch's global generator."""
    return GENERATORS[name]()
