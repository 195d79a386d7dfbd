"""PyAV's timestamps, each of which may be None by its types."""

from fractions import Fraction


def seconds(ticks: int | None, time_base: Fraction | None) -> Fraction:
    """A timestamp in seconds; it fails where there is none."""
    assert ticks is not None and time_base is not None
    return ticks * time_base
