"""Planes of another frame, warped to where their objects stand now, in bands of rows.

A large plane takes four times as much memory as float32, and so does every map and weight on the way to it. In bands
there are some rows of each at a time, which stay in a processor's cache.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.optical_flow import Flow

Floats = NDArray[np.float32]
_Values = TypeVar("_Values", Floats, NDArray[np.uint8])

_BAND_PIXELS = 1 << 16
"""Pixels that are worked on at a time: four planes of float32 fit into a megabyte of cache."""

_LARGE = 1 << 20
"""Pixels from which on upsampling in bands takes no more time than as a whole."""

_ROWS_AT_ONCE = 16
"""Rows of one product of matrices, which is too small then for the threads of a BLAS."""


def bands(plane: NDArray[Any]) -> Iterator[slice]:
    """Rows of a plane that stay in a processor's cache while several passes are made over them."""
    height, width = plane.shape[:2]
    count = max(1, _BAND_PIXELS // width)
    return (slice(first, min(first + count, height)) for first in range(0, height, count))


class Upsampled:
    """A small plane, ``(h, w)`` float32, at another size by linear interpolation.

    Args:
        size: width and height.
    """

    def __init__(self, small: Floats, size: tuple[int, int]) -> None:
        width, self._height = size
        self._small_height = len(small)
        self._in_bands = width * self._height >= _LARGE
        shape = (width, self._small_height) if self._in_bands else size
        self._wide = np.asarray(cv2.resize(small, shape, interpolation=cv2.INTER_LINEAR), np.float32)

    def rows(self, band: slice) -> Floats:
        """Some rows."""
        if not self._in_bands:
            return self._wide[band]
        result = np.empty((band.stop - band.start, self._wide.shape[1]), np.float32)
        for rows, near, weights in _weights(self._small_height, self._height, band.start, band.stop):
            np.matmul(weights, self._wide[near], out=result[rows])
        return result


@lru_cache(maxsize=1024)
def _weights(small_height: int, height: int, start: int, stop: int) -> list[tuple[slice, slice, Floats]]:
    """Rows of a band, those of the small plane between which they lie, and the weights of these, ``(rows, near)``."""
    found = []
    for first in range(start, stop, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, stop)
        places = (np.arange(first, last) + 0.5) * (small_height / height) - 0.5
        places = places.clip(0, small_height - 1)
        near = np.arange(int(places[0]), min(int(places[-1]) + 2, small_height))
        weights = np.asarray((1 - np.abs(places[:, np.newaxis] - near)).clip(0), np.float32)
        found.append((slice(first - start, last - start), slice(int(near[0]), int(near[-1]) + 1), weights))
    return found


class Warped(Generic[_Values]):
    """A plane of another frame with its objects where they stand now.

    Args:
        plane: ``(H, W)`` or ``(H, W, C)``.
        flow: from now to the other frame, on a grid of any size.

    Attributes:
        shape: of the plane.
        moves: whether anything does.
    """

    def __init__(self, plane: _Values, flow: Flow) -> None:
        height, width = plane.shape[:2]
        self.shape = plane.shape
        self._plane: _Values = plane
        self._moving = rows, columns = _where_it_moves(flow, height, width)
        self.moves = rows.stop > rows.start
        self._in_bands = self.moves and width * height >= _LARGE
        if not self.moves:
            return
        steps = [scale * each for each, scale in zip(cv2.split(flow), scale_of(plane, flow), strict=False)]
        self._reach = ceil(float(np.abs(steps[1]).max())) + 1
        # From a part of the image to the whole of it.
        origin = columns.start, 0 if self._in_bands else rows.start
        self._maps = [
            Upsampled(each + np.float32(first), (width, height))
            for each, first in zip(steps, origin, strict=True)
        ]
        if not self._in_bands:
            self._plane = self._warped(slice(0, height), plane, 0)
            self._maps.clear()

    def rows(self, band: slice) -> _Values:
        """Some rows, which may be a view."""
        if not self._in_bands:
            return self._still(band)
        # Places are counted from near the band: float32 has more digits for them there.
        first = max(0, band.start - self._reach)
        return self._warped(band, self._plane[first : band.stop + self._reach], first)

    def _still(self, band: slice) -> _Values:
        return np.asarray(self._plane[band], self._plane.dtype)

    def _warped(self, band: slice, source: _Values, first: int) -> _Values:
        """Rows of a band.

        Args:
            source: rows of the plane, among which are all that are fetched.
            first: row of the plane that they begin with.
        """
        moving, columns = self._moving
        part = slice(max(band.start, moving.start), min(band.stop, moving.stop))
        if part.stop <= part.start:
            return self._still(band)
        by_column, by_row = (each.rows(part)[:, columns] for each in self._maps)
        if self._in_bands:
            by_row = by_row + np.float32(part.start - first)
        how = cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP
        warped = np.asarray(
            cv2.remap(source, by_column, by_row, how, borderMode=cv2.BORDER_REPLICATE), self._plane.dtype
        )
        if part == band and warped.shape[1] == self.shape[1]:
            return warped
        whole = self._still(band).copy()
        whole[part.start - band.start : part.stop - band.start, columns] = warped
        return whole


class SharplyWarped:
    """:class:`Warped` for luma, ``(H, W)`` float32, without growing softer.

    Linear interpolation alone would leave 0.6 of its gradient energy in a slow pan, softened again and again.
    At a fraction f of a pixel, ``0.75 f (1 - f)`` of the second difference makes up for it, along rows and
    columns: that is cubic interpolation (Keys 1981, a = -0.75) of what moves as a whole, in half the time.
    """

    def __init__(self, luma: Floats, flow: Flow) -> None:
        self.shape = luma.shape
        self._warped = Warped(luma, flow)
        if self._warped.moves:
            fraction = cv2.multiply(flow, scale_of(luma, flow))
            fraction -= np.floor(fraction)
            self._lost_by_row, self._lost_by_column = (
                Upsampled(np.asarray(each, np.float32), luma.shape[::-1])
                for each in cv2.split(0.75 * fraction * (1 - fraction))
            )

    def rows(self, band: slice) -> Floats:
        """Some rows, which may be a view where nothing moves."""
        if not self._warped.moves:
            return self._warped.rows(band)
        # Differences along columns are of rows that are sharpened already.
        around = slice(max(0, band.start - 1), min(band.stop + 1, self.shape[0]))
        rows = np.array(self._warped.rows(around))
        cv2.accumulateProduct(_difference(rows, _ALONG_ROWS), self._lost_by_row.rows(around), rows)
        inner = slice(band.start - around.start, band.stop - around.start)
        detail = _difference(rows, _ALONG_COLUMNS)[inner]
        cv2.accumulateProduct(detail, self._lost_by_column.rows(band), rows[inner])
        return np.asarray(rows[inner])


_ALONG_ROWS, _ALONG_COLUMNS = np.array([[-1, 2, -1]], np.float32), np.array([[-1], [2], [-1]], np.float32)


def _difference(plane: Floats, kernel: Floats) -> Floats:
    return np.asarray(cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def moved_along(plane: _Values, flow: Flow) -> _Values:
    """All of :class:`Warped`."""
    return Warped(plane, flow).rows(slice(0, len(plane)))


def scale_of(plane: NDArray[Any], flow: Flow) -> tuple[float, float, float, float]:
    """Pixels of a plane for a place of the flow, columns and rows; for OpenCV, which wants four."""
    height, width = plane.shape[:2]
    return width / flow.shape[1], height / flow.shape[0], 0, 0


def _where_it_moves(flow: Flow, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of an image of this size outside of which all is still."""
    small_height, small_width = flow.shape[:2]
    moves = (flow[..., 0] != 0) | (flow[..., 1] != 0)
    left, top, columns, rows = cv2.boundingRect(moves.view(np.uint8))
    if not rows:
        return slice(0, 0), slice(0, 0)
    # What moves reaches as far as interpolation does.
    return (
        _scaled(top - 1, top + rows + 1, height / small_height, height),
        _scaled(left - 1, left + columns + 1, width / small_width, width),
    )


def _scaled(first: int, end: int, scale: float, most: int) -> slice:
    return slice(max(0, int(first * scale)), min(ceil(end * scale), most))
