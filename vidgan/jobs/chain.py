"""A chain of steps: effects on several frames at a time, each followed by its temporal filter in order."""

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from vidgan.jobs.even_sides import EvenSides
from vidgan.jobs.frame_groups import FrameGroup, FrameGroups
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage
from vidgan.segments.state import JobState
from vidgan.tasks.task import ChainStep, Overview
from vidgan.temporal.filter import CarryingFilter, State
from vidgan.temporal.motion import Luma, MotionEstimate, estimate_motion, flow_luma
from vidgan.temporal.reuse import Carry, carries

T = TypeVar("T")

_POLL_SECONDS = 0.2

Busy = dict[str, float]
"""Seconds of work by stage."""


@dataclass(frozen=True, slots=True)
class ChainOutput:
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
        carry: how it lies between its neighbors, where steps may carry it; None for a frame to be generated.
        duplicate: shows what the frame before it shows; no step looks at it.
        states: of the filters so far.
        filtered: after the current step, without its compositor.
    """

    source: Frame
    before: Frame
    frame: Frame
    motion: MotionEstimate | None = None
    reverse: MotionEstimate | None = None
    carry: Carry | None = None
    duplicate: bool = False
    states: tuple[State | None, ...] = ()
    filtered: Frame | None = None

    def needs(self, step: ChainStep) -> bool:
        """Whether the effect of a step has to be applied."""
        return not self.duplicate and not self.is_carried_by(step)

    def is_carried_by(self, step: ChainStep) -> bool:
        return self.carry is not None and step.reuse > 1


class Chain:
    """Steps that a frame goes through, in order.

    Args:
        steps: each with an effect, a temporal filter, or both.
        workers: frames in flight at a time.
        compare: put each source frame beside its output.
        even_sides: brings what comes out to even sides; None to leave it.

    Attributes:
        generated: the number of frames so far that the first step did not reuse an output for.
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
        self.generated = 0
        self._even_sides = even_sides
        self._compare = compare
        self._steps = list(steps)
        self._uses_motion = any(each.temporal_filter or each.look_ahead for each in steps)
        self._looks_ahead = any(each.look_ahead for each in steps)
        # What one step would reuse, another that sees every frame would miss.
        self._interval = (
            max((each.reuse for each in steps), default=0) if all(each.reuse for each in steps) else 0
        )

    def warnings(self) -> list[str]:
        """Remarks of the steps for the user, complete after the last frame."""
        return [warning for step in self._steps for warning in step.warnings()]

    def vault(self) -> bytes | None:
        """The vault that a step has made, after the last frame; None without such a step."""
        return next((each.vault() for each in self._steps if each.vault is not None), None)

    def begin_overviews(self) -> list[Overview]:
        """Overviews of the frames to come, of the steps that have one."""
        return [step.begin_overview() for step in self._steps if step.begin_overview is not None]

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
        self, frames: Iterable[Frame], busy: Busy, *, before: Frame | None = None, first: int = 0
    ) -> Generator[ChainOutput, None, None]:
        """The outputs in the order of the frames, ``workers`` frames in flight at a time.

        Args:
            frames: of the source.
            busy: gets the seconds of the stages ``"effect"`` and ``"smooth"``; of several workers their mean.
            before: the source's frame before the first, where a job is continued.
            first: number of the first frame in the video.
        """
        with ExitStack() as opened:
            pool = opened.enter_context(ThreadPoolExecutor(self.workers, thread_name_prefix="vidgan-effect"))

            def closed(items: Generator[_Item, None, None]) -> Generator[_Item, None, None]:
                return opened.enter_context(closing(items))

            groups = FrameGroups(
                self._interval, first=first, before=before, luma_of=lambda frame: self._luma(frame, busy)
            )
            items = closed(self._first(groups.of(frames), pool, busy))
            for index, step in enumerate(self._steps):
                if index:
                    items = closed(self._mapped(items, step, pool, busy))
                filtered = _filtered if step.look_ahead is not None else _reused
                items = closed(filtered(items, step, busy))
            for item in items:
                frame = side_by_side(item.source, item.frame) if self._compare else item.frame
                if self._even_sides is not None:
                    frame = self._even_sides.apply(frame)
                yield ChainOutput(frame, item.states)

    def _first(
        self, groups: Iterator[FrameGroup], pool: ThreadPoolExecutor, busy: Busy
    ) -> Generator[_Item, None, None]:
        """Motion of the source, and the first step's effect."""

        def work(group: FrameGroup) -> tuple[list[_Item], float, float]:
            started = time.perf_counter()
            items = self._items(group)
            estimated = time.perf_counter()
            if self._steps:
                items = [_applied(self._steps[0], each) for each in items]
            return items, estimated - started, time.perf_counter() - estimated

        submitted = (pool.submit(work, group) for group in groups)
        for items, motion_seconds, effect_seconds in _in_order(submitted, self.workers):
            busy["smooth"] += motion_seconds / self.workers
            busy["effect"] += effect_seconds / self.workers
            self.generated += sum(all(map(each.needs, self._steps[:1])) for each in items)
            yield from items

    def _items(self, group: FrameGroup) -> list[_Item]:
        """The frames of a group with their motion, before any effect."""
        lumas = [group.previous, *(each.luma for each in group.distinct)]
        motions = [self._motion(*pair) for pair in pairwise(lumas)]
        reverses = [self._motion(b, a) if self._looks_ahead else None for a, b in pairwise(lumas)]
        facts = iter(zip(motions, reverses, carries(lumas[1:], motions), strict=True))
        return [
            _Item(each.frame, each.frame, each.frame, duplicate=True)
            if each.duplicate
            else _Item(each.frame, each.frame, each.frame, *next(facts))
            for each in group.frames
        ]

    def _motion(self, previous: Luma | None, current: Luma | None) -> MotionEstimate | None:
        if previous is None or current is None or not self._uses_motion:
            return None
        return estimate_motion(previous, current, quality="medium" if self._interval > 1 else "quick")

    def _mapped(
        self, items: Iterable[_Item], step: ChainStep, pool: ThreadPoolExecutor, busy: Busy
    ) -> Generator[_Item, None, None]:
        def work(item: _Item) -> tuple[_Item, float]:
            started = time.perf_counter()
            return _applied(step, item), time.perf_counter() - started

        for item, seconds in _in_order((pool.submit(work, item) for item in items), self.workers):
            busy["effect"] += seconds / self.workers
            yield item

    def _luma(self, frame: Frame, busy: Busy) -> Luma | None:
        if not self._uses_motion and not self._interval:
            return None
        started = time.perf_counter()
        luma = flow_luma(frame)
        busy["smooth"] += time.perf_counter() - started
        return luma


def side_by_side(source: Frame, output: Frame) -> Frame:
    """The source, scaled to the output's size, and the output in one frame of twice the width."""
    # Of an odd width, chroma of both would not be half as wide.
    image = RgbImage(source.pixels) if output.size[0] % 2 else source.image
    return replace(output, image=image.resized(output.size).beside(output.image), alpha=None)


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


def _reused(items: Iterable[_Item], step: ChainStep, busy: Busy) -> Generator[_Item, None, None]:
    """The items after the filter of a step that may reuse outputs; carried ones wait for the next generated one."""
    waiting: list[_Item] = []
    last: _Item | None = None
    for item in items:
        waiting.append(item)
        if waiting[0].is_carried_by(step) and not item.needs(step):
            continue
        for each in waiting:
            started = time.perf_counter()
            last = _next_output(each, step, item.frame, last)
            busy["smooth"] += time.perf_counter() - started
            yield last
        waiting.clear()


def _next_output(item: _Item, step: ChainStep, following: Frame, last: _Item | None) -> _Item:
    """An item after the temporal filter and the compositor of a step.

    Args:
        following: the next frame that the effect was applied to.
        last: the item before, after this step.
    """
    source, temporal_filter = item.source, step.temporal_filter
    frame, states = item.frame, item.states
    if item.duplicate:
        assert last is not None and last.filtered is not None
        frame, states = _at_time_of(source, last.filtered), last.states
    elif item.is_carried_by(step):
        assert item.carry is not None and isinstance(temporal_filter, CarryingFilter)
        image = temporal_filter.carry(following, item.carry)
        frame = _at_time_of(source, following).with_image(image)
    elif temporal_filter is not None:
        frame = temporal_filter.apply(frame, item.motion)
    if not item.duplicate:
        states = (*states, None if temporal_filter is None else temporal_filter.state)
    filtered = frame
    if step.compositor is not None:
        frame = step.compositor.compose(item.before, frame)
    return replace(item, frame=frame, filtered=filtered, states=states)


def _at_time_of(source: Frame, frame: Frame) -> Frame:
    return frame.at(source.pts, time_base=source.time_base, duration=source.duration)


def _applied(step: ChainStep, item: _Item) -> _Item:
    """An item after the effect of a step."""
    frame = item.frame
    if step.effect is not None and item.needs(step):
        frame = step.effect.apply(frame)
    return replace(item, before=item.frame, frame=frame)


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
