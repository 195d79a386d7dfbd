"""Undoes what SVT-AV1 does to its process when it is opened."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

_THREADS = Path("/proc/self/task")
"""Linux alone has it; elsewhere SVT-AV1 leaves priorities alone."""


@contextlib.contextmanager
def contained_svt_av1() -> Iterator[None]:
    """Wraps the opening of the encoder.

    SVT-AV1 prints its configuration on stderr unless ``SVT_LOG`` says otherwise, so that is set meanwhile. For root,
    as in containers, it also gives the calling thread and its own the highest real-time priority, which all later
    child processes inherit: two of them that compute would leave no time to anything else. They get the calling
    thread's former scheduling back.
    """
    quiet = "SVT_LOG" not in os.environ
    if quiet:
        os.environ["SVT_LOG"] = "1"
    try:
        with _same_scheduling():
            yield
    finally:
        if quiet:
            del os.environ["SVT_LOG"]


@contextlib.contextmanager
def _same_scheduling() -> Iterator[None]:
    if not _THREADS.is_dir():
        yield
        return
    before = _threads()
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in (_threads() - before) | {threading.get_native_id()}:
            # A thread that has ended meanwhile needs nothing.
            with contextlib.suppress(ProcessLookupError):
                if os.sched_getscheduler(thread) != policy:
                    os.sched_setscheduler(thread, policy, parameters)


def _threads() -> set[int]:
    return {int(each.name) for each in _THREADS.iterdir()}
