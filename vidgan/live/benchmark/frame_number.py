"""A frame number in the pixels, which survives style transfer, temporal filtering, scaling and encoding.

Each bit is a pair of cells, dark then light or light then dark, and is decoded by comparing the two. Absolute levels do
not matter, and styles keep the order of dark and light.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
"""``(H, W)`` uint8."""

_BITS, _CHECK_BITS = 16, 4
_ROWS, _COLUMNS = 2, _BITS + _CHECK_BITS
_CELL_HEIGHT = 1 / 12
"""Share of the frame's height."""

_DARK, _LIGHT = 16, 235
_MARGIN = 0.3
"""Share of a cell on each side that is ignored, because brush strokes cross edges."""

MAX_NUMBER = (1 << _BITS) - 1


def draw_frame_number(luma: Luma, number: int) -> None:
    """Draws a number of 0 to ``MAX_NUMBER`` into the top of a luma plane, in place."""
    for (rows, columns), light in zip(_cells(luma), _pattern(number), strict=True):
        luma[rows, columns] = _LIGHT if light else _DARK


def read_frame_number(luma: Luma) -> int | None:
    """Decodes the number in a luma plane; None if there is none or its checksum is wrong."""
    means = np.array([cv2.mean(luma[_inner(rows), _inner(columns)])[0] for rows, columns in _cells(luma)])
    bits = means[0::2] > means[1::2]
    number = int("".join("1" if bit else "0" for bit in bits[:_BITS]), 2)
    check = int("".join("1" if bit else "0" for bit in bits[_BITS:]), 2)
    return number if check == _checksum(number) else None


def _pattern(number: int) -> list[bool]:
    """Cells in order, True for light."""
    digits = f"{number:0{_BITS}b}{_checksum(number):0{_CHECK_BITS}b}"
    return [light for digit in digits for light in (digit == "1", digit == "0")]


def _checksum(number: int) -> int:
    return (number ^ number >> 4 ^ number >> 8 ^ number >> 12 ^ 0b1010) & 0b1111


def _cells(luma: Luma) -> list[tuple[slice, slice]]:
    height, width = luma.shape
    rows, columns = (
        np.linspace(0, end, count + 1).round().astype(int)
        for end, count in ((_ROWS * _CELL_HEIGHT * height, _ROWS), (width, _COLUMNS))
    )
    return [
        (slice(rows[row], rows[row + 1]), slice(columns[column], columns[column + 1]))
        for row in range(_ROWS)
        for column in range(_COLUMNS)
    ]


def _inner(cell: slice) -> slice:
    margin = int((cell.stop - cell.start) * _MARGIN)
    return slice(cell.start + margin, cell.stop - margin)
