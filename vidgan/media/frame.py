"""What travels through a pipeline: a frame, and what is known of the stream it belongs to."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""RGB, ``(height, width, 3)`` uint8, C-contiguous."""

Alpha = NDArray[np.uint8]
"""Opacity, ``(height, width)`` uint8: 0 is transparent, 255 opaque."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture and its place in time.

    Attributes:
        pixels: RGB, ``(height, width, 3)`` uint8, upright (rotation already applied).
        pts: presentation time in units of ``time_base``, as FFmpeg means it; may be negative.
        time_base: seconds per unit of ``pts``.
        duration: in units of ``time_base``; 0 if unknown.
        alpha: where the picture is transparent; its colours are not multiplied by it. None: nowhere.

    Raises:
        ValueError: ``pixels`` is not of that shape and type.
    """

    pixels: Pixels
    pts: int
    time_base: Fraction
    duration: int = 0
    alpha: Alpha | None = None

    def __post_init__(self) -> None:
        shape, dtype = self.pixels.shape, self.pixels.dtype
        if len(shape) != 3 or shape[2] != 3 or dtype != np.uint8:
            raise ValueError(f"pixels must be (height, width, 3) uint8, got {shape} {dtype}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def pts_seconds(self) -> float:
        return float(self.pts * self.time_base)

    def with_pixels(self, pixels: Pixels) -> "Frame":
        """The same moment with another picture."""
        return Frame(
            pixels=pixels,
            pts=self.pts,
            time_base=self.time_base,
            duration=self.duration,
            alpha=self.alpha,
        )

    def at(self, pts: int, *, time_base: Fraction | None = None, duration: int | None = None) -> "Frame":
        """The same picture at another time; what is not given stays."""
        return replace(
            self,
            pts=pts,
            time_base=self.time_base if time_base is None else time_base,
            duration=self.duration if duration is None else duration,
        )

    def upon_black(self) -> "Frame":
        """Without alpha: what is transparent becomes dark."""
        if self.alpha is None:
            return self
        shown = (self.pixels.astype(np.uint16) * self.alpha[..., np.newaxis] + 127) // 255
        return replace(self.with_pixels(shown.astype(np.uint8)), alpha=None)

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
    """Geometry, timing and colour of a stream of frames.

    Attributes:
        width, height: pixels of the frames as they leave the source, upright.
        time_base: seconds per unit of the frames' ``pts``.
        frame_rate: average frames per second, or None for a picture.
        frame_count: as the container tells it, or None; an estimate, for progress only.
        sample_aspect_ratio: width of a pixel over its height.
        color: the tags of the stream.
        bit_depth: bits per component in the file; frames are 8 bit here.
        alpha: whether the frames have one.
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
