"""Smoothing of colours alone, where what is light and dark is the film's own."""

import cv2
import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.media.optical_flow import fetch
from vidgan.media.yuv import Plane
from vidgan.tasks.effects.colorize import in_colour, lightness_of
from vidgan.temporal.filter import State
from vidgan.temporal.flow import as_bytes, mix, moved_along, share_of_past
from vidgan.temporal.motion import Relation


class ChromaSmoother:
    """See :class:`vidgan.temporal.Smoother`; along the motion. Lightness, or luma, stays to the bit.

    Its state: both planes of chroma at half the size, ``(H/2, W/2, 2)``, of Y'CbCr where frames come as
    planes and of Lab where they do not, and of how many painted frames each place is the mean.
    """

    def __init__(self, strength: float = 1.0) -> None:
        self.state: State | None = None
        self._strength = strength

    def smooth(self, painted: Frame, relation: Relation | None) -> Frame:
        now = _chroma(painted).astype(np.float32)
        if relation is None or relation.cut or self.state is None or self.state[0].shape != now.shape:
            self.state = now, np.ones((1, 1), np.float32)
            return painted
        past, frames = self.state
        everywhere = np.ascontiguousarray(np.broadcast_to(frames, relation.still.shape))
        share = share_of_past(relation, fetch(everywhere, relation.flow), self._strength)
        smooth = mix(moved_along(past, relation), now, share)
        self.state = smooth, np.asarray(1 / (1 - share), np.float32)
        return _with_chroma(painted, as_bytes(smooth))


def _chroma(frame: Frame) -> Plane:
    if isinstance(frame.image, YuvImage):
        return frame.image.yuv().chroma
    height, width = frame.pixels.shape[:2]
    chroma = np.ascontiguousarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2Lab)[:, :, 1:])
    size = (width + 1) // 2, (height + 1) // 2
    return np.asarray(cv2.resize(chroma, size, interpolation=cv2.INTER_AREA), np.uint8)


def _with_chroma(frame: Frame, chroma: Plane) -> Frame:
    if isinstance(frame.image, YuvImage):
        return frame.with_image(YuvImage(frame.image.luma, chroma))
    return frame.with_pixels(in_colour(lightness_of(frame.pixels), chroma))
