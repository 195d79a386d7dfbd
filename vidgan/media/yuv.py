"""Conversions between the Y'CbCr of video streams and BT.601 at full range, on 8-bit planes."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
"""One or more components, ``(H, W)`` or ``(H, W, C)`` uint8."""


def to_left(chroma: Plane) -> Plane:
    """Chroma centered between pixels, moved to their left."""
    before = cv2.copyMakeBorder(chroma, 0, 0, 1, 0, cv2.BORDER_REPLICATE)[:, :-1]
    return np.asarray(cv2.addWeighted(chroma, 0.75, before, 0.25, 0), np.uint8)


def to_center(chroma: Plane) -> Plane:
    """The other way."""
    after = cv2.copyMakeBorder(chroma, 0, 0, 0, 1, cv2.BORDER_REPLICATE)[:, 1:]
    return np.asarray(cv2.addWeighted(chroma, 0.75, after, 0.25, 0), np.uint8)


def _stretched(first: int, last: int, center: float) -> Plane:
    """A table from the limited range to the full one."""
    values = (np.arange(256.0) - first) * 255 / (last - first)
    # Chroma has its zero in the middle, at 128 in both ranges.
    values += center - (center - first) * 255 / (last - first) if center else 0
    return np.rint(values).clip(0, 255).astype(np.uint8)


FULL_RANGE_LUMA = _stretched(16, 235, 0)
FULL_RANGE_CHROMA = _stretched(16, 240, 128)


def _to_rgb(red: float, blue: float) -> NDArray[np.float64]:
    """From Y, Cr, Cb to R, G, B for a matrix of these shares of red and blue in luma."""
    green = 1 - red - blue
    of_red, of_blue = 2 * (1 - red), 2 * (1 - blue)
    return np.array([[1, of_red, 0], [1, -of_red * red / green, -of_blue * blue / green], [1, 0, of_blue]])


_BT601, _BT709 = _to_rgb(0.299, 0.114), _to_rgb(0.2126, 0.0722)
_BT601_OF_BT709 = np.linalg.inv(_BT601) @ _BT709
_BT709_OF_BT601 = np.linalg.inv(_BT709) @ _BT601
"""From Y, Cr, Cb to Y, Cr, Cb. Luma counts 1 for itself, and not at all for chroma: gray is gray."""

_MIDDLE = 128
"""The byte that stands for no difference."""


class _Range(NamedTuple):
    """Coding of 0 to 255 in a stream: its black, and its steps of luma and chroma for one level."""

    black: float
    luma: float
    chroma: float


FULL, LIMITED = _Range(0, 1, 1), _Range(16, 219 / 255, 224 / 255)


def bt601_from_bt709(
    luma: Plane, red: Plane, blue: Plane, coded: _Range, *, left: bool
) -> tuple[Plane, Plane, Plane]:
    """Luma, Cr and Cb of BT.709, coded so, as those of BT.601 at full range."""
    of_luma, of_red, of_blue = _BT601_OF_BT709[:, 1:] / coded.chroma
    added = _enlarged(_weighted(red, blue, of_luma), luma, left=left)
    whole = cv2.addWeighted(luma, 1 / coded.luma, added, 1, -coded.black / coded.luma - _MIDDLE)
    return np.asarray(whole, np.uint8), _weighted(red, blue, of_red), _weighted(red, blue, of_blue)


def bt709_from_bt601(
    luma: Plane, red: Plane, blue: Plane, coded: _Range, *, left: bool
) -> tuple[Plane, Plane, Plane]:
    """The inverse."""
    of_luma, of_red, of_blue = _BT709_OF_BT601[:, 1:]
    added = _enlarged(_weighted(red, blue, of_luma * coded.luma), luma, left=left)
    whole = cv2.addWeighted(luma, coded.luma, added, 1, coded.black - _MIDDLE)
    colors = [_weighted(red, blue, each * coded.chroma) for each in (of_red, of_blue)]
    return np.asarray(whole, np.uint8), colors[0], colors[1]


def _weighted(red: Plane, blue: Plane, shares: NDArray[np.float64]) -> Plane:
    """So much of both, about the middle."""
    offset = _MIDDLE * (1 - float(shares.sum()))
    return np.asarray(cv2.addWeighted(red, shares[0], blue, shares[1], offset), np.uint8)


def _enlarged(chroma: Plane, luma: Plane, *, left: bool) -> Plane:
    between = to_center(chroma) if left else chroma
    return np.asarray(cv2.resize(between, luma.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
