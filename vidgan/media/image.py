"""Images of a frame: RGB, or luma and subsampled chroma as video streams have them.

Both kinds offer the same operations, so that code which does not care about the kind need not ask for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.yuv import (
    FULL,
    FULL_RANGE_CHROMA,
    FULL_RANGE_LUMA,
    LIMITED,
    Plane,
    bt601_from_bt709,
    bt709_from_bt601,
    to_center,
    to_left,
)

Pixels = NDArray[np.uint8]
"""RGB, ``(H, W, 3)`` uint8, C-contiguous."""

ChromaLocation = Literal["left", "center"]
"""Where a chroma sample lies beside its luma samples horizontally, as FFmpeg's ``chroma_location``."""

Resample = Callable[[Plane, tuple[int, int]], Plane]
"""Brings a plane, ``(H, W)`` or ``(H, W, C)`` uint8, to a width and height."""


class Image(Protocol):
    """An 8-bit image, upright."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    @property
    def pixels(self) -> Pixels:
        """RGB, ``(H, W, 3)`` uint8."""
        ...

    def yuv(self) -> "YuvImage":
        """The image as luma and chroma, chroma centered."""
        ...

    def as_yuv(self) -> "YuvImage":
        """The image as luma and chroma, with the chroma location that it has."""
        ...

    @property
    def luma(self) -> Plane:
        """Luma of BT.601 at full range, ``(H, W)`` uint8."""
        ...

    def with_added_luma(self, difference: NDArray[np.int16]) -> Self:
        """The image with a difference added to its luma, ``(H, W)``, saturated; R, G and B change alike."""
        ...

    def resample(self, to_size: Resample, size: tuple[int, int]) -> Self:
        """The image with each plane brought to a width and height; those of chroma are half, rounded up."""
        ...

    def resized(self, size: tuple[int, int]) -> Self:
        """The image at another size, averaged over the area of each pixel; chroma is centered."""
        ...

    def resized_pixels(self, size: tuple[int, int]) -> Pixels:
        """RGB of another size, averaged; luma and chroma are reduced before they become RGB."""
        ...

    def beside(self, other: "Image") -> Self:
        """Both images in one of twice the width, this one on the left; they have one size.

        Luma and chroma need an even width, so that chroma of both is half as wide.
        """
        ...

    def shrunk_luma(self, factor: int) -> Plane:
        """Luma, ``(H // factor, W // factor)`` uint8, averaged over squares of ``factor`` pixels.

        Pixels beyond the last whole square are left out.
        """
        ...

    def blend(self, other: "Image", weight: float) -> Self:
        """``weight`` of this image and ``1 - weight`` of another one of the same size."""
        ...

    def with_chroma_of(self, other: "Image") -> Self:
        """Luma of this image with the chroma of another one of the same size.

        Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", luminance-only transfer.
        """
        ...


@dataclass(frozen=True, eq=False)
class RgbImage:
    """RGB.

    Attributes:
        pixels: ``(H, W, 3)`` uint8, C-contiguous.

    Raises:
        ValueError: ``pixels`` has another shape or type.
    """

    pixels: Pixels

    def __post_init__(self) -> None:
        shape, dtype = self.pixels.shape, self.pixels.dtype
        if len(shape) != 3 or shape[2] != 3 or dtype != np.uint8:
            raise ValueError(f"pixels must be (height, width, 3) uint8, got {shape} {dtype}")

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.pixels.shape[:2]
        return width, height

    def yuv(self) -> "YuvImage":
        return YuvImage.from_rgb(self.pixels)

    def as_yuv(self) -> "YuvImage":
        return self.yuv()

    @property
    def luma(self) -> Plane:
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY), np.uint8)

    def with_added_luma(self, difference: NDArray[np.int16]) -> Self:
        return replace(self, pixels=_sum(self.pixels, cv2.merge([difference] * 3)))

    def resample(self, to_size: Resample, size: tuple[int, int]) -> Self:
        return replace(self, pixels=to_size(self.pixels, size))

    def resized(self, size: tuple[int, int]) -> Self:
        return self.resample(_averaged, size)

    def resized_pixels(self, size: tuple[int, int]) -> Pixels:
        return _averaged(self.pixels, size)

    def beside(self, other: Image) -> Self:
        return replace(self, pixels=np.hstack([self.pixels, other.pixels]))

    def shrunk_luma(self, factor: int) -> Plane:
        return np.asarray(cv2.cvtColor(_shrunk(self.pixels, factor), cv2.COLOR_RGB2GRAY), np.uint8)

    def blend(self, other: Image, weight: float) -> Self:
        return replace(self, pixels=_weighted_sum(self.pixels, other.pixels, weight))

    def with_chroma_of(self, other: Image) -> Self:
        ycrcb = cv2.cvtColor(other.pixels, cv2.COLOR_RGB2YCrCb)
        cv2.insertChannel(cv2.extractChannel(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2YCrCb), 0), ycrcb, 0)
        return replace(self, pixels=np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8))


@dataclass(frozen=True, eq=False)
class YuvImage:
    """Y'CbCr 4:2:0 of BT.601 at full range, 0 to 255.

    It becomes RGB only when somebody asks for its pixels.

    Attributes:
        luma: ``(H, W)`` uint8.
        chroma: Cr and Cb at half the size, rounded up, ``(ceil(H/2), ceil(W/2), 2)`` uint8.
        chroma_location: H.264 and most streams have ``"left"``, JPEG has ``"center"``.

    Raises:
        ValueError: a plane has another shape or type.
    """

    luma: Plane
    chroma: Plane
    chroma_location: ChromaLocation = "center"

    def __post_init__(self) -> None:
        height, width = self.luma.shape
        expected = ((height + 1) // 2, (width + 1) // 2, 2)
        if self.chroma.shape != expected or self.luma.dtype != np.uint8 or self.chroma.dtype != np.uint8:
            raise ValueError(
                f"chroma of {width}x{height} must be {expected} uint8, got {self.chroma.shape} {self.chroma.dtype}"
            )

    @classmethod
    def from_rgb(cls, pixels: Pixels) -> Self:
        """Converts RGB, ``(H, W, 3)`` uint8."""
        height, width = pixels.shape[:2]
        size = (width + 1) // 2, (height + 1) // 2
        half = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        chroma = cv2.cvtColor(half, cv2.COLOR_RGB2YCrCb)[:, :, 1:]
        return cls(np.asarray(luma, np.uint8), np.ascontiguousarray(chroma, np.uint8))

    @classmethod
    def from_yuv420(
        cls,
        luma: Plane,
        cb: Plane,
        cr: Plane,
        *,
        full_range: bool,
        bt709: bool,
        chroma_location: ChromaLocation,
    ) -> Self:
        """Converts planes as streams have them; the inverse of :meth:`to_yuv420`."""
        if bt709:
            coded = FULL if full_range else LIMITED
            luma, cr, cb = bt601_from_bt709(luma, cr, cb, coded, left=chroma_location == "left")
        elif not full_range:
            luma = np.asarray(cv2.LUT(luma, FULL_RANGE_LUMA), np.uint8)
            cr, cb = (np.asarray(cv2.LUT(each, FULL_RANGE_CHROMA), np.uint8) for each in (cr, cb))
        return cls(luma, np.asarray(cv2.merge([cr, cb]), np.uint8), chroma_location)

    def to_yuv420(
        self, *, full_range: bool, bt709: bool, chroma_location: ChromaLocation
    ) -> tuple[Plane, Plane, Plane]:
        """Luma, Cb and Cr as streams have them.

        Args:
            full_range: 0 to 255; otherwise luma is 16 to 235 and chroma 16 to 240.
            bt709: matrix of BT.709; otherwise of BT.601.
            chroma_location: of the result.
        """
        luma = self.luma
        cr, cb = (np.asarray(each, np.uint8) for each in cv2.split(self.chroma))
        if bt709:
            coded = FULL if full_range else LIMITED
            luma, cr, cb = bt709_from_bt601(luma, cr, cb, coded, left=self.chroma_location == "left")
        elif not full_range:
            luma = np.asarray(cv2.convertScaleAbs(luma, alpha=219 / 255, beta=16), np.uint8)
            shift = 128 - 128 * 224 / 255
            cr, cb = (
                np.asarray(cv2.convertScaleAbs(each, alpha=224 / 255, beta=shift), np.uint8)
                for each in (cr, cb)
            )
        if chroma_location != self.chroma_location:
            move = to_left if chroma_location == "left" else to_center
            cr, cb = (move(each) for each in (cr, cb))
        return luma, cb, cr

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.luma.shape
        return width, height

    @cached_property
    def pixels(self) -> Pixels:
        chroma = self.yuv().chroma
        full = [cv2.resize(each, self.size, interpolation=cv2.INTER_LINEAR) for each in cv2.split(chroma)]
        return np.asarray(cv2.cvtColor(cv2.merge([self.luma, *full]), cv2.COLOR_YCrCb2RGB), np.uint8)

    def yuv(self) -> "YuvImage":
        return YuvImage(self.luma, to_center(self.chroma)) if self.chroma_location == "left" else self

    def as_yuv(self) -> "YuvImage":
        return self

    def with_added_luma(self, difference: NDArray[np.int16]) -> Self:
        return replace(self, luma=_sum(self.luma, difference))

    def resample(self, to_size: Resample, size: tuple[int, int]) -> Self:
        half = (size[0] + 1) // 2, (size[1] + 1) // 2
        return replace(self, luma=to_size(self.luma, size), chroma=to_size(self.chroma, half))

    def resized(self, size: tuple[int, int]) -> Self:
        centered = replace(self, chroma=self.yuv().chroma, chroma_location="center")
        return centered.resample(_averaged, size)

    def resized_pixels(self, size: tuple[int, int]) -> Pixels:
        larger = self.chroma.shape[1] < size[0]
        chroma = cv2.resize(self.chroma, size, interpolation=cv2.INTER_LINEAR if larger else cv2.INTER_AREA)
        # Three times as fast as NumPy's dstack.
        ycrcb = np.empty((size[1], size[0], 3), np.uint8)
        cv2.mixChannels([_averaged(self.luma, size), chroma], [ycrcb], [0, 0, 1, 1, 2, 2])
        return np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8)

    def beside(self, other: Image) -> Self:
        one, two = self.yuv(), other.yuv()
        luma, chroma = np.hstack([one.luma, two.luma]), np.hstack([one.chroma, two.chroma])
        return replace(self, luma=luma, chroma=chroma, chroma_location="center")

    def shrunk_luma(self, factor: int) -> Plane:
        return _shrunk(self.luma, factor)

    def subsample(self, step: int) -> Pixels:
        """Every ``step``-th pixel of every ``step``-th row, RGB."""
        luma = self.luma[::step, ::step]
        rows, columns = (np.arange(count) * step // 2 for count in luma.shape)
        ycrcb = np.dstack([luma, self.chroma[rows[:, np.newaxis], columns]])
        return np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8)

    def blend(self, other: Image, weight: float) -> Self:
        one, two = self.as_yuv(), other.as_yuv()
        if one.chroma_location != two.chroma_location:
            one, two = one.yuv(), two.yuv()
        return replace(
            self,
            luma=_weighted_sum(one.luma, two.luma, weight),
            chroma=_weighted_sum(one.chroma, two.chroma, weight),
            chroma_location=one.chroma_location,
        )

    def with_chroma_of(self, other: Image) -> Self:
        source = other.as_yuv()
        return replace(self, chroma=source.chroma, chroma_location=source.chroma_location)


def _weighted_sum(one: Plane, two: Plane, weight: float) -> Plane:
    return np.asarray(cv2.addWeighted(one, weight, two, 1 - weight, 0), np.uint8)


def _sum(values: Plane, difference: NDArray[np.int16]) -> Plane:
    return np.asarray(cv2.add(values, difference, dtype=cv2.CV_8U), np.uint8)


def _averaged(values: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shrunk(values: Plane, factor: int) -> Plane:
    height, width = values.shape[:2]
    rows, columns = max(1, height // factor), max(1, width // factor)
    # Averages over whole pixels take OpenCV a tenth of the time of any other ratio.
    whole = values[: rows * factor, : columns * factor]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
