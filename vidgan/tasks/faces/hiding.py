"""Faces hidden in frames, by cells or by blur: pixels outside the ellipse round a face stay as they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Image, RgbImage, YuvImage
from vidgan.media.yuv import Plane
from vidgan.tasks.faces.box import Box, Floats

Way = Literal["pixelate", "blur"]

CELLS = 8
"""Across the place that is pixelated."""

_HIDDEN, _FEATHER = 1.3, 1.5
"""Half axes of the ellipses within which a face is hidden, and beyond which nothing changes, over half of its box."""
_BLUR_SIDE, _BLUR = 32, 8
"""A place is reduced to such a side at most; standard deviations of the Gaussian in its length."""

Slices = tuple[slice, slice]
"""Rows and columns of a plane."""


@dataclass(frozen=True)
class Place:
    """A part of a frame, and how much of it is to be replaced.

    Attributes:
        left, top, right, bottom: in pixels, the first two even.
        mask: ``(bottom - top, right - left)`` float32, 0 to 1.
        length: of the sides before the frame cut them off, columns and rows.
    """

    left: int
    top: int
    right: int
    bottom: int
    mask: Floats
    length: tuple[float, float]

    @property
    def part(self) -> Slices:
        """The rows and columns of RGB or luma."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def part_of_chroma(self) -> Slices:
        rows, columns = (slice(each.start // 2, (each.stop + 1) // 2) for each in self.part)
        return rows, columns

    @property
    def mask_of_chroma(self) -> Floats:
        return halved(self.mask)


def ellipse(box: Box, size: tuple[int, int]) -> Place | None:
    """The place of a face; None where it is not in the frame.

    Args:
        size: of the frame.
    """
    length = box[2:] * _FEATHER
    low, high = box[:2] - length / 2, box[:2] + length / 2
    left, top = (max(0, int(np.floor(each)) // 2 * 2) for each in low)
    right, bottom = (min(side, int(np.ceil(each)) + 1) for each, side in zip(high, size, strict=True))
    if right <= left or bottom <= top:
        return None
    columns = (np.arange(left, right, dtype=np.float32) - box[0]) / max(float(box[2]) / 2, 0.5)
    rows = (np.arange(top, bottom, dtype=np.float32) - box[1]) / max(float(box[3]) / 2, 0.5)
    distance = np.sqrt(columns[np.newaxis] ** 2 + rows[:, np.newaxis] ** 2)
    mask = np.clip((_FEATHER - distance) / (_FEATHER - _HIDDEN), 0, 1).astype(np.float32)
    return Place(left, top, right, bottom, mask, (float(length[0]), float(length[1])))


def hide(image: Image, places: Sequence[Place], way: Way) -> Image:
    """The image with these places hidden."""
    change = {"pixelate": pixelated, "blur": blurred}[way]

    def change_plane(plane: Plane, place: Place) -> Plane:
        return change(plane, place.length)

    def change_chroma(plane: Plane, place: Place) -> Plane:
        return change(plane, (place.length[0] / 2, place.length[1] / 2))

    return replaced(image, places, change_plane, change_chroma)


Change = Callable[[Plane, Place], Plane]
"""Makes the new pixels of a part of a plane."""


def replaced(image: Image, places: Sequence[Place], of_pixels: Change, of_chroma: Change) -> Image:
    """The image with other pixels where the masks of places are.

    Args:
        of_pixels: of RGB or luma.
        of_chroma: of chroma.
    """
    if not places:
        return image
    if not isinstance(image, YuvImage):
        pixels = image.pixels.copy()
        for place in places:
            _mix(pixels[place.part], of_pixels(pixels[place.part], place), place.mask)
        return RgbImage(pixels)
    luma, chroma = image.luma.copy(), image.chroma.copy()
    for place in places:
        _mix(luma[place.part], of_pixels(luma[place.part], place), place.mask)
        part = chroma[place.part_of_chroma]
        _mix(part, of_chroma(part, place), place.mask_of_chroma)
    return YuvImage(luma, chroma, image.chroma_location)


def _mix(target: Plane, values: Plane, mask: Floats) -> None:
    """In place: the values where the mask is 1, the target where it is 0, to the bit."""
    share = mask if target.ndim == 2 else mask[..., np.newaxis]
    mixed = target + share * (values.astype(np.float32) - target)
    target[:] = np.rint(mixed).clip(0, 255).astype(np.uint8)


def halved(mask: NDArray[np.float32]) -> Floats:
    """A mask for chroma: the largest of two by two."""
    height, width = mask.shape
    padded = np.pad(mask, ((0, height % 2), (0, width % 2)), mode="edge")
    return np.asarray(padded.reshape(padded.shape[0] // 2, 2, -1, 2).max((1, 3)), np.float32)


def pixelated(plane: Plane, length: tuple[float, float]) -> Plane:
    """In cells, :data:`CELLS` of which are as long as ``length``."""
    height, width = plane.shape[:2]
    columns, rows = (
        max(1, round(CELLS * side / max(whole, 1.0)))
        for side, whole in zip((width, height), length, strict=True)
    )
    size = min(columns, CELLS, width), min(rows, CELLS, height)
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def blurred(plane: Plane, length: tuple[float, float]) -> Plane:
    """By a Gaussian whose standard deviation is an eighth of ``length``."""
    height, width = plane.shape[:2]
    kept = [max(1.0, min(_BLUR_SIDE, whole)) for whole in length]
    columns, rows = (
        max(1, min(side, round(few * side / max(whole, 1.0))))
        for side, few, whole in zip((width, height), kept, length, strict=True)
    )
    small = cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(0.5, kept[0] / _BLUR), sigmaY=max(0.5, kept[1] / _BLUR))
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
