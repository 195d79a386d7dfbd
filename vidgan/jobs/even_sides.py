"""Odd sides in a video whose encoder halves the resolution of chroma: frames get or lose a row or column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np

from vidgan.media.encoding import EncoderChoice, even_sides_needed
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.yuv import Plane

Even = Literal["pad", "crop", "444"]
EVEN = get_args(Even)


@dataclass(frozen=True)
class EvenSides:
    """The last effect of a chain: brings frames to even sides.

    Attributes:
        size: width and height of the result, each one more or one less than the frames', or the same.
    """

    size: tuple[int, int]

    def apply(self, frame: Frame) -> Frame:
        alpha = None if frame.alpha is None else self._fitted(frame.alpha, self.size)
        return replace(frame, image=frame.image.resample(self._fitted, self.size), alpha=alpha)

    @staticmethod
    def _fitted(values: Plane, size: tuple[int, int]) -> Plane:
        width, height = size
        below, beside = max(0, height - values.shape[0]), max(0, width - values.shape[1])
        whole = cv2.copyMakeBorder(values, 0, below, 0, beside, cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(whole[:height, :width], np.uint8)


def even_sides(path: Path, info: VideoInfo, encoder: EncoderChoice, even: str) -> EvenSides | None:
    """The effect that such a video needs; None where its sides can stay.

    Raises:
        OutputError: as of :func:`vidgan.media.encoding.format_of`.
    """
    sides = info.width, info.height
    if even == "444" or not any(side % 2 for side in sides):
        return None
    step = -1 if even == "crop" else 1
    needed = even_sides_needed(path, info, encoder)
    size = tuple(
        side + step * (side % 2) if needs else side for side, needs in zip(sides, needed, strict=True)
    )
    return None if size == sides else EvenSides((size[0], size[1]))
