"""Source → effects → sink, each on threads of its own, at the pace of the slowest."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import cv2

from vidgan.jobs.channel import Channel, StoppedError
from vidgan.media.frame import Frame
from vidgan.sinks import Sink
from vidgan.sources import Source
from vidgan.tasks.effects import Effect
from vidgan.temporal.filter import Smoother
from vidgan.temporal.look_ahead import LookAhead
from vidgan.temporal.motion import Grey, Relation, relate, see

T = TypeVar("T")

STAGES = ("read", "effect", "smooth", "write")
_POLL_SECONDS = 0.2


@dataclass(kw_only=True)
class Report:
    """What a run did.

    Attributes:
        frames: written to the sink.
        seconds: from the first frame asked for to the last one written.
        busy_seconds: by stage, see :data:`STAGES`, the time it worked and did not wait;
            of a stage with several workers, their mean.
    """

    frames: int = 0
    seconds: float = 0.0
    busy_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))


def run_pipeline(
    source: Source,
    effects: Sequence[Effect],
    sink: Sink,
    *,
    smoother: Smoother | None = None,
    look_ahead: LookAhead | None = None,
    before: Frame | None = None,
    workers: int = 1,
    on_frame: Callable[[int], None] | None = None,
) -> Report:
    """Takes every frame of ``source`` through ``effects`` and ``smoother`` into ``sink``, in order.

    Reading, writing and the effects have threads of their own; the calling thread hands frames
    on and receives Ctrl-C. The first error, wherever it happens, stops all of them and is raised
    here once; when this returns or raises, no thread is left.

    Args:
        smoother: steadies what the effects made; None to leave it as it is. It goes on from its
            own state, and leaves it as it is after the last frame.
        look_ahead: lets the smoother see frames to come; they wait for each other then.
        before: the source's frame before the first, where work is continued.
        workers: how many frames go through the effects at the same time; more than one needs
            effects that keep nothing from frame to frame.
        on_frame: called on the calling thread with the number of frames through effects and smoother.
            The smoother's state is the one after that very frame then, and the next frame is not yet
            on its way to the sink.
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
        with (
            opencv_on_one_thread(),
            closing(_applied(effects, smoother, look_ahead, before, read, workers, busy)) as steps,
        ):
            for count, frame in enumerate(_smoothed(steps, smoother, look_ahead, busy), 1):
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


@dataclass(frozen=True, slots=True)
class _Painted:
    """A frame after the effects, not yet smoothed, and what that took.

    Attributes:
        relation: of its source frame to the one before.
        reverse: of the one before to it, where a look-ahead asks for it.
    """

    frame: Frame
    relation: Relation | None
    reverse: Relation | None
    effect_seconds: float
    relate_seconds: float


def _applied(
    effects: Sequence[Effect],
    smoother: Smoother | None,
    look_ahead: LookAhead | None,
    before: Frame | None,
    frames: Iterable[Frame],
    workers: int,
    busy: dict[str, float],
) -> Generator[_Painted, None, None]:
    """The frames after the effects, in their order, ``workers`` of them in the making at a time."""

    def apply(before: Grey | None, frame: Frame, now: Grey | None) -> _Painted:
        started = time.perf_counter()
        relation = reverse = None
        if before is not None and now is not None:
            relation = relate(before, now)
            reverse = None if look_ahead is None else relate(now, before)
        related = time.perf_counter()
        for effect in effects:
            frame = effect.apply(frame)
        return _Painted(frame, relation, reverse, time.perf_counter() - related, related - started)

    pending: deque[Future[_Painted]] = deque()

    def seen_of(frame: Frame) -> Grey | None:
        if smoother is None and look_ahead is None:
            return None
        with _Timer(busy, "smooth"):
            return see(frame)

    def oldest() -> _Painted:
        painted = _result(pending.popleft())
        busy["effect"] += painted.effect_seconds / workers
        busy["smooth"] += painted.relate_seconds / workers
        return painted

    with ThreadPoolExecutor(workers, thread_name_prefix="vidgan-effect") as pool:
        seen, size = (None, None) if before is None else (seen_of(before), before.size)
        try:
            for frame in frames:
                now = seen_of(frame)
                pending.append(pool.submit(apply, seen if frame.size == size else None, frame, now))
                seen, size = now, frame.size
                # One more than there are workers, so that none waits for this thread.
                if len(pending) > workers:
                    yield oldest()
            while pending:
                yield oldest()
        finally:
            for future in pending:
                future.cancel()


def _smoothed(
    steps: Iterable[_Painted],
    smoother: Smoother | None,
    look_ahead: LookAhead | None,
    busy: dict[str, float],
) -> Iterator[Frame]:
    """The frames after the smoother, each as soon as those that it looks ahead to are there."""
    window: deque[_Painted] = deque()

    def oldest() -> Frame:
        with _Timer(busy, "smooth"):
            frame = window[0].frame
            if look_ahead is not None:
                frame = look_ahead.anticipate(
                    [each.frame for each in window], [each.reverse for each in window]
                )
            relation = window.popleft().relation
            return frame if smoother is None else smoother.smooth(frame, relation)

    for painted in steps:
        window.append(painted)
        if look_ahead is None or len(window) > look_ahead.frames:
            yield oldest()
    while window:
        yield oldest()


def _result(future: Future[T]) -> T:
    """``future.result()`` that Ctrl-C interrupts on every platform."""
    while True:
        try:
            return future.result(timeout=_POLL_SECONDS)
        except TimeoutError:
            if future.done():
                return future.result()


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """While frames are worked on side by side, a pool of threads for each call would only wait and spin."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


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
