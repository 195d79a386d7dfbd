"""A frame, and the description of the stream that it belongs to."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Image, Pixels, RgbImage

Alpha = NDArray[np.uint8]
"""Opacity, ``(H, W)`` uint8: 0 is transparent, 255 opaque."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """An image and its place in time.

    Attributes:
        image: RGB, or luma and chroma; upright (rotation already applied).
        pts: presentation time in units of ``time_base``, as FFmpeg means it; may be negative.
        time_base: seconds per unit of ``pts``.
        duration: in units of ``time_base``; 0 if unknown.
        alpha: opacity; the image is not premultiplied. None for an opaque frame.

    Raises:
        ValueError: ``alpha`` has another size than the image, or another type.
    """

    image: Image
    pts: int
    time_base: Fraction
    duration: int = 0
    alpha: Alpha | None = None

    def __post_init__(self) -> None:
        if self.alpha is not None:
            width, height = self.size
            if self.alpha.shape != (height, width) or self.alpha.dtype != np.uint8:
                raise ValueError(
                    f"alpha must be ({height}, {width}) uint8, got {self.alpha.shape} {self.alpha.dtype}"
                )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.size

    @property
    def pixels(self) -> Pixels:
        """RGB, ``(H, W, 3)`` uint8."""
        return self.image.pixels

    @property
    def pts_seconds(self) -> float:
        return float(self.pts * self.time_base)

    def with_image(self, image: Image) -> Self:
        """The same moment with another image of the same size."""
        return replace(self, image=image)

    def with_pixels(self, pixels: Pixels) -> Self:
        """The same moment with other pixels, RGB ``(H, W, 3)`` uint8, of the same size."""
        return replace(self, image=RgbImage(pixels))

    def at(self, pts: int, *, time_base: Fraction | None = None, duration: int | None = None) -> Self:
        """The same image at another time; what is not given stays."""
        return replace(
            self,
            pts=pts,
            time_base=self.time_base if time_base is None else time_base,
            duration=self.duration if duration is None else duration,
        )

    def over_black(self) -> Self:
        """The frame composited over black, opaque."""
        if self.alpha is None:
            return self
        shown = (self.pixels.astype(np.uint16) * self.alpha[..., np.newaxis] + 127) // 255
        return replace(self, image=RgbImage(shown.astype(np.uint8)), alpha=None)

    def __repr__(self) -> str:
        width, height = self.size
        return f"Frame({width}x{height}, pts={self.pts}, time_base={self.time_base})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Color:
    """How Y'CbCr and RGB relate in a stream; FFmpeg's numbers (H.273), 2 is "unspecified".

    Attributes:
        matrix: ``AVColorSpace``.
        full_range: True for 0-255, False for 16-235, None if the stream does not say.
        primaries: ``AVColorPrimaries``.
        transfer: ``AVColorTransferCharacteristic``.
    """

    matrix: int = 2
    full_range: bool | None = None
    primaries: int = 2
    transfer: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """Geometry, timing and color of a stream of frames.

    Attributes:
        width, height: pixels of the frames as they leave the source, upright.
        time_base: seconds per unit of the frames' ``pts``.
        frame_rate: average frames per second, or None for an image.
        frame_count: as the container tells it, or None; an estimate, for progress only.
        sample_aspect_ratio: width of a pixel over its height.
        color: the tags of the stream.
        bit_depth: bits per component in the file; frames are 8 bit here.
        alpha: whether the frames have one.
        loop_count: how often an animated image plays, 0 for ever; None for anything else.
    """

    width: int
    height: int
    time_base: Fraction
    frame_rate: Fraction | None = None
    frame_count: int | None = None
    sample_aspect_ratio: Fraction = Fraction(1)
    color: Color = Color()
    bit_depth: int = 8
    alpha: bool = False
    loop_count: int | None = None
