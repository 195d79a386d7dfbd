"""Smoothing without motion: a share of the last output, wherever things went. It lags; it is cheap."""

import cv2
import numpy as np

from vidgan.media.frame import Frame
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate

_PAST = 0.6
"""Share of the past at full strength."""


class BlendFilter:
    """See :class:`vidgan.temporal.TemporalFilter`. Its state: the last image, RGB ``(H, W, 3)``."""

    def __init__(self, strength: float = 1.0) -> None:
        self.state: State | None = None
        self._share = _PAST * strength

    def apply(self, output: Frame, motion: MotionEstimate | None) -> Frame:
        now = output.pixels.astype(np.float32)
        if motion is None or motion.scene_cut or self.state is None or self.state[0].shape != now.shape:
            self.state = (now,)
            return output
        mixed = cv2.addWeighted(self.state[0], self._share, now, 1 - self._share, 0)
        self.state = (np.asarray(mixed, np.float32),)
        return output.with_pixels(np.asarray(cv2.convertScaleAbs(mixed), np.uint8))
