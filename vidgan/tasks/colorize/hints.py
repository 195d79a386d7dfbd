"""Color hints: colors that the user sets at places of a frame, which spread over what is around them.

Chrominance blending (Yatziv and Sapiro 2006): the shorter the way to a hint, the more its color counts, and a way
across edges is long. Between frames the hints move along the optical flow.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError
from vidgan.tasks.colorize.lab import Lightness, shrunk, size_of_side

Floats = NDArray[np.float32]

MAX_HINTS = 32

_SIDE = 192
"""Shorter side of the planes on which ways are measured."""
_EDGE = 10.0
"""Difference of neighboring lightness or chroma, in bytes, that is as long a way as the longest that counts."""
_FAR = 2.0
"""The same of a way without edges, in shorter sides."""
_SHARPNESS = 4
"""Power of the way: a hint counts evenly up to half of the longest way, then drops."""
_ROUNDS = 12
"""Most turns of a way, in sweeps from all four sides."""
_SMALL_WAY = 1e-3

_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_TEXT = re.compile(rf"(?:({_NUMBER})s[:,])?({_NUMBER})(%?)[,:]({_NUMBER})(%?)=#?([0-9a-fA-F]{{6}})", re.ASCII)


@dataclass(frozen=True)
class Hint:
    """A color at a place of one frame.

    Attributes:
        x, y: pixels, or percent of the width and height.
        color: RGB, 0 to 255.
        in_percent: what x and y are.
        seconds: of the input, when the place is meant; None for the first frame.
    """

    x: float
    y: float
    color: tuple[int, int, int]
    in_percent: bool = False
    seconds: float | None = None

    def __str__(self) -> str:
        time = "" if self.seconds is None else f"{self.seconds:.6g}s:"
        unit = "%" if self.in_percent else ""
        color = "".join(f"{each:02x}" for each in self.color)
        return f"{time}{self.x:.10g}{unit},{self.y:.10g}{unit}=#{color}"

    def place(self, width: int, height: int) -> tuple[float, float]:
        """x and y as shares of the width and height, 0 to 1.

        Raises:
            InputError: the place is outside of the frame.
        """
        middle = ((self.x + 0.5) / width, (self.y + 0.5) / height)
        place = (self.x / 100, self.y / 100) if self.in_percent else middle
        if max(place) > 1:
            raise InputError(f"hint {self}: is outside of the frame of {width}x{height}")
        return place

    @property
    def chroma(self) -> tuple[int, int]:
        """a and b of CIE Lab, plus 128."""
        pixel = np.array([[self.color]], np.uint8)
        _, a, b = cv2.cvtColor(pixel, cv2.COLOR_RGB2Lab)[0, 0].tolist()
        return a, b


def parse_hint(text: str) -> Hint:
    """A hint from ``X,Y=#RRGGBB`` or ``SECONDSs:X,Y=#RRGGBB``; x and y in pixels, or with ``%``.

    A colon may stand for the comma, since commas separate the options of a step of a chain.

    Raises:
        ValueError: it is none.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None or found[3] != found[5]:
        raise ValueError(f"{text!r} is no hint X,Y=#RRGGBB, as in 120,80=#c08060 or 12.5s:30%,40%=#c08060")
    color = tuple(bytes.fromhex(found[6]))
    assert len(color) == 3
    seconds = None if found[1] is None else float(found[1])
    return Hint(float(found[2]), float(found[4]), color, in_percent=bool(found[3]), seconds=seconds)


def hints_of(value: Any) -> tuple[Hint, ...]:
    """Hints from texts or hints; one may come without a list around it.

    Raises:
        ValueError, TypeError: they are none, or too many.
    """
    given = [value] if isinstance(value, str | Hint) else list(value)
    hints = tuple(each if isinstance(each, Hint) else parse_hint(each) for each in given)
    if len(hints) > MAX_HINTS:
        raise ValueError(f"{len(hints)} hints; {MAX_HINTS} are the most")
    return hints


@dataclass(frozen=True)
class Spread:
    """The effect of hints on a frame, at a small size.

    Attributes:
        share: of the hints' colors, 0 to 1, ``(h, w)``.
        chroma: the hints' chroma, mixed, ``(h, w, 2)`` in bytes as float32.
    """

    share: Floats
    chroma: Floats


def spread(
    lightness: Lightness,
    chroma: NDArray[np.uint8],
    places: Sequence[tuple[float, float]],
    colors: Sequence[tuple[int, int]],
) -> Spread:
    """Spreads colors from their places.

    Args:
        lightness: of the frame, ``(H, W)``.
        chroma: of the frame, of any color space that has two planes of chroma, and of any size.
        places: x and y, 0 to 1.
        colors: chroma at each place.
    """
    size = size_of_side(lightness.shape, _SIDE)
    planes = np.dstack([shrunk(lightness, size), cv2.resize(chroma, size, interpolation=cv2.INTER_AREA)])
    # Texture is no edge.
    smooth = cv2.bilateralFilter(np.asarray(planes, np.uint8), 7, 20, 3).astype(np.float32)
    ways = ways_from(smooth, places)
    share = np.exp(-(ways.min(0) ** _SHARPNESS))
    nearness = 1 / np.maximum(ways, _SMALL_WAY) ** _SHARPNESS
    nearness /= nearness.sum(0)
    mixed = np.tensordot(nearness, np.array(colors, np.float32), (0, 0))
    return Spread(np.asarray(share, np.float32), np.asarray(mixed, np.float32))


def ways_from(planes: Floats, places: Sequence[tuple[float, float]]) -> Floats:
    """Length of the shortest way from each place to every pixel (geodesic distance); 1 is the longest that counts.

    Args:
        planes: what has edges, ``(h, w, C)`` in bytes.
        places: x and y, 0 to 1.
    """
    height, width = planes.shape[:2]
    plain = 1 / (_FAR * min(height, width))
    down, right = (plain + (np.diff(planes, axis=axis) ** 2).sum(2) / np.float32(_EDGE**2) for axis in (0, 1))
    ways = np.full((len(places), height, width), np.inf, np.float32)
    for way, (x, y) in zip(ways, places, strict=True):
        way[min(height - 1, int(y * height)), min(width - 1, int(x * width))] = 0
    for _ in range(_ROUNDS):
        before = ways
        ways = _swept(_swept(ways, right, 2), down, 1)
        if np.allclose(before, ways, atol=_SMALL_WAY):
            break
    return ways


def _swept(ways: Floats, steps: Floats, axis: int) -> Floats:
    """Ways that may go on along one axis, there and back.

    Along a line, going on from x to y costs the difference of the sums of all steps up to each of them.
    """
    sums = np.zeros((1, *ways.shape[1:]), np.float32)
    np.cumsum(steps, axis=axis - 1, out=sums[0, 1:] if axis == 1 else sums[0, :, 1:])
    forward = sums + np.minimum.accumulate(ways - sums, axis=axis)
    backward = np.flip(np.minimum.accumulate(np.flip(ways + sums, axis), axis=axis), axis) - sums
    return np.asarray(np.minimum(np.minimum(forward, backward), ways), np.float32)
