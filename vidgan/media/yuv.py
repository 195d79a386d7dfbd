"""Pictures as luma and colour, as video has them: smoothed so, and encoded without becoming RGB again."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Alpha, Frame, Pixels

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Planes:
    """Y'CbCr of BT.601 at full range, 0 to 255.

    Attributes:
        luma: ``(H, W)`` uint8.
        chroma: Cr and Cb at half the size, rounded up, ``(H/2, W/2, 2)`` uint8; each lies between the four
            pixels that it belongs to.
        left: chroma lies where the left of its pixels do, as H.264 has it, instead of between them.
    """

    luma: Plane
    chroma: Plane
    left: bool = False

    @classmethod
    def of(cls, pixels: Pixels) -> "Planes":
        height, width = pixels.shape[:2]
        size = (width + 1) // 2, (height + 1) // 2
        half = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        chroma = cv2.cvtColor(half, cv2.COLOR_RGB2YCrCb)[:, :, 1:]
        return cls(np.asarray(luma, np.uint8), np.ascontiguousarray(chroma, np.uint8))

    @classmethod
    def of_yuv420(
        cls, luma: Plane, blue: Plane, red: Plane, *, full_range: bool, bt709: bool, left: bool
    ) -> "Planes":
        """Of luma, Cb and Cr as streams have them; the inverse of :meth:`yuv420`."""
        if bt709:
            luma, red, blue = _to_bt601(luma, red, blue, _FULL if full_range else _LIMITED, left=left)
        elif not full_range:
            luma = np.asarray(cv2.LUT(luma, _STRETCHED_LUMA), np.uint8)
            red, blue = (np.asarray(cv2.LUT(each, _STRETCHED_CHROMA), np.uint8) for each in (red, blue))
        return cls(luma, np.asarray(cv2.merge([red, blue]), np.uint8), left)

    def pixels(self) -> Pixels:
        size = self.luma.shape[::-1]
        chroma = self.centred().chroma
        large = [cv2.resize(each, size, interpolation=cv2.INTER_LINEAR) for each in cv2.split(chroma)]
        return np.asarray(cv2.cvtColor(cv2.merge([self.luma, *large]), cv2.COLOR_YCrCb2RGB), np.uint8)

    def sparse(self, step: int) -> Pixels:
        """One pixel in so many of each row and column, RGB."""
        luma = self.luma[::step, ::step]
        rows, columns = (np.arange(count) * step // 2 for count in luma.shape)
        ycrcb = np.dstack([luma, self.chroma[rows[:, np.newaxis], columns]])
        return np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8)

    def centred(self) -> "Planes":
        """With chroma between its pixels."""
        return Planes(self.luma, _from_left(self.chroma)) if self.left else self

    def mixed(self, other: "Planes", share: float) -> "Planes":
        """``share`` of these, the rest of others of that size."""
        one, two = (self, other) if self.left == other.left else (self.centred(), other.centred())
        luma = cv2.addWeighted(one.luma, share, two.luma, 1 - share, 0)
        chroma = cv2.addWeighted(one.chroma, share, two.chroma, 1 - share, 0)
        return Planes(np.asarray(luma, np.uint8), np.asarray(chroma, np.uint8), one.left)

    def yuv420(self, *, full_range: bool, bt709: bool, left: bool) -> tuple[Plane, Plane, Plane]:
        """Luma, Cb and Cr as streams have them.

        Args:
            full_range: 0 to 255, or else luma from 16 to 235 and chroma from 16 to 240.
            bt709: in the matrix of BT.709, or else of BT.601.
            left: where chroma is wanted, see above.
        """
        luma = self.luma
        red, blue = (np.asarray(each, np.uint8) for each in cv2.split(self.chroma))
        if bt709:
            luma, red, blue = _to_bt709(luma, red, blue, _FULL if full_range else _LIMITED, left=self.left)
        elif not full_range:
            luma = np.asarray(cv2.convertScaleAbs(luma, alpha=219 / 255, beta=16), np.uint8)
            shift = 128 - 128 * 224 / 255
            red, blue = (
                np.asarray(cv2.convertScaleAbs(each, alpha=224 / 255, beta=shift), np.uint8)
                for each in (red, blue)
            )
        if left != self.left:
            red, blue = ((_to_left if left else _from_left)(each) for each in (red, blue))
        return luma, blue, red


def _to_left(chroma: Plane) -> Plane:
    """What lies between the pixels, at the left of them."""
    before = cv2.copyMakeBorder(chroma, 0, 0, 1, 0, cv2.BORDER_REPLICATE)[:, :-1]
    return np.asarray(cv2.addWeighted(chroma, 0.75, before, 0.25, 0), np.uint8)


def _from_left(chroma: Plane) -> Plane:
    """The other way."""
    after = cv2.copyMakeBorder(chroma, 0, 0, 0, 1, cv2.BORDER_REPLICATE)[:, 1:]
    return np.asarray(cv2.addWeighted(chroma, 0.75, after, 0.25, 0), np.uint8)


def _stretched(first: int, last: int, centre: float) -> Plane:
    """A table from the limited range to the full one."""
    values = (np.arange(256.0) - first) * 255 / (last - first)
    # Chroma has its zero in the middle, at 128 in both ranges.
    values += centre - (centre - first) * 255 / (last - first) if centre else 0
    return np.rint(values).clip(0, 255).astype(np.uint8)


_STRETCHED_LUMA = _stretched(16, 235, 0)
_STRETCHED_CHROMA = _stretched(16, 240, 128)


def _to_rgb(red: float, blue: float) -> NDArray[np.float64]:
    """From Y, Cr, Cb to R, G, B for a matrix of these shares of red and blue in luma."""
    green = 1 - red - blue
    of_red, of_blue = 2 * (1 - red), 2 * (1 - blue)
    return np.array([[1, of_red, 0], [1, -of_red * red / green, -of_blue * blue / green], [1, 0, of_blue]])


_BT601, _BT709 = _to_rgb(0.299, 0.114), _to_rgb(0.2126, 0.0722)
_BT601_OF_BT709 = np.linalg.inv(_BT601) @ _BT709
_BT709_OF_BT601 = np.linalg.inv(_BT709) @ _BT601
"""From Y, Cr, Cb to Y, Cr, Cb. Luma counts 1 for itself, and not at all for chroma: grey is grey."""

_MIDDLE = 128
"""What stands for no difference in bytes."""


class _Range(NamedTuple):
    """What a stream makes of 0 to 255: black, and the steps of luma and of chroma for one of ours."""

    black: float
    luma: float
    chroma: float


_FULL, _LIMITED = _Range(0, 1, 1), _Range(16, 219 / 255, 224 / 255)


def _to_bt601(
    luma: Plane, red: Plane, blue: Plane, coded: _Range, *, left: bool
) -> tuple[Plane, Plane, Plane]:
    """Luma, Cr and Cb of BT.709, coded so, as those of BT.601 at full range."""
    of_luma, of_red, of_blue = _BT601_OF_BT709[:, 1:] / coded.chroma
    added = _enlarged(_weighted(red, blue, of_luma), luma, left=left)
    whole = cv2.addWeighted(luma, 1 / coded.luma, added, 1, -coded.black / coded.luma - _MIDDLE)
    return np.asarray(whole, np.uint8), _weighted(red, blue, of_red), _weighted(red, blue, of_blue)


def _to_bt709(
    luma: Plane, red: Plane, blue: Plane, coded: _Range, *, left: bool
) -> tuple[Plane, Plane, Plane]:
    """The inverse."""
    of_luma, of_red, of_blue = _BT709_OF_BT601[:, 1:]
    added = _enlarged(_weighted(red, blue, of_luma * coded.luma), luma, left=left)
    whole = cv2.addWeighted(luma, coded.luma, added, 1, coded.black - _MIDDLE)
    colours = [_weighted(red, blue, each * coded.chroma) for each in (of_red, of_blue)]
    return np.asarray(whole, np.uint8), colours[0], colours[1]


def _weighted(red: Plane, blue: Plane, shares: NDArray[np.float64]) -> Plane:
    """So much of both, about the middle."""
    offset = _MIDDLE * (1 - float(shares.sum()))
    return np.asarray(cv2.addWeighted(red, shares[0], blue, shares[1], offset), np.uint8)


def _enlarged(chroma: Plane, luma: Plane, *, left: bool) -> Plane:
    between = _from_left(chroma) if left else chroma
    return np.asarray(cv2.resize(between, luma.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


class PlanarFrame(Frame):
    """A frame made of planes, which becomes RGB only when somebody asks for its pixels.

    Args:
        planes: the picture.
        pts, time_base, duration, alpha: as of any frame.
    """

    __slots__ = ("_rgb", "planes")

    planes: Planes
    _rgb: Pixels | None

    def __init__(
        self, planes: Planes, *, pts: int, time_base: Fraction, duration: int = 0, alpha: Alpha | None = None
    ) -> None:
        values = {"planes": planes, "pts": pts, "time_base": time_base, "duration": duration, "alpha": alpha}
        for name, value in {**values, "_rgb": None}.items():
            object.__setattr__(self, name, value)

    @property
    def pixels(self) -> Pixels:
        rgb = self._rgb
        if rgb is None:
            rgb = self.planes.pixels()
            object.__setattr__(self, "_rgb", rgb)
        return rgb

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.planes.luma.shape
        return width, height

    def with_planes(self, planes: Planes) -> "PlanarFrame":
        """The same moment with another picture."""
        return PlanarFrame(
            planes, pts=self.pts, time_base=self.time_base, duration=self.duration, alpha=self.alpha
        )

    def at(self, pts: int, *, time_base: Fraction | None = None, duration: int | None = None) -> Frame:
        return PlanarFrame(
            self.planes,
            pts=pts,
            time_base=self.time_base if time_base is None else time_base,
            duration=self.duration if duration is None else duration,
            alpha=self.alpha,
        )
