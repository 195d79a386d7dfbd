"""Generators. A generator maps RGB in [0, 1], ``(N, 3, H, W)`` float32, to the same shape and range.

``GENERATORS`` is the explicit list of what a ``--network`` may be; recipes say which are theirs.
"""

from training.networks.johnson import Johnson
from training.networks.resnet import ResNetPainter
from training.networks.srresnet import SRResNet
from training.networks.swift import Swift
from training.networks.swift_sr import SwiftSR
from training.networks.swift_translator import SwiftTranslator

Generator = Johnson | ResNetPainter | Swift
Upscaler = SRResNet | SwiftSR

GENERATORS: dict[str, type[Johnson] | type[ResNetPainter] | type[Swift]] = {
    "johnson": Johnson,
    "resnet": ResNetPainter,
    "swift": Swift,
    "swift-translator": SwiftTranslator,
}
UPSCALERS: dict[str, type[SRResNet] | type[SwiftSR]] = {
    "srresnet": SRResNet,
    "swift-sr": SwiftSR,
}


def build_generator(name: str) -> Generator:
    """The generator called ``name``, with fresh weights drawn from torch's global generator."""
    return GENERATORS[name]()


def build_upscaler(name: str, scale: int) -> Upscaler:
    """The upscaler called ``name`` for ``scale`` (2 or 4), with fresh weights likewise."""
    return UPSCALERS[name](scale)
