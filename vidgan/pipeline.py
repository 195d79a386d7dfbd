"""Source → effects → sink, each on threads of its own, at the pace of the slowest."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from vidgan.channel import Channel, StoppedError
from vidgan.effects import Effect
from vidgan.frame import Frame
from vidgan.sinks import Sink
from vidgan.sources import Source

T = TypeVar("T")

_POLL_SECONDS = 0.2


@dataclass(kw_only=True)
class Report:
    """What a run did.

    Attributes:
        frames: written to the sink.
        seconds: from the first frame asked for to the last one written.
        busy_seconds: by stage (``read``, ``effect``, ``write``), the time it worked and did not wait;
            of a stage with several workers, their mean.
    """

    frames: int = 0
    seconds: float = 0.0
    busy_seconds: dict[str, float] = field(default_factory=lambda: {"read": 0.0, "effect": 0.0, "write": 0.0})


def run_pipeline(
    source: Source,
    effects: Sequence[Effect],
    sink: Sink,
    *,
    workers: int = 1,
    on_frame: Callable[[int], None] | None = None,
) -> Report:
    """Takes every frame of ``source`` through ``effects`` into ``sink``, in order.

    Reading, writing and the effects have threads of their own; the calling thread hands frames
    on and receives Ctrl-C. The first error, wherever it happens, stops all of them and is raised
    here once; when this returns or raises, no thread is left.

    Args:
        workers: how many frames go through the effects at the same time; more than one needs
            effects that keep nothing from frame to frame.
        on_frame: called on the calling thread with the number of frames through the effects.
    """
    report = Report()
    busy = report.busy_seconds
    read: Channel[Frame] = Channel()
    painted: Channel[Frame] = Channel()
    errors: list[BaseException] = []

    def reading() -> None:
        for frame in _timed(source, busy, "read"):
            read.put(frame)
        read.close()

    def writing() -> None:
        for frame in painted:
            with _Timer(busy, "write"):
                sink.write(frame)
            report.frames += 1

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except StoppedError:
            pass
        except BaseException as exc:
            errors.append(exc)
            stop()

    def stop() -> None:
        read.stop()
        painted.stop()

    threads = [
        threading.Thread(target=guarded, args=(work,), name=f"vidgan-{work.__name__}", daemon=True)
        for work in (reading, writing)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    try:
        for count, frame in enumerate(_applied(effects, read, workers, busy), 1):
            painted.put(frame)
            if on_frame is not None:
                on_frame(count)
        painted.close()
        _join(threads)
    except StoppedError:
        pass  # Another stage failed; its error is raised below.
    except BaseException:
        stop()
        raise
    finally:
        _join(threads)
    if errors:
        raise errors[0]
    report.seconds = time.perf_counter() - started
    return report


def _applied(
    effects: Sequence[Effect], frames: Iterable[Frame], workers: int, busy: dict[str, float]
) -> Iterator[Frame]:
    """The frames after the effects, in their order, ``workers`` of them in the making at a time."""

    def apply(frame: Frame) -> tuple[Frame, float]:
        started = time.perf_counter()
        for effect in effects:
            frame = effect.apply(frame)
        return frame, time.perf_counter() - started

    pending: deque[Future[tuple[Frame, float]]] = deque()

    def oldest() -> Frame:
        frame, seconds = _result(pending.popleft())
        busy["effect"] += seconds / workers
        return frame

    with ThreadPoolExecutor(workers, thread_name_prefix="vidgan-effect") as pool:
        try:
            for frame in frames:
                pending.append(pool.submit(apply, frame))
                # One more than there are workers, so that none waits for this thread.
                if len(pending) > workers:
                    yield oldest()
            while pending:
                yield oldest()
        finally:
            for future in pending:
                future.cancel()


def _result(future: Future[T]) -> T:
    """``future.result()`` that Ctrl-C interrupts on every platform."""
    while True:
        try:
            return future.result(timeout=_POLL_SECONDS)
        except TimeoutError:
            if future.done():
                return future.result()


class _Timer:
    def __init__(self, busy: dict[str, float], stage: str) -> None:
        self._busy, self._stage = busy, stage

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._busy[self._stage] += time.perf_counter() - self._started


def _timed(items: Iterable[T], busy: dict[str, float], stage: str) -> Iterator[T]:
    """The items, with the time that each takes to come counted as the stage's."""
    iterator = iter(items)
    while True:
        with _Timer(busy, stage):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        # In pieces, so that Ctrl-C gets through on every platform.
        while thread.is_alive():
            thread.join(_POLL_SECONDS)
