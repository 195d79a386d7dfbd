"""Smoothing along the motion of the source.

After Ruder et al. 2016 ("Artistic Style Transfer for Videos") and Lai et al. 2018, without a network:
the last output, moved as the source moved, is mixed into the painted frame where that motion can be
trusted. What stands still is mixed more than what moves, because nothing is lost there.

Means of strokes that do not quite meet are softer than strokes. So the contrast of detail is lifted
to what it is in the painted frame, region by region, in what is shown; what is remembered stays plain.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.flow import fetch
from vidgan.frame import Frame, Pixels
from vidgan.smoothing.relation import Relation, relate

_MOVING = 0.85
_STANDING = 0.975
"""Share of the past at full strength."""

_WINDOW = 5, 5
"""Pixels around one whose mean is not detail."""

_REGION = 4
"""Detail is compared in regions of 2 to the power of this many pixels' side."""

_LAG = 4.0
"""Grey levels of the source by which the output may lag when the light changes."""

_LEAST_DETAIL = 0.5
"""Grey levels of detail by which both are taken to have more: there is nothing to lift in a void."""

_WANTED = 1.05
"""Of the painted frame's detail. A little more than all, since only the finest can be lifted."""

_MOST_LIFT = 2.0
"""Detail is never more than doubled."""


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
        moved = _moved(self.state, relation)
        share = cv2.resize(self._share(relation), now.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        self.state = np.asarray(cv2.blendLinear(moved, now, share, 1 - share), np.float32)
        return painted.with_pixels(_lift_detail(self.state, painted.pixels))

    def _share(self, relation: Relation) -> NDArray[np.float32]:
        """Of the past, at the size of the relation."""
        share = np.where(relation.still, _STANDING, _MOVING).astype(np.float32)
        # What changes by c a frame and is mixed with a share s of the past lags by c s / (1 - s).
        np.minimum(share, _LAG / (_LAG + relation.change), out=share)
        return self._strength * share * relation.trust


def _moved(state: NDArray[np.float32], relation: Relation) -> NDArray[np.float32]:
    """The last output where its objects stand now. Cubic: linear would soften it again and again."""
    height, width = state.shape[:2]
    small_height, small_width = relation.flow.shape[:2]
    scale = np.array([width / small_width, height / small_height], np.float32)
    flow = cv2.resize(relation.flow * scale, (width, height), interpolation=cv2.INTER_LINEAR)
    return fetch(state, np.asarray(flow, np.float32), cv2.INTER_CUBIC)


def _lift_detail(smooth: NDArray[np.float32], painted: Pixels) -> Pixels:
    """``smooth`` with as much detail as ``painted``, region by region; ``(H, W, 3)`` uint8."""
    shown = np.asarray(cv2.convertScaleAbs(cv2.max(smooth, 0.0)), np.uint8)
    lift = np.clip(_WANTED * _detail(painted) / _detail(shown), 1, _MOST_LIFT)
    lift = cv2.resize(lift, shown.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.blendLinear(shown, cv2.blur(shown, _WINDOW), lift, 1 - lift), np.uint8)


def _detail(pixels: Pixels) -> NDArray[np.float32]:
    """Grey levels by which pixels differ from the mean around them, one number a region."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    difference = cv2.absdiff(grey, cv2.blur(grey, _WINDOW))
    for _ in range(_REGION):
        height, width = difference.shape
        size = max(1, width // 2), max(1, height // 2)
        difference = cv2.resize(difference, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(difference.astype(np.float32), (3, 3)) + _LEAST_DETAIL, np.float32)
