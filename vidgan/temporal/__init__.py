"""Temporal filters against flicker: earlier output, moved along the motion of the source, steadies later output.

A filter works behind any effect that keeps the size of frames or scales them. Filtering has two halves.
:func:`vidgan.temporal.motion.estimate_motion` compares two frames of the *source* without state, so several
pairs run in parallel. A filter's ``apply`` goes through the output frames in order and keeps its state.
"""

from collections.abc import Callable
from typing import Literal

from vidgan.temporal.blend import BlendFilter
from vidgan.temporal.filter import TemporalFilter
from vidgan.temporal.flow import FlowFilter
from vidgan.temporal.look_ahead import LookAhead

Smooth = Literal["off", "blend", "flow"]

FILTERS: dict[str, Callable[[float], TemporalFilter]] = {"blend": BlendFilter, "flow": FlowFilter}


def open_filter(kind: Smooth, *, strength: float) -> TemporalFilter | None:
    """The filter of that kind, or None for ``"off"``.

    Args:
        strength: 0 (frames stay as they are) to 1.
    """
    return None if kind == "off" or strength == 0 else FILTERS[kind](strength)


def open_look_ahead(kind: Smooth, *, strength: float, frames: int) -> LookAhead | None:
    """A look-ahead of that many frames with such a filter; None where it has no effect."""
    if kind == "off" or strength == 0 or frames == 0:
        return None
    return LookAhead(frames, lambda: FILTERS[kind](strength))
