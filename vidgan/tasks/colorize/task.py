"""Colorization: a generator predicts the chroma of gray frames; their lightness stays as it is, to the bit.

After Isola et al. 2017, in CIE Lab. Eyes resolve less detail in chroma than in lightness, so chroma is predicted
at the size that the generator was trained for, and enlarged. Video frames come as luma and chroma: luma stays
as it is, and chroma is never made larger than the stream keeps it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from vidgan.errors import InputNotFoundError
from vidgan.media.ffmpeg import BT601, BT709, matrix_of
from vidgan.media.frame import VideoInfo
from vidgan.models.registry import ModelSpec
from vidgan.tasks.colorize.chroma_filter import ChromaFilter
from vidgan.tasks.colorize.effect import ColorizeEffect
from vidgan.tasks.colorize.hint_filter import HintFilter
from vidgan.tasks.colorize.hints import Hint, hints_of, parse_hint
from vidgan.tasks.colorize.reference import open_reference
from vidgan.tasks.listing import listed
from vidgan.tasks.options import Flag, list_option, number_option, option, path_option
from vidgan.tasks.smoothing import smooth_strength_option
from vidgan.tasks.task import AB, GENERATOR, LABELS, ChainStep, StepContext, Task, TaskSettings, model_option

MAX_STRENGTH = 2
"""Largest factor of the predicted saturation."""


@dataclass(frozen=True, kw_only=True)
class ColorizeSettings(TaskSettings):
    """Options of colorization."""

    task: ClassVar[str] = "colorize"

    model: str = model_option("Colorizer", "colorize")
    strength: float = number_option(
        1.0, 0, MAX_STRENGTH, help="Factor of the predicted saturation, 0 (gray) to 2."
    )
    hints: tuple[Hint, ...] = list_option(
        Flag(
            name="hint",
            parse=parse_hint,
            metavar="[SECONDSs:]X,Y=#RRGGBB",
            help="Color of what is at X,Y, in pixels or percent (30%,40%), in the first frame or at SECONDS; "
            "it spreads up to edges and follows the motion; repeatable.",
        ),
        hints_of,
        str,
        doc='Colors at places, texts ``"120,80=#c08060"`` or ``"12.5s:30%,40%=#c08060"``.',
    )
    like: Path | None = path_option(
        "PHOTO", help="Reference photo: what the model takes for the same gets the photo's colors."
    )
    smooth: str = option(
        "flow",
        choices=("off", "flow"),
        heading="Temporal",
        help="Filter of chroma against flicker, along the motion (flow).",
    )
    smooth_strength: float = smooth_strength_option()

    @property
    def is_smoothed(self) -> bool:
        return self.smooth != "off" and self.smooth_strength > 0


class ColorizeTask(Task[ColorizeSettings]):
    noun = "colorizer"
    settings_type = ColorizeSettings

    def tensors(self, spec: ModelSpec) -> tuple[str, str]:
        return LABELS, AB

    def takes_yuv(self, models_take_yuv: bool, rgb_output: bool) -> bool:
        return not rgb_output

    def output_info(self, settings: ColorizeSettings, input: Path, info: VideoInfo) -> VideoInfo:
        if matrix_of(info.color, info.height) != BT709:
            return info
        # Gray is the same in both matrices; in that of BT.601 chroma is added without a change of luma.
        return replace(info, color=replace(info.color, matrix=BT601[1]))

    def files(self, settings: ColorizeSettings) -> list[Path]:
        return [] if settings.like is None else [settings.like]

    def resolve(self, settings: ColorizeSettings, specs: Mapping[str, ModelSpec]) -> ColorizeSettings:
        settings = super().resolve(settings, specs)
        return settings if settings.like is None else settings.with_(like=settings.like.absolute())

    def open(self, settings: ColorizeSettings, context: StepContext) -> ChainStep:
        model, side = context.models[GENERATOR], context.specs[GENERATOR].side
        reference = None
        if settings.like is not None:
            if not settings.like.exists():
                raise InputNotFoundError(f"{settings.like}: no such reference photo")
            reference = open_reference(settings.like, model, side)
        effect = ColorizeEffect(model, side=side, strength=settings.strength, reference=reference)
        smoothing = ChromaFilter(settings.smooth_strength) if settings.is_smoothed else None
        if not settings.hints:
            return ChainStep(effect=effect, temporal_filter=smoothing)
        info = context.input_info
        hint_filter = HintFilter(
            settings.hints,
            size=(info.width, info.height),
            start=float(context.start),
            smoothing=smoothing,
        )
        return ChainStep(effect=effect, temporal_filter=hint_filter, warnings=lambda: hint_filter.warnings)

    def is_temporal(self, settings: ColorizeSettings, specs: Mapping[str, ModelSpec]) -> bool:
        return settings.is_smoothed or bool(settings.hints)

    def runs_in_segments(self, settings: ColorizeSettings) -> bool:
        # Where a hint has moved to depends on all frames since its own.
        return not settings.hints


TASK = ColorizeTask(listed("colorize"))
