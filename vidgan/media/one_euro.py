"""The one-euro filter (Casiez, Roussel and Vogel 2012): still what stands still, prompt what moves."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SPEED_CUTOFF = 1.0
"""Hz, of the estimate of the speed."""


def smoothed(
    value: Floats,
    before: Floats,
    speed: Floats,
    *,
    rate: float,
    unit: float,
    cutoff: float = 1.5,
    slope: float = 4.0,
) -> tuple[Floats, Floats]:
    """The next smoothed value and speed.

    All numbers of a value are smoothed alike, by their mean speed, so that a shape stays one.

    Args:
        value: measured, ``(N,)`` or ``(N, 2)``.
        before, speed: what was returned last; the speed is in values per second.
        rate: values per second.
        unit: of a value, so that the filter does not depend on the size of faces.
        cutoff: Hz, of what stands still.
        slope: Hz for a speed of one unit per second.
    """
    speed = (speed + _share(_SPEED_CUTOFF, rate) * ((value - before) * rate - speed)).astype(np.float32)
    mean = float(np.abs(speed).mean()) / max(unit, 1e-3)
    share = np.float32(_share(cutoff + slope * mean, rate))
    return (before + share * (value - before)).astype(np.float32), speed


def _share(cutoff: float, rate: float) -> float:
    """Weight of a new value in a low-pass filter."""
    step = 2 * math.pi * cutoff / rate
    return step / (step + 1)
