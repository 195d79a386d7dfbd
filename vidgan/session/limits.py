"""Limits on what a process may take while it has to do with files that anybody may have made."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

SECONDS_OF_CPU = 600
_MEMORY = 1_700 << 20
_PER_BYTE_OF_FILE = 6


def set_limits(file_bytes: int, *, memory: int = _MEMORY) -> None:
    """Limits this process's CPU time and memory, where the system can.

    Args:
        file_bytes: size of the model; an honest graph takes a few times as much.
        memory: bytes beside that.
    """
    if sys.platform == "win32":
        return
    import resource

    most = memory + _PER_BYTE_OF_FILE * file_bytes
    for kind, limit in ((resource.RLIMIT_CPU, SECONDS_OF_CPU), (resource.RLIMIT_DATA, most)):
        with contextlib.suppress(ValueError, OSError):
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (limit, hard if hard != resource.RLIM_INFINITY else limit))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextlib.contextmanager
def loading_memory(file_bytes: int) -> Iterator[None]:
    """While inside, this process takes no more memory than :func:`set_limits` gives to one that loads the same file.

    onnxruntime computes constants while it loads a model, which may be of any size; what does not fit is left for
    a run, whose memory is bounded otherwise. Nothing happens where the system has no such limit.
    """
    taken = _data_bytes()
    if sys.platform == "win32" or taken is None:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(ValueError, OSError):
        most = taken + _MEMORY + _PER_BYTE_OF_FILE * file_bytes
        if before[0] == resource.RLIM_INFINITY or most < before[0]:
            resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _data_bytes() -> int | None:
    """The bytes that RLIMIT_DATA counts of this process."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    return None
