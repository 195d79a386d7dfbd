"""A number that is seen in a picture, and survives painting, smoothing, scaling and encoding.

Each bit is a pair of cells, dark and light or light and dark, so that no level has to be known: styles give
both other colours, but not the other way round.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

_BITS, _CHECK = 16, 4
_ROWS, _COLUMNS = 2, _BITS + _CHECK
_HEIGHT = 1 / 12
"""Of a cell, of that of the picture."""

_DARK, _LIGHT = 16, 235
_MARGIN = 0.3
"""Of a cell, on all sides, that is not looked at: strokes go over edges."""

MOST = (1 << _BITS) - 1


def write_stamp(luma: Luma, number: int) -> None:
    """Draws a number up to ``MOST`` into luma, ``(H, W)``, at the top."""
    for (rows, columns), light in zip(_cells(luma), _pattern(number), strict=True):
        luma[rows, columns] = _LIGHT if light else _DARK


def read_stamp(luma: Luma) -> int | None:
    """The number in a picture's luma; None if there is none, or it cannot be read."""
    means = np.array([cv2.mean(luma[_inside(rows), _inside(columns)])[0] for rows, columns in _cells(luma)])
    bits = means[0::2] > means[1::2]
    number = int("".join("1" if bit else "0" for bit in bits[:_BITS]), 2)
    check = int("".join("1" if bit else "0" for bit in bits[_BITS:]), 2)
    return number if check == _check(number) else None


def _pattern(number: int) -> list[bool]:
    """Light or not, cell after cell."""
    digits = f"{number:0{_BITS}b}{_check(number):0{_CHECK}b}"
    return [light for digit in digits for light in (digit == "1", digit == "0")]


def _check(number: int) -> int:
    return (number ^ number >> 4 ^ number >> 8 ^ number >> 12 ^ 0b1010) & 0b1111


def _cells(luma: Luma) -> list[tuple[slice, slice]]:
    height, width = luma.shape
    rows, columns = (
        np.linspace(0, end, count + 1).round().astype(int)
        for end, count in ((_ROWS * _HEIGHT * height, _ROWS), (width, _COLUMNS))
    )
    return [
        (slice(rows[row], rows[row + 1]), slice(columns[column], columns[column + 1]))
        for row in range(_ROWS)
        for column in range(_COLUMNS)
    ]


def _inside(cell: slice) -> slice:
    margin = int((cell.stop - cell.start) * _MARGIN)
    return slice(cell.start + margin, cell.stop - margin)
