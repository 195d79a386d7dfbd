"""The clock of the live path: a frame's ``pts`` is the moment at which it was captured."""

import time
from fractions import Fraction

TIME_BASE = Fraction(1, 1_000_000)
"""Seconds per unit of :func:`now`."""


def now() -> int:
    """Microseconds of the system's monotonic clock."""
    return time.monotonic_ns() // 1000


def seconds_since(pts: int) -> float:
    """How long ago a frame of that time was captured."""
    return (now() - pts) / 1e6
