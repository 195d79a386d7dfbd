"""Cores of the processor."""

import os


def cores() -> int:
    """Cores that this process may use; of the machine, where the system does not say."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
