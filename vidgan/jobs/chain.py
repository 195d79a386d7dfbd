"""A chain of steps: effects on several frames at a time, each followed by its temporal filter in order."""

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np

from vidgan.jobs.even_sides import EvenSides
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage, YuvImage
from vidgan.segments.state import JobState
from vidgan.tasks.task import ChainStep
from vidgan.temporal.filter import State
from vidgan.temporal.motion import Luma, MotionEstimate, estimate_motion, flow_luma

T = TypeVar("T")

_POLL_SECONDS = 0.2

Busy = dict[str, float]
"""Seconds of work by stage."""


@dataclass(frozen=True, slots=True)
class Output:
    """A frame that has gone through the chain.

    Attributes:
        frame: the output.
        states: of each step's temporal filter after this very frame.
    """

    frame: Frame
    states: tuple[State | None, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """A frame on its way.

    Attributes:
        source: of the input.
        before: what went into the current step.
        frame: after the steps so far.
        motion: from its source frame to the previous one.
        reverse: from the previous source frame to its own, for look-ahead.
        states: of the filters so far.
    """

    source: Frame
    before: Frame
    frame: Frame
    motion: MotionEstimate | None
    reverse: MotionEstimate | None
    states: tuple[State | None, ...] = ()


class Chain:
    """Steps that a frame goes through, in order.

    Args:
        steps: each with an effect, a temporal filter, or both.
        workers: frames in flight at a time.
        compare: put each source frame beside its output.
        even_sides: brings what comes out to even sides; None to leave it.
    """

    def __init__(
        self,
        steps: Sequence[ChainStep],
        *,
        workers: int,
        compare: bool = False,
        even_sides: EvenSides | None = None,
    ) -> None:
        self.workers = workers
        self._even_sides = even_sides
        self._compare = compare
        self._steps = list(steps)
        self._uses_motion = any(each.temporal_filter or each.look_ahead for each in steps)
        self._looks_ahead = any(each.look_ahead for each in steps)

    def notices(self) -> list[str]:
        """Remarks of the steps for the user, complete after the last frame."""
        return [notice for step in self._steps for notice in step.notices()]

    def vault(self) -> bytes | None:
        """The vault that a step has made, after the last frame; None without such a step."""
        return next((each.vault() for each in self._steps if each.vault is not None), None)

    @property
    def states(self) -> tuple[State | None, ...]:
        """States of the temporal filters; None for a step without one."""
        return tuple(
            None if each.temporal_filter is None else each.temporal_filter.state for each in self._steps
        )

    @states.setter
    def states(self, states: Sequence[State | None]) -> None:
        for step, state in zip(self._steps, states, strict=True):
            if step.temporal_filter is not None:
                step.temporal_filter.state = state

    def run(
        self, frames: Iterable[Frame], busy: Busy, *, before: Frame | None = None
    ) -> Generator[Output, None, None]:
        """The outputs in the order of the frames, ``workers`` frames in flight at a time.

        Args:
            frames: of the source.
            busy: gets the seconds of the stages ``"effect"`` and ``"smooth"``; of several workers their mean.
            before: the source's frame before the first, where a job is continued.
        """
        with ExitStack() as opened:
            pool = opened.enter_context(ThreadPoolExecutor(self.workers, thread_name_prefix="vidgan-effect"))

            def closed(items: Generator[_Item, None, None]) -> Generator[_Item, None, None]:
                return opened.enter_context(closing(items))

            items = closed(self._first(frames, pool, busy, before))
            for index, step in enumerate(self._steps):
                if index:
                    items = closed(self._mapped(items, step, pool, busy))
                items = closed(_filtered(items, step, busy))
            for item in items:
                frame = side_by_side(item.source, item.frame) if self._compare else item.frame
                if self._even_sides is not None:
                    frame = self._even_sides.apply(frame)
                yield Output(frame, item.states)

    def _first(
        self, frames: Iterable[Frame], pool: ThreadPoolExecutor, busy: Busy, before: Frame | None
    ) -> Generator[_Item, None, None]:
        """Motion of the source, and the first step's effect."""
        effect = self._steps[0].effect if self._steps else None

        def work(previous: Luma | None, frame: Frame, current: Luma | None) -> tuple[_Item, float, float]:
            started = time.perf_counter()
            motion = reverse = None
            if previous is not None and current is not None:
                motion = estimate_motion(previous, current)
                reverse = estimate_motion(current, previous) if self._looks_ahead else None
            estimated = time.perf_counter()
            output = frame if effect is None else effect.apply(frame)
            return (
                _Item(frame, frame, output, motion, reverse),
                estimated - started,
                time.perf_counter() - estimated,
            )

        def submitted() -> Iterator[Future[tuple[_Item, float, float]]]:
            previous, size = (None, None) if before is None else (self._luma(before, busy), before.size)
            for frame in frames:
                current = self._luma(frame, busy)
                yield pool.submit(work, previous if frame.size == size else None, frame, current)
                previous, size = current, frame.size

        for item, motion_seconds, effect_seconds in _in_order(submitted(), self.workers):
            busy["smooth"] += motion_seconds / self.workers
            busy["effect"] += effect_seconds / self.workers
            yield item

    def _mapped(
        self, items: Iterable[_Item], step: ChainStep, pool: ThreadPoolExecutor, busy: Busy
    ) -> Generator[_Item, None, None]:
        def work(item: _Item) -> tuple[_Item, float]:
            started = time.perf_counter()
            frame = item.frame if step.effect is None else step.effect.apply(item.frame)
            return replace(item, before=item.frame, frame=frame), time.perf_counter() - started

        for item, seconds in _in_order((pool.submit(work, item) for item in items), self.workers):
            busy["effect"] += seconds / self.workers
            yield item

    def _luma(self, frame: Frame, busy: Busy) -> Luma | None:
        if not self._uses_motion:
            return None
        started = time.perf_counter()
        luma = flow_luma(frame)
        busy["smooth"] += time.perf_counter() - started
        return luma


def side_by_side(source: Frame, output: Frame) -> Frame:
    """The source, scaled to the output's size, and the output in one frame of twice the width."""
    width, height = size = output.size
    # Of an odd width, chroma of both would not be half as wide.
    if width % 2 or not isinstance(source.image, YuvImage):
        left = np.asarray(cv2.resize(source.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        return replace(output, image=RgbImage(np.hstack([left, output.pixels])), alpha=None)
    one, two = source.image.yuv(), output.image.yuv()
    luma = np.asarray(cv2.resize(one.luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    half = width // 2, (height + 1) // 2
    chroma = np.asarray(cv2.resize(one.chroma, half, interpolation=cv2.INTER_AREA), np.uint8)
    image = YuvImage(np.hstack([luma, two.luma]), np.hstack([chroma, two.chroma]))
    return replace(output, image=image, alpha=None)


def _filtered(items: Iterable[_Item], step: ChainStep, busy: Busy) -> Generator[_Item, None, None]:
    """The items after the step's temporal filter, each as soon as those that it looks ahead to are there."""
    temporal_filter, look_ahead = step.temporal_filter, step.look_ahead
    window: deque[_Item] = deque()

    def oldest() -> _Item:
        started = time.perf_counter()
        item = window[0]
        frame = item.frame
        if look_ahead is not None:
            frame = look_ahead.anticipate([each.frame for each in window], [each.reverse for each in window])
        window.popleft()
        state = None
        if temporal_filter is not None:
            frame = temporal_filter.apply(frame, item.motion)
            state = temporal_filter.state
        if step.compositor is not None:
            frame = step.compositor.compose(item.before, frame)
        busy["smooth"] += time.perf_counter() - started
        return replace(item, frame=frame, states=(*item.states, state))

    for item in items:
        window.append(item)
        if look_ahead is None or len(window) > look_ahead.frames:
            yield oldest()
    while window:
        yield oldest()


def _in_order(submitted: Iterator[Future[T]], workers: int) -> Generator[T, None, None]:
    """The results in order, so many in flight."""
    pending: deque[Future[T]] = deque()
    try:
        for future in submitted:
            pending.append(future)
            # One more than there are workers, so that none waits for this thread.
            if len(pending) > workers:
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())
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


def pack_states(states: Sequence[State | None]) -> JobState:
    """The states of a chain's steps, by their numbers, for a journal."""
    return JobState(arrays={str(number): each for number, each in enumerate(states) if each is not None})


def unpack_states(saved: JobState, steps: int) -> tuple[State | None, ...]:
    """The reverse of :func:`pack_states`."""
    return tuple(saved.arrays.get(str(number)) for number in range(steps))
