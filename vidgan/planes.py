"""Pictures as luma and colour, as video has them: smoothed so, and encoded without becoming RGB again."""

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.frame import Alpha, Frame, Pixels

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Planes:
    """Y'CbCr of BT.601 at full range, 0 to 255.

    Attributes:
        luma: ``(H, W)`` uint8.
        chroma: Cr and Cb at half the size, rounded up, ``(H/2, W/2, 2)`` uint8; each lies between the four
            pixels that it belongs to.
    """

    luma: Plane
    chroma: Plane

    @classmethod
    def of(cls, pixels: Pixels) -> "Planes":
        height, width = pixels.shape[:2]
        size = (width + 1) // 2, (height + 1) // 2
        half = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        chroma = cv2.cvtColor(half, cv2.COLOR_RGB2YCrCb)[:, :, 1:]
        return cls(np.asarray(luma, np.uint8), np.asarray(chroma, np.uint8))

    def pixels(self) -> Pixels:
        size = self.luma.shape[::-1]
        large = [cv2.resize(each, size, interpolation=cv2.INTER_LINEAR) for each in cv2.split(self.chroma)]
        return np.asarray(cv2.cvtColor(cv2.merge([self.luma, *large]), cv2.COLOR_YCrCb2RGB), np.uint8)

    def yuv420(self, *, full_range: bool, left: bool) -> tuple[Plane, Plane, Plane]:
        """Luma, Cb and Cr as streams have them.

        Args:
            full_range: 0 to 255, or else luma from 16 to 235 and chroma from 16 to 240.
            left: colour stands where the left of its pixels do, as H.264 has it, instead of between them.
        """
        luma, chroma = self.luma, self.chroma
        if left:
            before = cv2.copyMakeBorder(chroma, 0, 0, 1, 0, cv2.BORDER_REPLICATE)[:, :-1]
            chroma = np.asarray(cv2.addWeighted(chroma, 0.75, before, 0.25, 0), np.uint8)
        if not full_range:
            luma = np.asarray(cv2.convertScaleAbs(luma, alpha=219 / 255, beta=16), np.uint8)
            shift = 128 - 128 * 224 / 255
            chroma = np.asarray(cv2.convertScaleAbs(chroma, alpha=224 / 255, beta=shift), np.uint8)
        return luma, chroma[:, :, 1], chroma[:, :, 0]


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

    def at(self, pts: int, *, time_base: Fraction | None = None, duration: int | None = None) -> Frame:
        return PlanarFrame(
            self.planes,
            pts=pts,
            time_base=self.time_base if time_base is None else time_base,
            duration=self.duration if duration is None else duration,
            alpha=self.alpha,
        )
