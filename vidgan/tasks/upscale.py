"""Super-resolution: a generator enlarges each frame.

Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network".
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from vidgan.errors import InputError
from vidgan.media.frame import Alpha, Frame, VideoInfo
from vidgan.media.geometry import target_size
from vidgan.media.image import Image
from vidgan.models.registry import ModelSpec, Precision, find_upscalers, reaching
from vidgan.session.output_check import ImageModel
from vidgan.sources.limits import check_enlarged_size
from vidgan.tasks.listing import listed
from vidgan.tasks.options import option
from vidgan.tasks.smoothing import SmoothedSettings, SmoothedTask
from vidgan.tasks.task import (
    GENERATOR,
    ChainStep,
    StepContext,
    Variants,
    model_option,
    run_image,
)

SCALES = 2, 3, 4
DEFAULT_SCALE = 2
MAX_FACTOR = max(SCALES)
"""The largest ratio of output to input height."""


@dataclass(frozen=True, kw_only=True)
class UpscaleSettings(SmoothedSettings):
    """Options of super-resolution."""

    task: ClassVar[str] = "upscale"

    model: str = model_option("Upscaler", "swift")
    scale: int | None = option(
        None,
        type=int,
        choices=tuple(map(str, SCALES)),
        shown_default=f"{DEFAULT_SCALE}, of an added model its own",
        help="Factor by which width and height grow.",
    )
    height: int | None = option(
        None,
        type=int,
        minimum=16,
        metavar="PIXELS",
        help="Height of the output instead of a factor, up to 4 times the input's; the width follows.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale is not None and self.height is not None:
            raise InputError("scale and height both set the size of the output; give one of them")


class UpscaleTask(SmoothedTask[UpscaleSettings]):
    noun = "upscaler"
    settings_type = UpscaleSettings

    def find_models(self, settings: UpscaleSettings, precision: Precision) -> Variants:
        return {GENERATOR: find_upscalers(settings.model, precision=precision)}

    def select(
        self, variants: Variants, settings: UpscaleSettings, input: Path, info: VideoInfo
    ) -> dict[str, ModelSpec]:
        factor = self.output_info(settings, input, info).height / info.height
        return {GENERATOR: reaching(variants[GENERATOR], factor)}

    def output_info(self, settings: UpscaleSettings, input: Path, info: VideoInfo) -> VideoInfo:
        if settings.height is None:
            scale = settings.scale or _own_scale(settings.model)
            width, height = scale * info.width, scale * info.height
        elif not info.height <= settings.height <= MAX_FACTOR * info.height:
            raise InputError(
                f"{input}: its height of {info.height} can become {info.height} to {MAX_FACTOR * info.height}, "
                f"{MAX_FACTOR} times as much, not {settings.height}{_in_two_passes(settings, input, info)}"
            )
        else:
            width, height = target_size(info.width, info.height, str(settings.height))
        check_enlarged_size(input, width, height)
        return replace(info, width=width, height=height)

    def open(self, settings: UpscaleSettings, context: StepContext) -> ChainStep:
        size = context.output_info.width, context.output_info.height
        effect = UpscaleEffect(context.models[GENERATOR], size=size)
        return ChainStep(effect=effect, **self.smoothing(settings, context.specs))


def _in_two_passes(settings: UpscaleSettings, input: Path, info: VideoInfo) -> str:
    """The command that reaches the height in two steps, where that is enough."""
    height = settings.height or 0
    scale = next((each for each in SCALES if info.height < height <= MAX_FACTOR * each * info.height), None)
    if scale is None:
        return ""
    model = "" if settings.model == "swift" else f"model={settings.model},"
    return (
        f"; in two steps: `vidgan.run({str(input)!r}, ..., "
        f'["upscale:{model}scale={scale}", "upscale:{model}height={height}"])`'
    )


def _own_scale(model: str) -> int:
    """The scale of a model that others made; the usual one for those that come in several scales."""
    spec = find_upscalers(model, precision="float32")[0]
    return spec.scale if "source" in spec.facts else DEFAULT_SCALE


class UpscaleEffect:
    """Enlarges frames.

    An output larger than asked for is brought down by averaging over areas, which is antialiased. Alpha is
    enlarged by bicubic interpolation.

    Args:
        model: a model of the task ``upscale``.
        size: width and height of the output in pixels; at most what the model returns.
    """

    def __init__(self, model: ImageModel, *, size: tuple[int, int]) -> None:
        self._model = model
        self._size = size

    def apply(self, frame: Frame) -> Frame:
        alpha = None if frame.alpha is None else self._resized(frame.alpha)
        return replace(frame, image=self._fitted(run_image(self._model, frame.image)), alpha=alpha)

    def _fitted(self, image: Image) -> Image:
        return image if image.size == self._size else image.resized(self._size)

    def _resized(self, alpha: Alpha) -> Alpha:
        if alpha.shape[1::-1] == self._size:
            return alpha
        return np.asarray(cv2.resize(alpha, self._size, interpolation=cv2.INTER_CUBIC), np.uint8)


TASK = UpscaleTask(listed("upscale"))
