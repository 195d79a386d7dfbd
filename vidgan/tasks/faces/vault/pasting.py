"""Crops put back into frames."""

from __future__ import annotations

import cv2
import numpy as np

from vidgan.media.image import Image, YuvImage
from vidgan.media.yuv import Plane, to_left
from vidgan.tasks.faces.box import Floats
from vidgan.tasks.faces.hiding import Change, Place, replaced
from vidgan.tasks.faces.vault.crops import MARGIN
from vidgan.tasks.faces.vault.layout import CropPlace

_MOST_SIDES = 4
"""Sides of a frame that a place is as long as at most, so that a vault cannot ask for any memory."""


def scale_between(size: tuple[int, int], now: tuple[int, int]) -> tuple[float, float]:
    """How many times as long the sides of frames are now; 1 where an odd one only became even.

    Args:
        size: width and height of the frames that crops are of; 0 where that is not known.
        now: those of the frames into which they go.
    """
    horizontal, vertical = (_factor(*sides) for sides in zip(size, now, strict=True))
    return horizontal, vertical


def _factor(side: int, now: int) -> float:
    # A row or column more, or less, at the far edge moves nothing.
    made_even = side % 2 == 1 and abs(now - side) == 1
    return 1.0 if side == 0 or made_even else now / side


def scaled(place: CropPlace, scale: tuple[float, float], size: tuple[int, int]) -> CropPlace:
    """A place in frames whose sides are so many times as long.

    Args:
        size: width and height of the frames; places that are much larger are not in any vault that was made.
    """
    if scale == (1.0, 1.0):
        left, top, width, height = place.left, place.top, place.width, place.height
    else:
        left, top = (
            round(each * by / 2) * 2 for each, by in zip((place.left, place.top), scale, strict=True)
        )
        width, height = (
            max(2, round(each * by / 2) * 2)
            for each, by in zip((place.width, place.height), scale, strict=True)
        )
    width, height = (min(each, _MOST_SIDES * side) for each, side in zip((width, height), size, strict=True))
    return CropPlace(place.time, place.track, left, top, width, height)


def pasted(image: Image, place: CropPlace, crop: YuvImage, mask: Floats) -> Image:
    """The image with a crop in it.

    Args:
        place: in the image.
        crop: resized to the place where it has another size.
        mask: share of the crop, ``(place.height, place.width)``, 0 to 1.
    """
    width, height = image.size
    left, top = max(0, place.left), max(0, place.top)
    right, bottom = min(width, place.left + place.width), min(height, place.top + place.height)
    if right <= left or bottom <= top:
        return image
    rows = slice(top - place.top, bottom - place.top)
    columns = slice(left - place.left, right - place.left)
    fitted = _fitted(crop, (place.width, place.height))
    part = Place(left, top, right, bottom, mask[rows, columns], (float(right - left), float(bottom - top)))
    if not isinstance(image, YuvImage):
        pixels = np.ascontiguousarray(fitted.pixels[rows, columns])
        return replaced(image, [part], _constant(pixels), _constant(pixels))
    chroma = to_left(fitted.chroma) if image.chroma_location == "left" else fitted.chroma
    half_rows, half_columns = (slice(each.start // 2, (each.stop + 1) // 2) for each in (rows, columns))
    return replaced(
        image,
        [part],
        _constant(np.ascontiguousarray(fitted.luma[rows, columns])),
        _constant(np.ascontiguousarray(chroma[half_rows, half_columns])),
    )


def _constant(plane: Plane) -> Change:
    return lambda _plane, _place: plane


def _fitted(crop: YuvImage, size: tuple[int, int]) -> YuvImage:
    if crop.size == size:
        return crop
    luma = cv2.resize(crop.luma, size, interpolation=cv2.INTER_CUBIC)
    chroma = cv2.resize(crop.chroma, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_LINEAR)
    return YuvImage(np.asarray(luma, np.uint8), np.asarray(chroma, np.uint8))


def crop_mask(place: CropPlace) -> Floats:
    """1 where something is hidden; falls to 0 over the margin."""
    columns, rows = (
        np.clip((np.minimum(np.arange(side), side - 1 - np.arange(side)) + 1) / MARGIN, 0, 1)
        for side in (place.width, place.height)
    )
    return np.outer(rows, columns).astype(np.float32)


def oval_mask(place: CropPlace) -> Floats:
    """1 in an oval that fills the place; falls to 0 at its rim."""
    columns, rows = ((np.arange(side) + 0.5) / side * 2 - 1 for side in (place.width, place.height))
    distance = np.hypot(columns[np.newaxis], rows[:, np.newaxis])
    return np.clip((1 - distance) / 0.12, 0, 1).astype(np.float32)
