"""A job as an iterator over its progress."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal, Unpack, cast

from vidgan.jobs.api import StepLike, run
from vidgan.jobs.runner import JobResult
from vidgan.jobs.settings import JobOptions
from vidgan.media.frame import VideoInfo


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is.

    Attributes:
        stage: ``"process"`` while frames go through the steps, ``"encode"`` where a GIF, APNG or WebP is encoded after
            them, ``"done"`` once, at the end.
        frames: done in this stage.
        total: number of frames, where it is known; an estimate while they are processed.
        result: of the job; only with ``"done"``.
    """

    stage: Literal["process", "encode", "done"]
    frames: int
    total: int | None
    result: JobResult | None = None

    @property
    def fraction(self) -> float | None:
        """0 to 1, of this stage; None where the number of frames is not known."""
        return None if not self.total else min(1.0, self.frames / self.total)


def track(
    input: str | Path,
    output: str | Path | None,
    steps: Sequence[StepLike] | StepLike,
    **options: Unpack[JobOptions],
) -> Iterator[Progress]:
    """Runs a chain as :func:`vidgan.run` does, on a thread of its own, and yields its progress.

    ::

        for progress in vidgan.track("in.mp4", "out.mp4", ["starry"]):
            print(f"{progress.frames}/{progress.total}")

    Leaving the loop, or closing the iterator, cancels the job and waits until it has ended.

    Args:
        input, output, steps: as of :func:`vidgan.run`.
        options: likewise; ``on_start``, ``on_frame`` and ``on_encode`` are called on the job's thread.

    Raises:
        VidganError: as of :func:`vidgan.run`.
    """
    cancel = options.get("cancel") or threading.Event()
    queue: SimpleQueue[Progress | BaseException] = SimpleQueue()
    total: list[int | None] = [None]

    def started(info: VideoInfo) -> None:
        total[0] = info.frame_count
        _call(options.get("on_start"), info)

    def processed(frames: int) -> None:
        queue.put(Progress(stage="process", frames=frames, total=total[0]))
        _call(options.get("on_frame"), frames)

    def encoded(frames: int, count: int) -> None:
        queue.put(Progress(stage="encode", frames=frames, total=count))
        _call(options.get("on_encode"), frames, count)

    passed = cast(
        JobOptions,
        {**options, "on_start": started, "on_frame": processed, "on_encode": encoded, "cancel": cancel},
    )

    def work() -> None:
        try:
            result = run(input, output, steps, **passed)
            queue.put(Progress(stage="done", frames=result.frames, total=result.frames, result=result))
        except BaseException as exc:
            queue.put(exc)

    thread = threading.Thread(target=work, name="vidgan-job", daemon=True)
    thread.start()
    try:
        yield from _until_done(queue)
    except BaseException:
        cancel.set()
        raise
    finally:
        thread.join()


def _until_done(queue: SimpleQueue[Progress | BaseException]) -> Iterator[Progress]:
    while True:
        item = queue.get()
        if isinstance(item, BaseException):
            raise item
        yield item
        if item.stage == "done":
            return


def _call(function: Any, *arguments: object) -> None:
    if function is not None:
        function(*arguments)
