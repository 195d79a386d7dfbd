"""Source → chain of steps → sink, each on threads of its own, at the pace of the slowest."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import cv2

from vidgan.jobs.chain import Chain
from vidgan.jobs.channel import Channel, StoppedError
from vidgan.media.frame import Frame, VideoInfo
from vidgan.sinks import Sink
from vidgan.sources import Source
from vidgan.temporal.filter import State

T = TypeVar("T")

STAGES = ("read", "effect", "smooth", "write")
_POLL_SECONDS = 0.2

_LEAST_QUEUED, _MOST_QUEUED = 2, 4
_QUEUED_PIXELS = 1 << 22
"""A queue has four frames, two where they are large: it bridges single late frames, which are rare there."""


@dataclass(kw_only=True)
class Report:
    """The work of a run.

    Attributes:
        frames: written to the sink.
        seconds: from the first frame asked for to the last one written.
        busy_seconds: by stage, see :data:`STAGES`, the time it worked and did not wait; of several workers
            their mean.
    """

    frames: int = 0
    seconds: float = 0.0
    busy_seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))


def run_pipeline(
    source: Source,
    chain: Chain,
    sink: Sink,
    *,
    before: Frame | None = None,
    first: int = 0,
    on_frame: Callable[[int, tuple[State | None, ...]], None] | None = None,
) -> Report:
    """Takes every frame of ``source`` through ``chain`` into ``sink``, in order.

    Reading, writing and the effects have threads of their own; bounded queues of two to four frames connect them, so
    memory is independent of the video's length. The calling thread hands frames on and receives Ctrl-C. The
    first error in any thread stops all of them and is raised here once; when this returns or raises, no thread
    is left.

    Args:
        chain: continues from its states, and keeps those after the last frame.
        before: the source's frame before the first, where a job is continued.
        first: number of the first frame in the video.
        on_frame: called on the calling thread with the number of frames through the chain and the states of
            its filters after that very frame; the next frame is not yet on its way to the sink.
    """
    report = Report()
    busy = report.busy_seconds
    decoded: Channel[Frame] = Channel(_capacity(source.info))
    outputs: Channel[Frame] = Channel(_capacity(source.info))
    errors: list[BaseException] = []

    def reading() -> None:
        for frame in _timed(source, busy, "read"):
            decoded.put(frame)
        decoded.close()

    def writing() -> None:
        for frame in outputs:
            with _Timer(busy, "write"):
                sink.write(frame)
            report.frames += 1

    def stop() -> None:
        decoded.stop()
        outputs.stop()

    threads = [_thread(work, errors, stop) for work in (reading, writing)]
    started = time.perf_counter()
    try:
        with (
            opencv_on_one_thread(),
            closing(chain.run(decoded, busy, before=before, first=first)) as processed,
        ):
            for count, output in enumerate(processed, 1):
                outputs.put(output.frame)
                if on_frame is not None:
                    on_frame(count, output.states)
        outputs.close()
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


def _thread(
    work: Callable[[], None], errors: list[BaseException], stop: Callable[[], None]
) -> threading.Thread:
    """A started thread that keeps its error and stops the others."""

    def guarded() -> None:
        try:
            work()
        except StoppedError:
            pass
        except BaseException as exc:
            errors.append(exc)
            stop()

    thread = threading.Thread(target=guarded, name=f"vidgan-{work.__name__}", daemon=True)
    thread.start()
    return thread


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Turns OpenCV's own threads off: while frames run in parallel, they would only wait and spin."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _capacity(info: VideoInfo) -> int:
    """Frames of a queue."""
    return max(_LEAST_QUEUED, min(_MOST_QUEUED, _QUEUED_PIXELS // (info.width * info.height)))


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
