"""Frame rate and latency over the last two seconds."""

import threading
from collections import deque
from statistics import median

from vidgan.live.clock import now

_WINDOW_US = 2_000_000
"""Length of the sliding window, in microseconds."""


class Meter:
    """Counts the frames that reach one point of the pipeline; all threads may read it.

    Attributes:
        frames: number of frames since the start.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._recent: deque[tuple[int, int]] = deque()
        self._lock = threading.Lock()

    def count(self, pts: int) -> None:
        """Counts a frame with that capture time, on the live clock, as arrived now."""
        with self._lock:
            arrival = now()
            self.frames += 1
            self._recent.append((arrival, arrival - pts))
            self._remove_older(arrival)

    @property
    def fps(self) -> float:
        """Frames per second; 0 before the second frame."""
        with self._lock:
            self._remove_older(now())
            if len(self._recent) < 2:
                return 0.0
            return 1e6 * (len(self._recent) - 1) / max(1, self._recent[-1][0] - self._recent[0][0])

    @property
    def latency_seconds(self) -> float:
        """Median time from capture to here; 0 where no frames arrive."""
        with self._lock:
            self._remove_older(now())
            return median(latency for _, latency in self._recent) / 1e6 if self._recent else 0.0

    def _remove_older(self, arrival: int) -> None:
        while self._recent and self._recent[0][0] < arrival - _WINDOW_US:
            self._recent.popleft()
