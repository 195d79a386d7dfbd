"""One frame after the other, in the look that is wanted at that moment."""

import time
from dataclasses import dataclass

import numpy as np

from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Look
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.session import Session
from vidgan.tasks.style import StyleEffect
from vidgan.temporal import open_filter
from vidgan.temporal.motion import Luma, estimate_motion, flow_luma

_TRIED = 320, 192
_TRIES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame before and after it was painted.

    Attributes:
        source: as it was captured, at the size and as mirrored as it was painted; its ``pts`` is when, see
            :mod:`vidgan.live.clock`.
        painted: the same moment.
        look: how; its style is the one that really painted.
    """

    source: Frame
    painted: Frame
    look: Look


class Brush:
    """Paints frames of one look and one size; what it remembers of the last ones steadies the next.

    Args:
        session: the style.
        look: the rest of it.
    """

    def __init__(self, session: Session, look: Look) -> None:
        self._effect = StyleEffect(session, strength=look.strength, preserve_color=look.preserve_color)
        # What is not painted has no flicker, and would only be blurred.
        kind = look.smooth if look.strength else "off"
        self._smoother = open_filter(kind, strength=1.0)
        self._seen: Luma | None = None
        self._look = look

    def paint(self, frame: Frame) -> Shot:
        painted = self._effect.apply(frame)
        if self._smoother is not None:
            seen = flow_luma(frame)
            motion = None if self._seen is None else estimate_motion(self._seen, seen)
            painted, self._seen = self._smoother.apply(painted, motion), seen
        return Shot(frame, painted, self._look)


def pixel_seconds(session: Session, look: Look) -> float:
    """About what a pixel takes to be painted in that look, found out by painting a small noisy picture."""
    width, height = _TRIED
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    frame = Frame(image=YuvImage.from_rgb(noise), pts=0, time_base=TIME_BASE)
    brush = Brush(session, look)
    seconds = []
    for _ in range(_TRIES):
        started = time.perf_counter()
        brush.paint(frame)
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:]) / (width * height)  # The first has nothing to be compared with.
