"""Wall time of a block."""

import time
from typing import Self


class Stopwatch:
    """Measures from :meth:`start` to the end of the ``with`` block.

    Attributes:
        seconds: of wall time.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started: float | None = None

    def start(self) -> None:
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._started is not None:
            self.seconds = time.perf_counter() - self._started
