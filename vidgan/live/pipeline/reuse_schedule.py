"""Reuse in live video: frames are carried while the generator alone does not hold the frame rate."""

from statistics import median

from vidgan.temporal.reuse import AUTO_INTERVAL, Reuse, interval_of

_FRAMES_PER_DECISION = 15

_OVERLOAD, _SPARE = 0.95, 0.7
"""Load is the time of a generated frame of the full size over the frame period. Reuse begins above the first value and
ends below the second."""


class ReuseSchedule:
    """Decides of how many frames one is generated.

    Args:
        fps: frames per second to hold.
        seconds: estimated time of a generated frame of the full size; 0 if unknown.
    """

    def __init__(self, fps: float, seconds: float = 0.0) -> None:
        self._period = 1 / fps
        self._overloaded = seconds > _OVERLOAD * self._period
        self._seconds: list[float] = []

    def interval(self, reuse: Reuse) -> int:
        """See :meth:`vidgan.live.pipeline.stylizer.LiveStylizer.step`."""
        if reuse == "auto":
            return AUTO_INTERVAL if self._overloaded else 1
        return interval_of(reuse)

    def add_generated(self, seconds: float) -> None:
        """Records the time of a generated frame, as it would be at the full size."""
        self._seconds.append(seconds)
        if len(self._seconds) >= _FRAMES_PER_DECISION:
            load = median(self._seconds) / self._period
            self._seconds.clear()
            self._overloaded = load > (_SPARE if self._overloaded else _OVERLOAD)
