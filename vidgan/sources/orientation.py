"""Display matrices: how a decoded frame has to be flipped and transposed to stand upright."""

import struct
from typing import NamedTuple, TypeVar, cast

import av
import numpy as np
from av.buffer import Buffer
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

_TOLERANCE = 0.02
"""Sine of the angle, one degree, by which a matrix may miss a quarter turn; FFmpeg's own tolerance."""


class Orientation(NamedTuple):
    """One of the eight ways in which a rectangle lies on another, applied in this order.

    Attributes:
        transpose: rows become columns.
        mirror: left and right are swapped.
        flip: top and bottom are swapped.
        exact: False for a matrix that is none of the eight, which is left alone.
    """

    transpose: bool = False
    mirror: bool = False
    flip: bool = False
    exact: bool = True

    @property
    def upright(self) -> bool:
        """Whether nothing has to be done."""
        return not (self.transpose or self.mirror or self.flip)

    def apply(self, pixels: NDArray[Scalar]) -> NDArray[Scalar]:
        """Turns ``(H, W)`` or ``(H, W, C)`` of any type."""
        turned = pixels.swapaxes(0, 1) if self.transpose else pixels
        turned = turned[:, ::-1] if self.mirror else turned
        turned = turned[::-1] if self.flip else turned
        return np.ascontiguousarray(turned)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the result for those of a frame, or the other way round."""
        return (height, width) if self.transpose else (width, height)


UPRIGHT = Orientation()

EXIF = {
    1: UPRIGHT,
    2: Orientation(mirror=True),
    3: Orientation(mirror=True, flip=True),
    4: Orientation(flip=True),
    5: Orientation(transpose=True),
    6: Orientation(transpose=True, mirror=True),
    7: Orientation(transpose=True, mirror=True, flip=True),
    8: Orientation(transpose=True, flip=True),
}
"""By the value of EXIF's tag Orientation, 0x0112."""

_PNG_FORMATS = {
    *("rgb24", "rgba", "gray", "ya8", "pal8", "monob", "monow"),
    *("rgb48be", "rgba64be", "gray16be", "ya16be", "rgb48le", "rgba64le", "gray16le", "ya16le"),
}
"""Formats that PNGs are decoded to."""

_QUARTERS = {0: EXIF[1], 90: EXIF[8], 180: EXIF[3], 270: EXIF[6]}
"""By the angle, counted against the clock."""


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """The orientation that a frame's display matrix asks for.

    To be asked once a stream, not of each frame: PyAV's side data refers to its frame and the frame to it, so that
    frames would stay in memory until the garbage collector runs.
    """
    quarter = _QUARTERS.get(frame.rotation % 360, Orientation(exact=False))
    if frame.format.name in _PNG_FORMATS:
        # PyAV frees the metadata of a PNG's ICC profile twice.
        return quarter
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # Side data of a kind that this PyAV does not know.
        return quarter
    return UPRIGHT if matrix is None else from_matrix(bytes(cast(Buffer, matrix)))


def from_matrix(matrix: bytes) -> Orientation:
    """Reads a display matrix as FFmpeg keeps it, ``a b u c d v x y w`` in 32 bits each.

    A pixel at ``(p, q)`` is shown at ``(a p + c q + x, b p + d q + y)``.
    """
    a, b, _, c, d, _, *_ = struct.unpack("=9i", matrix[:36])
    straight, crossed = max(abs(a), abs(d)), max(abs(b), abs(c))
    if crossed <= _TOLERANCE * straight and a and d:
        return Orientation(mirror=a < 0, flip=d < 0)
    if straight <= _TOLERANCE * crossed and b and c:
        return Orientation(transpose=True, mirror=c < 0, flip=b < 0)
    return Orientation(exact=False)
