"""Source → effects → sink, each on a thread of its own, at the pace of the slowest."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from vidgan.channel import Channel, StoppedError
from vidgan.effects import Effect
from vidgan.frame import Frame
from vidgan.sinks import Sink
from vidgan.sources import Source

T = TypeVar("T")


@dataclass(kw_only=True)
class Report:
    """What a run did.

    Attributes:
        frames: written to the sink.
        seconds: from the first frame asked for to the last one written.
        busy_seconds: by stage (``read``, ``effect``, ``write``), the time it worked and did not wait.
    """

    frames: int = 0
    seconds: float = 0.0
    busy_seconds: dict[str, float] = field(default_factory=lambda: {"read": 0.0, "effect": 0.0, "write": 0.0})


def run_pipeline(
    source: Source,
    effects: Sequence[Effect],
    sink: Sink,
    *,
    on_frame: Callable[[int], None] | None = None,
) -> Report:
    """Takes every frame of ``source`` through ``effects`` into ``sink``, in order.

    Reading and writing have threads of their own; the effects run on the calling thread, which
    also receives Ctrl-C. The first error, wherever it happens, stops all of them and is raised
    here once; when this returns or raises, no thread is left.

    Args:
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
        for count, frame in enumerate(read, 1):
            with _Timer(busy, "effect"):
                for effect in effects:
                    frame = effect.apply(frame)
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
            thread.join(0.2)
