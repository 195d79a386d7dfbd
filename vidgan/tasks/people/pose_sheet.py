"""A sheet of poses: the source's, those that were found in the driver, and what they become on the source's body."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vidgan.media.body_parts import Floats
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels
from vidgan.media.skeleton import draw_skeleton
from vidgan.tasks.even_sample import EvenSample
from vidgan.tasks.people.source_person import SourcePerson

_COLUMNS = 6
_SIDE = 160
"""Side of the square that a frame is fitted into, in pixels."""
_SOURCE_SIDE = 320
_GAP = 4
_CAPTION = 22
_OPACITY = 0.7
"""Opacity of skeletons over images."""


class _Column(NamedTuple):
    """One frame of the driver.

    Attributes:
        caption: its time.
        driver: the frame with its skeleton, fitted.
        target: the skeleton that follows it, fitted.
    """

    caption: str
    driver: Pixels
    target: Pixels


class PoseSheet:
    """Collects poses of frames in order, and draws some of them at equal distances.

    Args:
        people: the images of the source.
    """

    def __init__(self, people: Sequence[SourcePerson]) -> None:
        self._people = people
        self._columns: EvenSample[_Column] = EvenSample(2 * _COLUMNS)
        self._frames = self._lost = 0

    def add(self, frame: Frame, found: Floats | None, target: Pixels) -> None:
        """Adds the next frame.

        Args:
            found: key points of the driver; None where there is nobody.
            target: the skeleton that the source takes, over its background.
        """

        def column() -> _Column:
            caption = f"{frame.pts_seconds:.2f} s" + ("" if found is not None else ": held")
            return _Column(
                caption, _fitted(_with_skeleton(frame.pixels, found), _SIDE), _fitted(target, _SIDE)
            )

        self._columns.offer(self._frames, column)
        self._frames += 1
        self._lost += found is None

    @property
    def summary(self) -> str:
        """A few words on what is in the sheet."""
        frames = "1 frame" if self._frames == 1 else f"{self._frames} frames"
        return f"poses of {frames}" + (f", {self._lost} of them without a person" if self._lost else "")

    def draw(self) -> Pixels:
        """The sheet, RGB ``(H, W, 3)`` uint8: images of the source, then the driver above and the source below."""
        images = [_fitted(_with_skeleton(each.pixels, each.points), _SOURCE_SIDE) for each in self._people]
        columns = [
            _stacked([_captioned(each.driver, each.caption), each.target])
            for each in self._columns.spread(_COLUMNS)
        ]
        return _stacked([_beside([_captioned(each, "person") for each in images]), _beside(columns)])


def _with_skeleton(pixels: Pixels, points: Floats | None) -> Pixels:
    if points is None:
        return pixels
    drawn = pixels.copy()
    draw_skeleton(drawn, points)
    return np.asarray(cv2.addWeighted(drawn, _OPACITY, pixels, 1 - _OPACITY, 0), np.uint8)


def _fitted(pixels: Pixels, side: int) -> Pixels:
    """Within a square, in the middle, with white round it."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


def _captioned(image: Pixels, caption: str) -> Pixels:
    label = np.full((_CAPTION, image.shape[1], 3), 255, np.uint8)
    cv2.putText(label, caption, (2, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([label, image])


def _beside(images: Sequence[Pixels]) -> Pixels:
    """Images of one height in a row."""
    gap = ((0, 0), (0, _GAP), (0, 0))
    return np.concatenate([np.pad(each, gap, constant_values=255) for each in images], 1)


def _stacked(images: Sequence[Pixels]) -> Pixels:
    """Images under each other, filled up with white to the widest."""
    widest = max(each.shape[1] for each in images)
    rows = [
        np.pad(each, ((0, _GAP), (0, widest - each.shape[1]), (0, 0)), constant_values=255) for each in images
    ]
    return np.concatenate(rows)
