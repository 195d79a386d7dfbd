"""Temporal reuse: what is generated, what stands for the rest, and that neither depends on how a job is run."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES
from tests.support.images import read_pixels
from vidgan.jobs import frame_groups
from vidgan.jobs.chain import Chain, ChainOutput
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage
from vidgan.tasks.task import ChainStep
from vidgan.temporal.flow import FlowFilter

RATE = Fraction(1, 25)
PHOTO = read_pixels(SAMPLES / "bunny.jpg")
OTHER = 255 - PHOTO[::-1, ::-1]
WIDTH, HEIGHT = 320, 180
BUSY = {"effect": 0.0, "smooth": 0.0}


def view(left: int, photo: Pixels = PHOTO) -> Pixels:
    """A part of a photo; photos taken two pixels apart are a pan."""
    return np.ascontiguousarray(photo[100 : 100 + HEIGHT, 100 + left : 100 + left + WIDTH])


def frames_of(images: Sequence[Pixels]) -> list[Frame]:
    return [
        Frame(image=RgbImage(each), pts=7 * number, time_base=RATE, duration=7)
        for number, each in enumerate(images)
    ]


class Invert:
    """Remembers which frames it was applied to."""

    def __init__(self) -> None:
        self.applied: list[int] = []

    def apply(self, frame: Frame) -> Frame:
        self.applied.append(frame.pts // 7)
        return frame.with_pixels(255 - frame.pixels)


def run(
    images: Sequence[Pixels], reuse: int, *, smooth: bool = True, workers: int = 2
) -> tuple[list[ChainOutput], list[int]]:
    effect = Invert()
    step = ChainStep(effect=effect, temporal_filter=FlowFilter() if smooth else None, reuse=reuse)
    chain = Chain([step], workers=workers)
    outputs = list(chain.run(frames_of(images), dict(BUSY)))
    assert chain.generated == len(effect.applied)
    assert [each.frame.pts for each in outputs] == [7 * number for number in range(len(images))]
    assert all(each.frame.duration == 7 for each in outputs)
    return outputs, sorted(effect.applied)


def pixels_of(outputs: Sequence[ChainOutput]) -> list[Pixels]:
    return [each.frame.pixels for each in outputs]


def noisy(image: Pixels, seed: int) -> Pixels:
    """As a codec leaves it: here and there a byte is one more or less."""
    random = np.random.default_rng(seed)
    noise = random.choice([-1, 0, 0, 0, 0, 1], image.shape)
    return np.asarray(np.clip(image + noise, 0, 255), np.uint8)


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("reuse", [1, 2])
def test_duplicates_repeat_the_former_output_to_the_byte(reuse: int, smooth: bool) -> None:
    images = [noisy(view(8 * (number // 3)), number) for number in range(12)]
    outputs, applied = run(images, reuse, smooth=smooth)
    made = pixels_of(outputs)
    for number in range(12):
        assert np.array_equal(made[number], made[number - number % 3])
    assert all(not np.array_equal(made[number], made[number + 3]) for number in range(0, 9, 3))
    assert set(applied) <= {0, 3, 6, 9}
    assert len(applied) == (4 if reuse == 1 or not smooth else len(applied)) < 12


class LeftOfInput:
    """A compositor that keeps the left half of the input."""

    def compose(self, before: Frame, output: Frame) -> Frame:
        pixels = output.pixels.copy()
        pixels[:, : WIDTH // 2] = before.pixels[:, : WIDTH // 2]
        return output.with_pixels(pixels)


def test_what_is_kept_of_the_input_is_of_each_duplicate_its_own() -> None:
    images = [noisy(view(8 * (number // 3)), number) for number in range(9)]
    step = ChainStep(effect=Invert(), temporal_filter=FlowFilter(), compositor=LeftOfInput(), reuse=2)
    outputs = pixels_of(list(Chain([step], workers=2).run(frames_of(images), dict(BUSY))))
    half = WIDTH // 2
    for number, (image, made) in enumerate(zip(images, outputs, strict=True)):
        assert np.array_equal(made[:, :half], image[:, :half])
        assert np.array_equal(made[:, half:], outputs[number - number % 3][:, half:])


def test_a_slow_change_is_not_taken_for_duplicates() -> None:
    """Each frame differs from the one before by less than noise; the tenth from the first by much more."""
    images = [cv2.add(view(0) // 2, (number // 2,) * 3) for number in range(20)]
    made = pixels_of(run(images, 1, smooth=False)[0])
    worst = max(int(cv2.absdiff(output, 255 - each).max()) for output, each in zip(made, images, strict=True))
    assert worst <= 2


def test_a_small_thing_that_moves_is_no_duplicate() -> None:
    images = []
    for number in range(6):
        image = view(0).copy()
        cv2.circle(image, (60 + 2 * number, 60), 2, (255, 255, 255), -1)
        images.append(image)
    assert run(images, 1)[1] == list(range(6))


def test_without_reuse_frames_are_those_of_every_frame_generated() -> None:
    images = [noisy(view(3 * (number // 2)), number) for number in range(9)]
    outputs, applied = run(images, 0)
    assert applied == list(range(9))
    again = [run(images, 0, workers=1)[0], outputs]
    assert all(np.array_equal(*pair) for pair in zip(*map(pixels_of, again), strict=True))
    assert not np.array_equal(outputs[1].frame.pixels, outputs[0].frame.pixels)


@pytest.mark.parametrize(("reuse", "expected"), [(2, [0, 2, 4, 6, 8]), (3, [0, 3, 6, 8])])
def test_a_pan_is_carried(reuse: int, expected: list[int]) -> None:
    images = [view(3 * number) for number in range(9)]
    outputs, applied = run(images, reuse)
    assert applied == expected
    inside = slice(16, -16)
    for image, made in zip(images, pixels_of(outputs), strict=True):
        assert cv2.PSNR(made[inside, inside], 255 - image[inside, inside]) > 29
    # The former frame as it was would be far from that.
    assert all(cv2.PSNR(a[inside, inside], b[inside, inside]) < 26 for a, b in pairwise(images))


@pytest.mark.parametrize("workers", [1, 3])
def test_outputs_do_not_depend_on_the_number_of_workers(workers: int) -> None:
    images = [view(3 * number) for number in range(7)]
    ours, theirs = (pixels_of(run(images, 2, workers=each)[0]) for each in (workers, 2))
    assert all(np.array_equal(*pair) for pair in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("cut", [3, 4, 5])
def test_nothing_is_carried_over_a_cut(cut: int) -> None:
    images = [view(3 * number, PHOTO if number < cut else OTHER) for number in range(9)]
    outputs, applied = run(images, 2)
    assert cut in applied
    assert np.array_equal(outputs[cut].frame.pixels, 255 - images[cut])
    # The frame before the cut is carried only where the next generated one is of its scene.
    assert cut % 2 == 1 or cut - 1 in applied


def test_what_no_neighbor_shows_is_generated() -> None:
    random = np.random.default_rng(0)
    images = [view(3 * number) for number in range(7)]
    images[3] = images[3].copy()
    images[3][40:120, 60:200] = random.integers(0, 256, (80, 140, 3), np.uint8)
    assert 3 in run(images, 2)[1]


def test_a_small_subject_that_no_neighbor_shows_is_generated() -> None:
    """Most of the frame stands still, and is explained."""
    random = np.random.default_rng(0)
    images = [view(0).copy() for _ in range(7)]
    for image in images[2:]:
        image[60:110, 100:160] = random.integers(0, 256, (50, 60, 3), np.uint8)
    assert run(images, 2)[1] == [0, 2, 3, 4, 5, 6]


def test_a_fade_goes_on_in_carried_frames() -> None:
    images = [cv2.add(view(0) // 2, (4 * number,) * 3) for number in range(13)]
    outputs, applied = run(images, 2)
    assert applied == list(range(0, 13, 2))
    steps = -np.diff([float(each.mean()) for each in pixels_of(outputs)])
    assert steps.min() > 1.5 and steps.max() < 6.5


@pytest.mark.parametrize("reuse", [1, 2, 3])
def test_a_resumed_job_makes_the_frames_of_an_undisturbed_one(
    reuse: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where duplicates stand on both sides of the end of a segment."""
    monkeypatch.setattr(frame_groups, "SEGMENT_FRAMES", 8)
    frames = frames_of([noisy(view(3 * (number if number < 6 else 6)), number) for number in range(12)])

    def chain() -> Chain:
        return Chain([ChainStep(effect=Invert(), temporal_filter=FlowFilter(), reuse=reuse)], workers=2)

    whole = list(chain().run(frames, dict(BUSY)))
    second = chain()
    second.states = whole[7].states
    rest = list(second.run(frames[8:], dict(BUSY), before=frames[7], first=8))
    assert len(rest) == 4
    for ours, theirs in zip(rest, whole[8:], strict=True):
        assert np.array_equal(ours.frame.pixels, theirs.frame.pixels)
        assert ours.states[0] is not None and theirs.states[0] is not None
        assert all(np.array_equal(*pair) for pair in zip(ours.states[0], theirs.states[0], strict=True))


def test_a_chain_reuses_only_where_every_step_can() -> None:
    images = [view(3 * number) for number in range(5)]
    first, second = Invert(), Invert()
    steps = [
        ChainStep(effect=first, temporal_filter=FlowFilter(), reuse=2),
        ChainStep(effect=second, temporal_filter=FlowFilter()),
    ]
    list(Chain(steps, workers=2).run(frames_of(images), dict(BUSY)))
    assert sorted(first.applied) == sorted(second.applied) == list(range(5))


def test_a_later_step_sees_carried_frames() -> None:
    images = [view(3 * number) for number in range(5)]
    first, second = Invert(), Invert()
    steps = [
        ChainStep(effect=first, temporal_filter=FlowFilter(), reuse=2),
        ChainStep(effect=second, reuse=1),
    ]
    outputs = list(Chain(steps, workers=2).run(frames_of(images), dict(BUSY)))
    assert sorted(first.applied) == [0, 2, 4] and sorted(second.applied) == list(range(5))
    inside = slice(16, -16)
    for image, made in zip(images, pixels_of(outputs), strict=True):
        assert cv2.PSNR(made[inside, inside], image[inside, inside]) > 29
