"""Settings of the process's memory allocator."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Options of glibc's mallopt(3)."""

_KEPT = 256 << 20
_LARGEST_KEPT = 32 << 20
"""Bytes: what may lie idle, and the largest block that may, which is glibc's own limit."""


def keep_freed_memory() -> None:
    """Lets the memory of one frame serve the next.

    glibc gives a freed frame back to the system and asks for it again, zeroed page by page: a twentieth of
    the CPU time of a smoothed run. Other C libraries do as they like.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
