"""Colorization: a generator predicts the chroma of gray frames; their lightness stays as it is, to the bit.

After Isola et al. 2017, in CIE Lab. Eyes resolve less detail in chroma than in lightness, so chroma is predicted
at the size that the generator was trained for, and enlarged. Video frames come as luma and chroma: luma stays
as it is, and chroma is never made larger than the stream keeps it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.ffmpeg import BT601, BT709, matrix_of
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, YuvImage
from vidgan.media.optical_flow import fetch
from vidgan.media.yuv import Plane
from vidgan.models.registry import ModelSpec
from vidgan.session.output_check import ImageModel
from vidgan.tasks.options import option
from vidgan.tasks.task import AB, GENERATOR, LABELS, ChainStep, StepContext, Task, TaskSettings, model_option
from vidgan.temporal.filter import State
from vidgan.temporal.flow import as_bytes, mix, moved_along, weight_of_past
from vidgan.temporal.motion import MotionEstimate

MAX_STRENGTH = 2
"""Largest factor of the predicted saturation."""

_GRAY = 128
_LESS = 0.85, 0.7, 0.5, 0.3, 0.15, 0.0
"""Shares of the chroma to try where sRGB has no color of that lightness and chroma."""
_STEPS = np.array(sorted(product((-1, 0, 1), repeat=3), key=lambda step: sum(map(abs, step))), np.int16)
"""Steps to the neighbors of a color, the nearest first."""
_LEAST = 16


@dataclass(frozen=True, kw_only=True)
class ColorizeSettings(TaskSettings):
    """Options of colorization."""

    task: ClassVar[str] = "colorize"

    model: str = model_option("Colorizer", "colorize")
    strength: float = option(
        1.0,
        type=float,
        minimum=0,
        maximum=MAX_STRENGTH,
        help="Factor of the predicted saturation, 0 (gray) to 2.",
    )
    smooth: str = option(
        "flow",
        choices=("off", "flow"),
        heading="Temporal",
        help="Filter of chroma against flicker, along the motion (flow).",
    )
    smooth_strength: float = option(
        1.0, type=float, minimum=0, maximum=1, heading="Temporal", help="Strength of the filter, 0 to 1."
    )

    @property
    def is_smoothed(self) -> bool:
        return self.smooth != "off" and self.smooth_strength > 0


class ColorizeTask(Task[ColorizeSettings]):
    name = "colorize"
    verb = "colorize"
    noun = "colorizer"
    summary = "Color a gray video, image or folder of frames; its lightness stays as it is."
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

    def open(self, settings: ColorizeSettings, context: StepContext) -> ChainStep:
        side = context.specs[GENERATOR].side
        effect = ColorizeEffect(context.models[GENERATOR], side=side, strength=settings.strength)
        chroma_filter = ChromaFilter(settings.smooth_strength) if settings.is_smoothed else None
        return ChainStep(effect=effect, temporal_filter=chroma_filter)

    def is_temporal(self, settings: ColorizeSettings, specs: Mapping[str, ModelSpec]) -> bool:
        return settings.is_smoothed


class ColorizeEffect:
    """Colors frames; their own chroma is ignored.

    Args:
        model: a model of the task ``colorize``.
        side: shorter side in pixels of the images that the model was trained on; None for any.
        strength: factor of the saturation; 0 gives gray, 1 the model's output.
    """

    def __init__(self, model: ImageModel, *, side: int | None, strength: float = 1.0) -> None:
        self._model = model
        self._side = side
        self._strength = strength

    def apply(self, frame: Frame) -> Frame:
        if isinstance(frame.image, YuvImage):
            return frame.with_image(self._colorized(frame.image))
        lightness = lightness_of(frame.pixels)
        return frame.with_pixels(with_chroma(lightness, self._chroma(lightness)))

    def _colorized(self, image: YuvImage) -> YuvImage:
        height, width = image.chroma.shape[:2]
        lightness = np.asarray(cv2.LUT(image.luma, _lightness_of_gray()), np.uint8)
        half = np.asarray(cv2.resize(lightness, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        pixels = _rgb_of(half, _enlarged(self._chroma(lightness), height, width))
        chroma = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)[:, :, 1:]
        return YuvImage(image.luma, np.ascontiguousarray(chroma, np.uint8))

    def _chroma(self, lightness: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Chroma of CIE Lab plus 128 at the model's size, ``(h, w, 2)`` uint8."""
        chroma: NDArray[np.uint8] = self._model.run(self._small(lightness)[np.newaxis])[0]
        if self._strength == 1:
            return chroma
        signed = self._strength * (chroma.astype(np.float32) - _GRAY)
        return np.asarray((signed + _GRAY).round().clip(0, 255), np.uint8)

    def _small(self, lightness: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = lightness.shape
        if self._side is None or min(height, width) <= self._side:
            return np.ascontiguousarray(lightness)
        scale = self._side / min(height, width)
        size = max(_LEAST, round(scale * width)), max(_LEAST, round(scale * height))
        return np.asarray(cv2.resize(lightness, size, interpolation=cv2.INTER_AREA), np.uint8)


class ChromaFilter:
    """A :class:`vidgan.temporal.filter.TemporalFilter` of chroma along the motion; luma or lightness stays to the bit.

    Its state: chroma at half the size, ``(H/2, W/2, 2)`` float32, of Y'CbCr for frames of luma and chroma and of
    CIE Lab for RGB, and the number of frames that each place is the mean of.
    """

    def __init__(self, strength: float = 1.0) -> None:
        self.state: State | None = None
        self._strength = strength

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        current = _half_chroma(frame).astype(np.float32)
        if motion is None or motion.scene_cut or self.state is None or self.state[0].shape != current.shape:
            self.state = current, np.ones((1, 1), np.float32)
            return frame
        previous, frames = self.state
        everywhere = np.ascontiguousarray(np.broadcast_to(frames, motion.static_mask.shape))
        weight = weight_of_past(motion, fetch(everywhere, motion.flow), self._strength)
        smooth: NDArray[np.float32] = mix(moved_along(previous, motion), current, weight)
        self.state = smooth, np.asarray(1 / (1 - weight), np.float32)
        return _with_half_chroma(frame, as_bytes(smooth))


def _half_chroma(frame: Frame) -> Plane:
    if isinstance(frame.image, YuvImage):
        return frame.image.yuv().chroma
    width, height = frame.size
    chroma = np.ascontiguousarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2Lab)[:, :, 1:])
    size = (width + 1) // 2, (height + 1) // 2
    return np.asarray(cv2.resize(chroma, size, interpolation=cv2.INTER_AREA), np.uint8)


def _with_half_chroma(frame: Frame, chroma: Plane) -> Frame:
    if isinstance(frame.image, YuvImage):
        return frame.with_image(YuvImage(frame.image.luma, chroma))
    return frame.with_pixels(with_chroma(lightness_of(frame.pixels), chroma))


def lightness_of(pixels: Pixels) -> NDArray[np.uint8]:
    """L of CIE Lab times 255 / 100, ``(H, W)`` uint8, of RGB."""
    return np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)[:, :, 0], np.uint8)


def with_chroma(lightness: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> Pixels:
    """RGB of exactly that lightness and approximately that chroma.

    Where sRGB has no color of that lightness and chroma, the chroma is reduced; where 8 bits miss the lightness,
    the nearest color that has it is taken.

    Args:
        lightness: see :func:`lightness_of`, ``(H, W)`` uint8.
        chroma: a and b of CIE Lab, each plus 128, ``(h, w, 2)`` uint8; enlarged where it is smaller.
    """
    chroma = _enlarged(chroma, *lightness.shape)
    pixels = _rgb_of(lightness, chroma)
    rows, columns = np.nonzero(lightness_of(pixels) != lightness)
    wanted, ab = lightness[rows, columns], chroma[rows, columns].astype(np.float32) - _GRAY
    for share in (1.0, *_LESS):
        if not len(rows):
            break
        less = np.asarray((share * ab + _GRAY).round(), np.uint8)
        found, hit = _nearest_of(wanted, less)
        pixels[rows[hit], columns[hit]] = found[hit]
        rows, columns, wanted, ab = rows[~hit], columns[~hit], wanted[~hit], ab[~hit]
    return pixels


def _nearest_of(wanted: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> tuple[Pixels, NDArray[np.bool_]]:
    """Colors ``(N, 3)`` near lightness ``(N,)`` and chroma ``(N, 2)``, and which of them have the lightness."""
    start = _rgb_of(wanted[:, np.newaxis], chroma[:, np.newaxis])[:, 0]
    found, missed = start.copy(), np.arange(len(start))
    for step in _STEPS:
        if not len(missed):
            break
        near = (start[missed] + step).clip(0, 255).astype(np.uint8)
        hits = lightness_of(near[:, np.newaxis])[:, 0] == wanted[missed]
        found[missed[hits]] = near[hits]
        missed = missed[~hits]
    hit = np.ones(len(start), np.bool_)
    hit[missed] = False
    return found, hit


def _enlarged(chroma: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if chroma.shape[:2] == (height, width):
        return chroma
    # Guided upsampling helps true chroma a little, and a model's not: benchmarks/chroma.py.
    return np.asarray(cv2.resize(chroma, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _rgb_of(lightness: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> Pixels:
    lab = np.concatenate([lightness[..., np.newaxis], chroma], 2)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.uint8)


@cache
def _lightness_of_gray() -> NDArray[np.uint8]:
    """Lightness of each gray level, ``(256,)``. OpenCV's first conversion to Lab takes 0.2 s, so not at import."""
    grays = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis], 3, axis=2)
    return lightness_of(grays).ravel()


TASK = ColorizeTask()
