"""Smoothing without motion: a share of the last output, wherever things went. It lags; it is cheap."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.frame import Frame, Pixels
from vidgan.smoothing.relation import Relation, relate

_PAST = 0.6
"""Share of the past at full strength."""


class BlendSmoother:
    """See :class:`vidgan.smoothing.Smoother`."""

    def __init__(self, strength: float = 1.0) -> None:
        self.state: NDArray[np.float32] | None = None
        self._share = _PAST * strength

    def relate(self, before: Pixels, now: Pixels) -> Relation:
        return relate(before, now)

    def smooth(self, painted: Frame, relation: Relation | None) -> Frame:
        now = painted.pixels.astype(np.float32)
        if relation is None or relation.cut or self.state is None or self.state.shape != now.shape:
            self.state = now
            return painted
        self.state = np.asarray(cv2.addWeighted(self.state, self._share, now, 1 - self._share, 0), np.float32)
        return painted.with_pixels(np.asarray(cv2.convertScaleAbs(self.state), np.uint8))
