"""Smoothing along the motion of the source.

After Ruder et al. 2016 ("Artistic Style Transfer for Videos") and Lai et al. 2018, without a network:
the last output, moved as the source moved, is mixed into the painted frame where that motion can be
trusted. What stands still is mixed much more than what moves, because nothing is lost there: every
interpolation softens a moving picture a little.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.frame import Frame, Pixels
from vidgan.smoothing.relation import Relation, relate

_MOVING = 0.7
_STANDING = 0.95
"""Share of the past at full strength."""


class FlowSmoother:
    """See :class:`vidgan.smoothing.Smoother`."""

    def __init__(self, strength: float = 1.0) -> None:
        self.state: NDArray[np.float32] | None = None
        self._strength = strength

    def relate(self, before: Pixels, now: Pixels) -> Relation:
        return relate(before, now)

    def smooth(self, painted: Frame, relation: Relation | None) -> Frame:
        now = painted.pixels.astype(np.float32)
        if relation is None or relation.cut or self.state is None or self.state.shape != now.shape:
            self.state = now
            return painted
        past, share = self._past(self.state, relation)
        past -= now
        past *= share[..., None]
        now += past
        self.state = now
        return painted.with_pixels(np.asarray(cv2.convertScaleAbs(now), np.uint8))

    def _past(
        self, state: NDArray[np.float32], relation: Relation
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The last output where its objects stand now, and the share that it gets, ``(H, W)``."""
        height, width = state.shape[:2]
        small_height, small_width = relation.trust.shape
        scale = np.array([width / small_width, height / small_height], np.float32)
        moving = np.einsum("yxc,yxc->yx", relation.flow, relation.flow) > 0
        share = self._strength * relation.trust * np.where(moving, _MOVING, _STANDING).astype(np.float32)
        share = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
        flow = cv2.resize(relation.flow * scale, (width, height), interpolation=cv2.INTER_LINEAR)
        flow[..., 0] += np.arange(width, dtype=np.float32)
        flow[..., 1] += np.arange(height, dtype=np.float32)[:, None]
        past = cv2.remap(state, flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(past, np.float32), np.asarray(share, np.float32)
