"""What a generator does to a frame.

A new effect is one module here and one line in ``open_effect``.
"""

from typing import Protocol

from vidgan.effects.guard import Painter
from vidgan.effects.style import StyleEffect
from vidgan.effects.upscale import UpscaleEffect
from vidgan.frame import Frame
from vidgan.settings import Settings, StyleSettings, UpscaleSettings


class Effect(Protocol):
    """Maps frames to frames, one for one; time is kept."""

    def apply(self, frame: Frame) -> Frame: ...


def open_effect(painter: Painter, settings: Settings, size: tuple[int, int]) -> Effect:
    """The effect that those settings are of.

    Args:
        painter: a model of the task that they are for.
        size: width and height of the frames that are to come out.
    """
    match settings:
        case StyleSettings(strength=strength, preserve_color=preserve_color):
            return StyleEffect(painter, strength=strength, preserve_color=preserve_color)
        case UpscaleSettings():
            return UpscaleEffect(painter, size=size)
    raise TypeError(settings)
