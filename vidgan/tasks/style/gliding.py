"""A temporal filter that keeps up with styles that follow each other.

The past that a filter mixes in is of the style before, wherever it stands for long: a still place is the mean of some
forty frames. While the weights of styles change, a filter takes that for a change of light, by which it bounds its lag.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from vidgan.media.frame import Frame
from vidgan.temporal.filter import State, TemporalFilter
from vidgan.temporal.motion import MotionEstimate

_DIFFERENCE = 64.0
"""Luma levels by which two styles differ, about; starry and wave by 47 on average."""

Weights = Callable[[float], Sequence[float]]
"""Shares of the styles, by seconds of the frames."""


class GlidingFilter:
    """See :class:`vidgan.temporal.TemporalFilter`; its state is that of the filter inside.

    Args:
        inner: the filter.
        weights: of the styles that the frames show.
        frame_seconds: duration of a frame that does not say it.
    """

    def __init__(self, inner: TemporalFilter, weights: Weights, frame_seconds: float) -> None:
        self._inner, self._weights, self._frame_seconds = inner, weights, frame_seconds

    @property
    def state(self) -> State | None:
        return self._inner.state

    @state.setter
    def state(self, state: State | None) -> None:
        self._inner.state = state

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        change = 0.0 if motion is None else _DIFFERENCE * self._change(frame)
        if motion is not None and change > 0:
            faster = np.maximum(motion.brightness_change, np.float32(change))
            motion = replace(motion, brightness_change=faster)
        return self._inner.apply(frame, motion)

    def _change(self, frame: Frame) -> float:
        """Share of the styles that the frames before or after this one show instead, 0 to 1."""
        step = float(frame.duration * frame.time_base) if frame.duration else self._frame_seconds
        now = np.array(self._weights(frame.pts_seconds))
        around = (self._weights(frame.pts_seconds + offset) for offset in (-step, step))
        return max(float(np.abs(now - np.array(each)).sum()) / 2 for each in around)
