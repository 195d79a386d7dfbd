"""Semantic segmentation: images become label maps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vidgan.media.encoding import EncoderChoice
from vidgan.media.frame import Frame
from vidgan.media.label_map import Palette
from vidgan.models.registry import ModelSpec
from vidgan.session.output_check import ImageModel
from vidgan.tasks.listing import listed
from vidgan.tasks.task import (
    GENERATOR,
    LABELS,
    RGB,
    ChainStep,
    ImageKind,
    StepContext,
    Task,
    TaskSettings,
    model_option,
)

_HOLD_RGB = ".mkv", ".mp4", ".mov", ".m4v"
"""Containers of H.264 in RGB."""


@dataclass(frozen=True, kw_only=True)
class SegmentSettings(TaskSettings):
    """Options of segmentation."""

    task: ClassVar[str] = "segment"

    model: str = model_option("Segmentation model", "camvid-segment")


class SegmentTask(Task[SegmentSettings]):
    noun = "segmentation model"
    numbered_images = True
    settings_type = SegmentSettings

    def tensors(self, spec: ModelSpec) -> tuple[str, str]:
        return RGB, LABELS

    def output_kind(self, specs: Mapping[str, ModelSpec]) -> ImageKind:
        return "label map"

    def output_palette(self, settings: SegmentSettings, specs: Mapping[str, ModelSpec]) -> Palette | None:
        return Palette.of(specs[GENERATOR].classes)

    def open(self, settings: SegmentSettings, context: StepContext) -> ChainStep:
        palette = Palette.of(context.specs[GENERATOR].classes)
        return ChainStep(effect=SegmentEffect(context.models[GENERATOR], palette))

    def default_encoder(self, suffix: str) -> EncoderChoice | None:
        # A color that stands for a class must stay as it is.
        return EncoderChoice("libx264rgb", {"qp": "0", "preset": "veryfast"}) if suffix in _HOLD_RGB else None

    def default_suffix(self) -> str | None:
        return ".mkv"


class SegmentEffect:
    """Draws the class of each pixel.

    Args:
        model: a model of the task ``segment``.
        palette: a color for each class.
    """

    def __init__(self, model: ImageModel, palette: Palette) -> None:
        self._model = model
        self._palette = palette

    def apply(self, frame: Frame) -> Frame:
        return frame.with_pixels(self._palette.draw(self._model.run(frame.pixels[np.newaxis])[0]))


TASK = SegmentTask(listed("segment"))
