"""The clock of the live path: the ``pts`` of a frame is the time of its capture."""

import time
from fractions import Fraction

TIME_BASE = Fraction(1, 1_000_000)
"""Seconds per unit of :func:`now`."""


def now() -> int:
    """Microseconds of the system's monotonic clock."""
    return time.monotonic_ns() // 1000
