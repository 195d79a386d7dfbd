"""Adaptive resolution: choose the processing size that holds a frame rate."""

from statistics import median

from vidgan.live.conversion import FrameSize

_FACTORS = 1, 5 / 6, 2 / 3, 1 / 2, 5 / 12, 1 / 3, 1 / 4, 1 / 6
_MULTIPLE = 8
"""Generators downsample by 4 to 8, so reduced sides are multiples of 8."""

_SMALLEST_SIDE = 64
_FRAMES_PER_DECISION = 15

_OVERLOAD, _TARGET_LOAD, _SPARE = 0.95, 0.8, 0.7
"""Load is processing time over frame period. Above the first value the size is reduced until the load is at most the
second; a larger size is tried only where its load would be at most the third."""

_PATIENCE, _MAX_PATIENCE = 4, 64
"""Consecutive decisions with spare time before a larger size is tried; doubled after each attempt that failed."""


class AdaptiveResolution:
    """Reduces the size when frames take too long and enlarges it when there is time to spare.

    The model of the cost is linear in the number of pixels.

    Args:
        full: the largest size.
        fps: frames per second to hold.
        seconds_per_pixel: estimate of the cost, from which the first size is chosen; 0 starts with the largest.

    Attributes:
        size: processing size of the next frame.
    """

    def __init__(self, full: FrameSize, fps: float, seconds_per_pixel: float = 0.0) -> None:
        self._sizes = _sizes(full)
        self._period = 1 / fps
        self._index = 0
        self._index = self._largest_within(seconds_per_pixel * full[0] * full[1] / self._period)
        self._seconds: list[float] = []
        self._spare_decisions = 0
        self._patience = _PATIENCE

    @property
    def size(self) -> FrameSize:
        return self._sizes[self._index]

    def add_frame_time(self, seconds: float) -> None:
        """Records the processing time of a frame of the current size."""
        self._seconds.append(seconds)
        if len(self._seconds) >= _FRAMES_PER_DECISION:
            typical = median(self._seconds)
            self._seconds.clear()
            self._decide(typical / self._period)

    def _decide(self, load: float) -> None:
        if load > _OVERLOAD and self._index < len(self._sizes) - 1:
            self._index = max(self._index + 1, self._largest_within(load))
            self._spare_decisions, self._patience = 0, min(_MAX_PATIENCE, 2 * self._patience)
        elif self._index and load * self._pixel_ratio(self._index - 1) <= _SPARE:
            self._spare_decisions += 1
            if self._spare_decisions >= self._patience:
                self._index, self._spare_decisions = self._index - 1, 0
        else:
            self._spare_decisions = 0

    def _largest_within(self, load: float) -> int:
        """Index of the largest size within the target load, given the load at the current size."""
        fitting = (i for i, _ in enumerate(self._sizes) if load * self._pixel_ratio(i) <= _TARGET_LOAD)
        return next(fitting, len(self._sizes) - 1)

    def _pixel_ratio(self, index: int) -> float:
        """Pixels of another size per pixel of the current size."""
        (width, height), (current_width, current_height) = self._sizes[index], self.size
        return width * height / (current_width * current_height)


def _sizes(full: FrameSize) -> list[FrameSize]:
    """The full size and reduced sizes of the same proportions, in descending order."""
    reduced = [
        (_to_multiple(full[0] * factor), _to_multiple(full[1] * factor))
        for factor in _FACTORS[1:]
        if min(full) * factor >= _SMALLEST_SIDE
    ]
    return [full, *reduced]


def _to_multiple(side: float) -> int:
    return max(_MULTIPLE, round(side / _MULTIPLE) * _MULTIPLE)
