"""Fast style transfer: a generator trained on one painting repaints each frame."""

from dataclasses import replace

import cv2
import numpy as np

from vidgan.media.frame import Frame, Pixels
from vidgan.media.yuv import PlanarFrame, Planes
from vidgan.session.output_check import Painter


class StyleEffect:
    """Repaints frames.

    Args:
        painter: a model of the task ``style``, as :func:`vidgan.load_style` gives it.
        strength: 0 (the frame as it was) to 1 (all painting).
        preserve_color: keep the frame's own colours and take only light and dark from the painting.

    Raises:
        ValueError: ``strength`` is outside 0 to 1.
    """

    def __init__(self, painter: Painter, *, strength: float = 1.0, preserve_color: bool = False) -> None:
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be between 0 and 1, got {strength}")
        self._painter = painter
        self._strength = strength
        self._preserve_color = preserve_color

    def apply(self, frame: Frame) -> Frame:
        if self._strength == 0:
            return frame
        if isinstance(frame, PlanarFrame) and self._painter.takes_planes:
            return frame.with_planes(self._painted(frame.planes))
        painted: Pixels = self._painter.run(frame.pixels[np.newaxis])[0]
        if self._preserve_color:
            painted = with_color_of(painted, frame.pixels)
        if self._strength < 1:
            blended = cv2.addWeighted(painted, self._strength, frame.pixels, 1 - self._strength, 0)
            painted = np.asarray(blended, np.uint8)
        return frame.with_pixels(painted)

    def _painted(self, planes: Planes) -> Planes:
        painted = self._painter.run_planes(planes)
        if self._preserve_color:
            painted = replace(planes, luma=painted.luma)
        return painted if self._strength == 1 else painted.mixed(planes, self._strength)


def with_color_of(painted: Pixels, original: Pixels) -> Pixels:
    """Luma of ``painted``, chroma of ``original``: both and the result RGB ``(H, W, 3)`` uint8.

    Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", luminance-only transfer.
    """
    ycrcb = cv2.cvtColor(original, cv2.COLOR_RGB2YCrCb)
    cv2.insertChannel(cv2.extractChannel(cv2.cvtColor(painted, cv2.COLOR_RGB2YCrCb), 0), ycrcb, 0)
    return np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8)
