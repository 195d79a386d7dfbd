"""What a generator does to a frame.

A new effect is one module here and one line in ``open_effects``.
"""

from pathlib import Path
from typing import Protocol

from vidgan.media.frame import Frame
from vidgan.media.label_map import Palette
from vidgan.models.registry import ModelSpec
from vidgan.session.output_check import Painter
from vidgan.tasks.effects.colorize import ColorizeEffect
from vidgan.tasks.effects.segment import SegmentEffect
from vidgan.tasks.effects.style import StyleEffect
from vidgan.tasks.effects.translate import LabelReader, RepaintEffect, TranslateEffect
from vidgan.tasks.effects.upscale import UpscaleEffect
from vidgan.tasks.settings import (
    ColorizeSettings,
    SegmentSettings,
    Settings,
    StyleSettings,
    TranslateSettings,
    UpscaleSettings,
)


class Effect(Protocol):
    """Maps frames to frames, one for one; time is kept."""

    def apply(self, frame: Frame) -> Frame: ...


def open_effects(
    painter: Painter, spec: ModelSpec, settings: Settings, size: tuple[int, int], input: Path
) -> list[Effect]:
    """What those settings ask for; nothing for a model that remembers, see :mod:`vidgan.temporal.recurrent`.

    Args:
        painter: a model of the task that they are for.
        spec: of it.
        size: width and height of the frames that are to come out.
        input: where they come from, for messages.
    """
    return [] if spec.past else [_effect(painter, spec, settings, size, input)]


def _effect(
    painter: Painter, spec: ModelSpec, settings: Settings, size: tuple[int, int], input: Path
) -> Effect:
    match settings:
        case StyleSettings(strength=strength, preserve_color=preserve_color):
            return StyleEffect(painter, strength=strength, preserve_color=preserve_color)
        case UpscaleSettings():
            return UpscaleEffect(painter, size=size)
        case TranslateSettings():
            if spec.classes:
                return TranslateEffect(painter, label_reader(spec, settings, input))
            return RepaintEffect(painter)
        case SegmentSettings():
            return SegmentEffect(painter, Palette.of(spec.classes))
        case ColorizeSettings(strength=strength):
            return ColorizeEffect(painter, side=spec.side, strength=strength)
    raise TypeError(settings)


def label_reader(spec: ModelSpec, settings: TranslateSettings, input: Path) -> LabelReader:
    """How label maps become what the model takes."""
    return LabelReader(settings.palette or Palette.of(spec.classes), spec.name, input)


def drawn_in(spec: ModelSpec, settings: Settings) -> Palette | None:
    """Colours of the label maps that come out; None for pictures of anything else."""
    return Palette.of(spec.classes) if isinstance(settings, SegmentSettings) else None


def palette_of(spec: ModelSpec, settings: Settings) -> Palette | None:
    """Colours of the label maps that go in; None for pictures of anything else."""
    if not isinstance(settings, TranslateSettings) or not spec.classes:
        return None
    return settings.palette or Palette.of(spec.classes)
