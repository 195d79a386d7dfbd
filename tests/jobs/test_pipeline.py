"""Threads, order, errors: nothing is lost, nothing hangs, nothing is left running."""

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from vidgan.jobs.chain import Chain, pack_states, unpack_states
from vidgan.jobs.pipeline import Report, run_pipeline
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.tasks.task import ChainStep
from vidgan.temporal.flow import FlowFilter
from vidgan.temporal.look_ahead import LookAhead
from vidgan.temporal.motion import estimate_motion, flow_luma

INFO = VideoInfo(width=4, height=4, time_base=Fraction(1, 25))


def frame(pts: int) -> Frame:
    return Frame(image=RgbImage(np.full((4, 4, 3), pts % 256, np.uint8)), pts=pts, time_base=INFO.time_base)


class Numbers:
    """A source of ``count`` frames that raises ``error`` instead of the last, if there is one."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.info = INFO
        self.warnings: list[str] = []
        self.taken = 0
        self._count, self._error = count, error

    def __iter__(self) -> Iterator[Frame]:
        for pts in range(self._count):
            if self._error is not None and pts == self._count - 1:
                raise self._error
            self.taken += 1
            yield frame(pts)

    def __enter__(self) -> "Numbers":
        return self

    def __exit__(self, *_: object) -> None: ...


class Collect:
    def __init__(self, error_at: int | None = None) -> None:
        self.frames: list[Frame] = []
        self.warnings: list[str] = []
        self._error_at = error_at

    def write(self, frame: Frame) -> None:
        if frame.pts == self._error_at:
            raise OSError("sink broke")
        self.frames.append(frame)

    def __enter__(self) -> "Collect":
        return self

    def __exit__(self, *_: object) -> None: ...


class Invert:
    def apply(self, frame: Frame) -> Frame:
        return frame.with_pixels(255 - frame.pixels)


class Break:
    def __init__(self, error: BaseException, at: int) -> None:
        self._error, self._at = error, at

    def apply(self, frame: Frame) -> Frame:
        if frame.pts == self._at:
            raise self._error
        return frame


def run(source: Any, chain: Chain, sink: Any, **options: Any) -> Report:
    """``run_pipeline`` for sources and sinks that implement only what it calls."""
    return run_pipeline(source, chain, sink, **options)


def chain(*effects: Any, workers: int = 1) -> Chain:
    return Chain([ChainStep(effect=each) for each in effects], workers=workers)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    assert not [thread.name for thread in left if thread.name.startswith("vidgan-")]


def test_every_frame_once_in_order() -> None:
    sink = Collect()
    counted: list[int] = []
    report = run(
        Numbers(500),
        chain(Invert(), Invert(), Invert()),
        sink,
        on_frame=lambda count, _: counted.append(count),
    )
    assert [each.pts for each in sink.frames] == list(range(500))
    assert all(int(each.pixels[0, 0, 0]) == 255 - each.pts % 256 for each in sink.frames)
    assert report.frames == 500 and counted == list(range(1, 501))


class Tint:
    """Keeps nothing, and takes longer for some frames than for others."""

    def apply(self, frame: Frame) -> Frame:
        time.sleep(0.002 * (frame.pts % 3))
        return frame.with_pixels(frame.pixels // 2 + np.uint8(40))


class Moving(Numbers):
    """Frames large enough for a smoother to see motion in."""

    def __iter__(self) -> Iterator[Frame]:
        noise = cv2.blur(np.random.default_rng(0).integers(0, 256, (64, 200, 3), np.uint8), (5, 5))
        for each in super().__iter__():
            yield each.with_pixels(np.ascontiguousarray(noise[:, 2 * each.pts : 2 * each.pts + 96]))


@pytest.mark.parametrize("workers", [1, 4])
def test_smoothing_is_the_same_however_many_work(workers: int) -> None:
    sink, alone = Collect(), FlowFilter()
    report = run(
        Moving(30), Chain([ChainStep(effect=Tint(), temporal_filter=FlowFilter())], workers=workers), sink
    )
    before = None
    for made, source in zip(sink.frames, Moving(30), strict=True):
        motion = None if before is None else estimate_motion(flow_luma(before), flow_luma(source))
        assert np.array_equal(made.pixels, alone.apply(Tint().apply(source), motion).pixels)
        before = source
    assert report.busy_seconds["smooth"] > 0


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_looking_ahead_keeps_count_and_order(count: int) -> None:
    sink, alone = Collect(), FlowFilter()
    ahead = LookAhead(2, FlowFilter)
    step = ChainStep(effect=Tint(), temporal_filter=FlowFilter(), look_ahead=ahead)
    run(Moving(count), Chain([step], workers=2), sink)
    sources = list(Moving(count))
    assert [each.pts for each in sink.frames] == [each.pts for each in sources]
    stylized = [Tint().apply(each) for each in sources]
    reverse = [None, *(estimate_motion(flow_luma(b), flow_luma(a)) for a, b in pairwise(sources))]
    for index, made in enumerate(sink.frames):
        motion = estimate_motion(flow_luma(sources[index - 1]), flow_luma(sources[index])) if index else None
        window = slice(index, index + 3)
        expected = alone.apply(ahead.anticipate(stylized[window], reverse[window]), motion)
        assert np.array_equal(made.pixels, expected.pixels)


def test_no_frames_is_no_problem() -> None:
    assert run(Numbers(0), chain(Invert()), Collect()).frames == 0


@pytest.mark.parametrize("count", [1, 2, 50])
def test_an_error_while_reading_surfaces_once(count: int) -> None:
    with pytest.raises(ValueError, match="source broke"):
        run(Numbers(count, ValueError("source broke")), chain(Invert()), Collect())


@pytest.mark.parametrize("at", [0, 3, 49])
def test_an_error_in_an_effect_surfaces_once(at: int) -> None:
    sink = Collect()
    with pytest.raises(ValueError, match="effect broke"):
        run(Numbers(50), chain(Break(ValueError("effect broke"), at)), sink)
    assert [each.pts for each in sink.frames] == list(range(len(sink.frames)))


@pytest.mark.parametrize("at", [0, 3, 49])
def test_an_error_while_writing_surfaces_once_and_stops_reading(at: int) -> None:
    source = Numbers(100_000)
    with pytest.raises(OSError, match="sink broke"):
        run(source, chain(), Collect(error_at=at))
    # The queues between the stages are bounded, so little was read in vain.
    assert source.taken < at + 50


def test_ctrl_c_stops_everything() -> None:
    source = Numbers(100_000)
    with pytest.raises(KeyboardInterrupt):
        run(source, chain(Break(KeyboardInterrupt(), 10)), Collect())
    assert source.taken < 60


@pytest.mark.parametrize("workers", [1, 3])
def test_steps_of_a_chain_filter_one_after_the_other(workers: int) -> None:
    """Each step's filter sees what the steps before it made, and its state after each frame is told."""
    first, second = FlowFilter(), FlowFilter()
    steps = [
        ChainStep(effect=Tint(), temporal_filter=first),
        ChainStep(effect=Invert()),
        ChainStep(effect=Tint(), temporal_filter=second),
    ]
    sink, states = Collect(), []
    run(Moving(12), Chain(steps, workers=workers), sink, on_frame=lambda _, after: states.append(after))
    one, two, before = FlowFilter(), FlowFilter(), None
    for made, source, after in zip(sink.frames, Moving(12), states, strict=True):
        motion = None if before is None else estimate_motion(flow_luma(before), flow_luma(source))
        middle = one.apply(Tint().apply(source), motion)
        expected = two.apply(Tint().apply(Invert().apply(middle)), motion)
        assert np.array_equal(made.pixels, expected.pixels)
        assert after[1] is None
        for ours, theirs in ((after[0], one.state), (after[2], two.state)):
            assert ours is not None and theirs is not None
            assert all(np.array_equal(*pair) for pair in zip(ours, theirs, strict=True))
        before = source


def test_a_chain_continues_from_packed_states() -> None:
    def steps() -> list[ChainStep]:
        return [
            ChainStep(effect=Tint(), temporal_filter=FlowFilter()),
            ChainStep(effect=Invert()),
            ChainStep(effect=Tint(), temporal_filter=FlowFilter()),
        ]

    whole, states = Collect(), []
    run(Moving(12), Chain(steps(), workers=2), whole, on_frame=lambda _, after: states.append(after))
    frames = list(Moving(12))
    resumed = Chain(steps(), workers=2)
    resumed.states = unpack_states(pack_states(states[5]), 3)
    busy = {"effect": 0.0, "smooth": 0.0}
    rest = [each.frame for each in resumed.run(frames[6:], busy, before=frames[5])]
    assert len(rest) == 6
    for ours, theirs in zip(rest, whole.frames[6:], strict=True):
        assert np.array_equal(ours.pixels, theirs.pixels)
    assert unpack_states(pack_states([None, None]), 2) == (None, None)
