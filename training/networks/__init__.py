"""Networks: generators, upscalers, translators, discriminators.

``GENERATORS`` and ``UPSCALERS`` are the networks that a ``--network`` option can name.
"""

from training.networks.image_generator import ImageGenerator, Upscaler
from training.networks.johnson import Johnson
from training.networks.resnet import ResNetImageGenerator
from training.networks.srresnet import SRResNet
from training.networks.swift import Swift
from training.networks.swift_sr import SwiftSR
from training.networks.swift_translator import SwiftTranslator

GENERATORS: dict[str, type[Johnson] | type[ResNetImageGenerator] | type[Swift] | type[SwiftTranslator]] = {
    "johnson": Johnson,
    "resnet": ResNetImageGenerator,
    "swift": Swift,
    "swift-translator": SwiftTranslator,
}
UPSCALERS: dict[str, type[SRResNet] | type[SwiftSR]] = {
    "srresnet": SRResNet,
    "swift-sr": SwiftSR,
}


def build_generator(name: str) -> ImageGenerator:
    """The generator called ``name``, with fresh weights drawn from torch's global generator."""
    return GENERATORS[name]()


def build_upscaler(name: str, scale: int) -> Upscaler:
    """The upscaler called ``name`` for ``scale`` (2 or 4), with fresh weights likewise."""
    return UPSCALERS[name](scale)
