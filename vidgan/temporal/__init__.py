"""Temporal smoothers: what was painted where an object stood a moment ago steadies what is painted now.

A smoother works behind any effect that keeps the size of frames. Smoothing has two halves.
:func:`vidgan.temporal.motion.relate` looks at two frames of the *source*; it keeps nothing, so that
several pairs can be looked at at a time. A smoother's ``smooth`` goes through the painted frames in
their order and keeps its state.
"""

from collections.abc import Callable
from typing import Literal

from vidgan.temporal.blend import BlendSmoother
from vidgan.temporal.filter import Smoother
from vidgan.temporal.flow import FlowSmoother
from vidgan.temporal.look_ahead import LookAhead

Smooth = Literal["off", "blend", "flow"]

SMOOTHERS: dict[str, Callable[[float], Smoother]] = {"blend": BlendSmoother, "flow": FlowSmoother}


def open_smoother(kind: Smooth, *, strength: float) -> Smoother | None:
    """The smoother of that kind, or None for ``"off"``.

    Args:
        strength: 0 (frames stay as they are) to 1.
    """
    return None if kind == "off" or strength == 0 else SMOOTHERS[kind](strength)


def open_look_ahead(kind: Smooth, *, strength: float, frames: int) -> LookAhead | None:
    """What looks that many frames ahead with such a smoother, or None where there is nothing to do."""
    if kind == "off" or strength == 0 or frames == 0:
        return None
    return LookAhead(frames, lambda: SMOOTHERS[kind](strength))
