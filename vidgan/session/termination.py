"""Runs of models that may have to be ended from another thread.

onnxruntime looks at a run's ``terminate`` flag between nodes, and in every iteration of a Loop.
"""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator

from vidgan.session.runtime import ort

_FATAL = 4

_lock = threading.Lock()
_numbers = itertools.count()
_running: dict[int, tuple[float, Callable[[], object]]] = {}


def terminate_runs(*, older_than_seconds: float = 0.0) -> None:
    """Ends what has been running for longer than that; each such call raises on its own thread. From any thread."""
    latest = time.monotonic() - older_than_seconds
    with _lock:
        late = [stop for started, stop in _running.values() if started <= latest]
    for stop in late:
        stop()


@contextlib.contextmanager
def terminable(stop: Callable[[], object]) -> Iterator[None]:
    """While inside, :func:`terminate_runs` calls ``stop``."""
    number = next(_numbers)
    with _lock:
        _running[number] = time.monotonic(), stop
    try:
        yield
    finally:
        with _lock:
            del _running[number]


@contextlib.contextmanager
def run_options() -> Iterator[ort.RunOptions]:
    """Options of one run, which :func:`terminate_runs` ends."""
    options = ort.RunOptions()
    options.log_severity_level = _FATAL

    def stop() -> None:
        options.terminate = True

    with terminable(stop):
        yield options
