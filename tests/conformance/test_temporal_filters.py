"""The contract of temporal filters, for every one: :class:`vidgan.temporal.filter.TemporalFilter`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan.tasks
import vidgan.temporal
from tests.support.commands import SAMPLES
from tests.support.contracts import assert_same_frame, implementations
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage, YuvImage
from vidgan.tasks.colorize.chroma_filter import ChromaFilter
from vidgan.tasks.colorize.hint_filter import HintFilter
from vidgan.tasks.faces.deidentification import Deidentifier
from vidgan.tasks.faces.tracking import ComingFaces
from vidgan.tasks.faces.vault.recorder import RecordingDeidentifier
from vidgan.tasks.people.animator import Animator
from vidgan.tasks.reveal import Revealing
from vidgan.tasks.style.gliding import GlidingFilter
from vidgan.temporal.blend import BlendFilter
from vidgan.temporal.filter import State, TemporalFilter
from vidgan.temporal.flow import FlowFilter
from vidgan.temporal.motion import MotionEstimate, estimate_motion, flow_luma
from vidgan.temporal.recurrent import RecurrentFilter

WIDTH, HEIGHT = 160, 96
COUNT = 8
Step = tuple[Frame, MotionEstimate | None]


class RunningMean:
    """A recurrent model: the mean of all images so far; its state is their sum and number."""

    def step(
        self, images: NDArray[np.uint8], past: NDArray[np.float32] | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        now = np.concatenate([images, np.ones_like(images[..., :1])], 3).transpose(0, 3, 1, 2)
        total = now.astype(np.float32) if past is None else past + now
        mean = total[:, :3] / total[:, 3:]
        return np.ascontiguousarray(mean.transpose(0, 2, 3, 1).round().astype(np.uint8)), total


@dataclass(frozen=True, kw_only=True)
class Case:
    """A filter.

    Attributes:
        open: without state.
        yuv: whether frames are luma and chroma.
    """

    open: Callable[[], TemporalFilter]
    yuv: bool = False


OPEN: dict[str, Callable[[], TemporalFilter]] = {
    "flow": FlowFilter,
    "flow of strength 0.5": lambda: FlowFilter(0.5),
    "blend": BlendFilter,
    "blend of strength 0.5": lambda: BlendFilter(0.5),
    "chroma": ChromaFilter,
    "gliding": lambda: GlidingFilter(FlowFilter(), lambda seconds: [1 - seconds, seconds], 1 / 25),
    "recurrent": lambda: RecurrentFilter(RunningMean(), lambda frame: frame.pixels),
}
CASES = {
    f"{name}, {'yuv' if yuv else 'rgb'}": Case(open=open, yuv=yuv)
    for name, open in OPEN.items()
    for yuv in (False, True)
}
every = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


@pytest.fixture(scope="module")
def photo() -> Pixels:
    return np.asarray(cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB), np.uint8)


@pytest.fixture(scope="module")
def rgb_steps(photo: Pixels) -> list[Step]:
    """Flickering output of a slow pan, and the motion of its source."""
    steps: list[Step] = []
    previous = None
    for index in range(COUNT):
        left = 300 + 2 * index
        source = Frame(
            image=RgbImage(np.ascontiguousarray(photo[200 : 200 + HEIGHT, left : left + WIDTH])),
            pts=index,
            time_base=Fraction(1, 25),
        )
        luma = flow_luma(source)
        motion = None if previous is None else estimate_motion(previous, luma)
        noise = np.random.default_rng(index).normal(0, 8, (HEIGHT, WIDTH, 3))
        pixels = np.clip(255.0 - source.pixels + noise, 0, 255).astype(np.uint8)
        steps.append((output_frame(pixels, index), motion))
        previous = luma
    return steps


def output_frame(pixels: Pixels, index: int) -> Frame:
    alpha = np.full((HEIGHT, WIDTH), 100 + index, np.uint8)
    return Frame(
        image=RgbImage(pixels), pts=7 * index - 3, time_base=Fraction(1, 90), duration=index, alpha=alpha
    )


def steps_for(case: Case, rgb: list[Step]) -> list[Step]:
    if not case.yuv:
        return rgb
    return [(replace(frame, image=YuvImage.from_rgb(frame.pixels)), motion) for frame, motion in rgb]


def run(temporal_filter: TemporalFilter, steps: list[Step]) -> list[Frame]:
    return [temporal_filter.apply(frame, motion) for frame, motion in steps]


def copied(state: State | None) -> State:
    assert state is not None
    return tuple(each.copy() for each in state)


def assert_same_state(found: State | None, expected: State | None) -> None:
    assert found is not None and expected is not None
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


@every
def test_there_is_no_state_at_the_start_and_arrays_afterwards(case: Case, rgb_steps: list[Step]) -> None:
    assert case.open().state is None
    temporal_filter = case.open()
    for frame, motion in steps_for(case, rgb_steps):
        temporal_filter.apply(frame, motion)
        state = temporal_filter.state
        assert isinstance(state, tuple) and state
        assert all(each.dtype == np.float32 for each in state)


@every
def test_the_first_frame_is_unchanged(case: Case, rgb_steps: list[Step]) -> None:
    frame, _ = steps_for(case, rgb_steps)[0]
    assert_same_frame(case.open().apply(frame, None), frame)


@every
def test_later_frames_are_changed(case: Case, rgb_steps: list[Step]) -> None:
    steps = steps_for(case, rgb_steps)
    found = run(case.open(), steps)
    for output, (frame, _) in zip(found[1:], steps[1:], strict=True):
        assert (output.pixels != frame.pixels).any()


@every
def test_time_size_and_alpha_are_kept(case: Case, rgb_steps: list[Step]) -> None:
    steps = steps_for(case, rgb_steps)
    for found, (frame, _) in zip(run(case.open(), steps), steps, strict=True):
        assert (found.pts, found.time_base, found.duration) == (frame.pts, frame.time_base, frame.duration)
        assert found.size == frame.size
        np.testing.assert_array_equal(found.alpha, frame.alpha)


@every
@pytest.mark.parametrize("after", [1, 4, COUNT - 1])
def test_a_restored_state_continues_bit_for_bit(case: Case, after: int, rgb_steps: list[Step]) -> None:
    steps = steps_for(case, rgb_steps)
    uninterrupted = case.open()
    expected = run(uninterrupted, steps)
    first = case.open()
    run(first, steps[:after])
    resumed = case.open()
    resumed.state = copied(first.state)
    for found, wanted in zip(run(resumed, steps[after:]), expected[after:], strict=True):
        assert_same_frame(found, wanted)
    assert_same_state(resumed.state, uninterrupted.state)


@every
def test_states_and_frames_are_not_changed_in_place(case: Case, rgb_steps: list[Step]) -> None:
    temporal_filter = case.open()
    kept: list[tuple[State, State]] = []
    for frame, motion in steps_for(case, rgb_steps):
        before = frame.pixels.copy()
        temporal_filter.apply(frame, motion)
        np.testing.assert_array_equal(frame.pixels, before)
        state = temporal_filter.state
        assert state is not None
        kept.append((state, copied(state)))
    for state, copy in kept:
        assert_same_state(state, copy)


@every
def test_outputs_are_not_changed_later(case: Case, rgb_steps: list[Step]) -> None:
    temporal_filter = case.open()
    kept = []
    for frame, motion in steps_for(case, rgb_steps):
        output = temporal_filter.apply(frame, motion)
        kept.append((output, output.pixels.copy()))
    for output, copy in kept:
        np.testing.assert_array_equal(output.pixels, copy)


@every
@pytest.mark.parametrize("kind", ["scene cut", "no motion"])
def test_a_scene_cut_resets(case: Case, kind: str, rgb_steps: list[Step]) -> None:
    steps = steps_for(case, rgb_steps)
    frame, motion = steps[4]
    assert motion is not None and not motion.scene_cut
    cut = replace(motion, scene_cut=True) if kind == "scene cut" else None
    after_cut, fresh = case.open(), case.open()
    run(after_cut, steps[:4])
    assert_same_frame(after_cut.apply(frame, cut), fresh.apply(frame, None))
    assert_same_state(after_cut.state, fresh.state)
    for found, expected in zip(run(after_cut, steps[5:]), run(fresh, steps[5:]), strict=True):
        assert_same_frame(found, expected)


@pytest.mark.parametrize("name", OPEN)
def test_rgb_and_yuv_agree(name: str, rgb_steps: list[Step]) -> None:
    case = Case(open=OPEN[name], yuv=True)
    yuv = steps_for(case, rgb_steps)
    rgb = [(frame.with_pixels(frame.pixels), motion) for frame, motion in yuv]
    for one, two in zip(run(OPEN[name](), rgb), run(OPEN[name](), yuv), strict=True):
        assert np.abs(one.pixels.astype(int) - two.pixels).mean() < 2


def test_every_filter_is_among_the_cases() -> None:
    found = {type(open()) for open in OPEN.values()}
    # Those follow faces and smooth nothing: tests/tasks/faces/test_face_tracking.py has their contract.
    found |= {ComingFaces, Deidentifier, RecordingDeidentifier, Revealing}
    # It generates the person of another image: tests/tasks/test_animate.py has its contract.
    found |= {Animator}
    # It puts colors in, into the first frame too: tests/tasks/colorize/test_color_hints.py has its contract.
    found |= {HintFilter}
    assert found == implementations(TemporalFilter, vidgan.temporal, vidgan.tasks)
