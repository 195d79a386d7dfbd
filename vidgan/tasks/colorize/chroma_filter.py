"""Smoothing of chroma along the motion of the source."""

import cv2
import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.media.optical_flow import fetch
from vidgan.media.yuv import Plane
from vidgan.tasks.colorize.lab import lightness_of, with_chroma
from vidgan.temporal.filter import State
from vidgan.temporal.flow import as_bytes, mix, weight_of_past
from vidgan.temporal.motion import MotionEstimate
from vidgan.temporal.warping import Warped


class ChromaFilter:
    """A :class:`vidgan.temporal.filter.TemporalFilter` of chroma along the motion; luma or lightness stays to the bit.

    Its state: chroma at half the size, ``(H/2, W/2, 2)`` float32, of Y'CbCr for frames of luma and chroma and of
    CIE Lab for RGB, and the number of frames that each place is the mean of.
    """

    def __init__(self, strength: float = 1.0) -> None:
        self.state: State | None = None
        self._strength = strength

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        current = half_chroma(frame).astype(np.float32)
        if motion is None or motion.scene_cut or self.state is None or self.state[0].shape != current.shape:
            self.state = current, np.ones((1, 1), np.float32)
            return frame
        previous, frames = self.state
        everywhere = np.ascontiguousarray(np.broadcast_to(frames, motion.static_mask.shape))
        weight = weight_of_past(motion, fetch(everywhere, motion.flow), self._strength)
        smooth = mix(Warped(previous, motion.flow), current, weight)
        self.state = smooth, np.asarray(1 / (1 - weight), np.float32)
        return with_half_chroma(frame, as_bytes(smooth))


def half_chroma(frame: Frame) -> Plane:
    """Chroma at half the size: Cr and Cb of frames of luma and chroma, a and b of CIE Lab plus 128 of RGB."""
    if isinstance(frame.image, YuvImage):
        return frame.image.yuv().chroma
    width, height = frame.size
    chroma = np.ascontiguousarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2Lab)[:, :, 1:])
    size = (width + 1) // 2, (height + 1) // 2
    return np.asarray(cv2.resize(chroma, size, interpolation=cv2.INTER_AREA), np.uint8)


def with_half_chroma(frame: Frame, chroma: Plane) -> Frame:
    """The frame with other chroma, of the kind that :func:`half_chroma` returns."""
    if isinstance(frame.image, YuvImage):
        return frame.with_image(YuvImage(frame.image.luma, chroma))
    return frame.with_pixels(with_chroma(lightness_of(frame.pixels), chroma))
