"""How fast and how late, over the last moments."""

import threading
from collections import deque
from statistics import median

from vidgan.live.clock import now

_SPAN = 2_000_000
"""Microseconds that are looked back on."""


class Meter:
    """Counts frames that arrived somewhere; may be read from other threads.

    Attributes:
        frames: all of them.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._recent: deque[tuple[int, int]] = deque()
        self._lock = threading.Lock()

    def count(self, pts: int) -> None:
        """Says that the frame that was captured then has arrived now."""
        with self._lock:
            arrived = now()
            self.frames += 1
            self._recent.append((arrived, arrived - pts))
            self._forget(arrived)

    @property
    def fps(self) -> float:
        """Frames a second."""
        with self._lock:
            self._forget(now())
            if len(self._recent) < 2:
                return 0.0
            return 1e6 * (len(self._recent) - 1) / max(1, self._recent[-1][0] - self._recent[0][0])

    @property
    def latency(self) -> float:
        """Seconds from capture to here, of the middle one."""
        with self._lock:
            self._forget(now())
            return median(late for _, late in self._recent) / 1e6 if self._recent else 0.0

    def _forget(self, arrived: int) -> None:
        while self._recent and self._recent[0][0] < arrived - _SPAN:
            self._recent.popleft()
