"""The contract of effects, for those of every task: :class:`vidgan.tasks.task.Effect`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

import vidgan.jobs.provenance
import vidgan.tasks
from tests.support.clips import scene
from tests.support.contracts import assert_same_frame, implementations
from tests.support.streets import street_labels
from tests.support.tiny_models import info_of, model_file, open_step
from tests.support.translators import CLASSES, translator_file
from vidgan.jobs.provenance import MarkEffect
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage, YuvImage
from vidgan.media.label_map import Palette
from vidgan.provenance.pixel_mark import PixelMark
from vidgan.tasks import all_tasks
from vidgan.tasks.colorize import ColorizeSettings
from vidgan.tasks.deidentify import DeidentifySettings
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.people.pose_search import PoseSearch
from vidgan.tasks.restore import RestoreSettings
from vidgan.tasks.segment import SegmentSettings
from vidgan.tasks.style import StyleSettings
from vidgan.tasks.task import Effect, TaskSettings
from vidgan.tasks.translate import TranslateSettings
from vidgan.tasks.upscale import UpscaleSettings

WIDTH, HEIGHT = 96, 72
INFO = info_of(WIDTH, HEIGHT)
Opened = tuple[Effect, VideoInfo]


def photo(index: int) -> Pixels:
    return scene(index, WIDTH, HEIGHT)


def label_map(index: int) -> Pixels:
    return Palette.of(CLASSES).draw(street_labels(index, (HEIGHT, WIDTH)))


@dataclass(frozen=True, kw_only=True)
class Case:
    """An effect.

    Attributes:
        task: whose model it has; None for those of no model.
        open: with a model file of the task, and what its frames should be like.
        pixels: of the frames that it takes.
        tolerance: mean absolute error between what becomes of RGB and of luma and chroma.
        changes: whether anything should become of a frame.
    """

    task: str | None
    open: Callable[[Path], Opened]
    pixels: Callable[[int], Pixels] = photo
    tolerance: float = 3.0
    changes: bool = True


def opened(settings: TaskSettings) -> Opened:
    found = open_step(settings, INFO)
    assert found.step.effect is not None
    return found.step.effect, found.output_info


def other_style(model: Path) -> Path:
    return model_file(model.with_name("other.onnx"), "style")


def two_styles(model: Path) -> str:
    return f"0s:{model},0.1s:{other_style(model)}"


def half(model: Path) -> Path:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, WIDTH // 2 :] = 255
    path = model.with_name("mask.png")
    assert cv2.imwrite(str(path), mask)
    return path


CASES = {
    "style": Case(task="style", open=lambda model: opened(StyleSettings(style=str(model)))),
    "style of strength 0.4": Case(
        task="style", open=lambda model: opened(StyleSettings(style=str(model), strength=0.4))
    ),
    "style of strength 0": Case(
        task="style", open=lambda model: opened(StyleSettings(style=str(model), strength=0)), changes=False
    ),
    "style with the input's colors": Case(
        task="style", open=lambda model: opened(StyleSettings(style=str(model), preserve_color=True))
    ),
    "styles that follow each other": Case(
        task="style", open=lambda model: opened(StyleSettings(style=two_styles(model), glide=0.1))
    ),
    "style inside a mask, another outside": Case(
        task="style",
        open=lambda model: opened(
            StyleSettings(style=str(model), mask=half(model), style_outside=str(other_style(model)))
        ),
    ),
    "upscale": Case(task="upscale", open=lambda model: opened(UpscaleSettings(model=str(model), scale=2))),
    "upscale to a height": Case(
        task="upscale", open=lambda model: opened(UpscaleSettings(model=str(model), height=120))
    ),
    "restore": Case(task="restore", open=lambda model: opened(RestoreSettings(model=str(model)))),
    "restore of strength 0.7": Case(
        task="restore", open=lambda model: opened(RestoreSettings(model=str(model), strength=0.7))
    ),
    "translate": Case(task="translate", open=lambda model: opened(TranslateSettings(model=str(model)))),
    "translate labels": Case(
        task="translate",
        open=lambda model: opened(
            TranslateSettings(model=str(translator_file(model.with_name("labels.onnx"), "translate")))
        ),
        pixels=label_map,
        tolerance=6.0,
    ),
    "segment": Case(task="segment", open=lambda model: opened(SegmentSettings(model=str(model)))),
    "colorize": Case(
        task="colorize", open=lambda model: opened(ColorizeSettings(model=str(model))), tolerance=6.0
    ),
    "colorize of strength 0.5": Case(
        task="colorize",
        open=lambda model: opened(ColorizeSettings(model=str(model), strength=0.5)),
        tolerance=6.0,
    ),
    "deidentify": Case(
        task="deidentify", open=lambda model: opened(DeidentifySettings(model=str(model))), changes=False
    ),
    "deidentify without a generator": Case(
        task="deidentify", open=lambda _: opened(DeidentifySettings(pixelate=True)), changes=False
    ),
    "animate": Case(task=None, open=lambda _: (PoseSearch(PoseFinder()), INFO), changes=False),
    "mark": Case(task=None, open=lambda model: (MarkEffect(PixelMark("style", 7)), INFO)),
}
Given = tuple[Case, Effect, VideoInfo]


@pytest.fixture(scope="module", params=CASES)
def given(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Given:
    case = CASES[request.param]
    folder = tmp_path_factory.mktemp("model")
    effect, info = case.open(model_file(folder / "tiny.onnx", case.task) if case.task else folder)
    return case, effect, info


def frames_of(case: Case, count: int = 6) -> list[Frame]:
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    return [
        Frame(
            image=RgbImage(case.pixels(index)),
            pts=3 * index - 4,
            time_base=Fraction(1, 30),
            duration=3 + index,
            alpha=alpha if index % 2 else None,
        )
        for index in range(count)
    ]


def as_yuv(frame: Frame) -> Frame:
    return replace(frame, image=YuvImage.from_rgb(frame.pixels))


def error(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_time_is_kept(given: Given) -> None:
    case, effect, _ = given
    for frame in frames_of(case):
        for each in (frame, as_yuv(frame)):
            found = effect.apply(each)
            assert (found.pts, found.time_base, found.duration) == (
                frame.pts,
                frame.time_base,
                frame.duration,
            )


def test_alpha_is_kept_or_scaled(given: Given) -> None:
    case, effect, info = given
    for frame in frames_of(case):
        found = effect.apply(frame)
        if frame.alpha is None:
            assert found.alpha is None
            continue
        assert found.alpha is not None and found.alpha.shape == (info.height, info.width)
        # It is a ramp from left to right, whatever its size.
        ramp = np.linspace(0, 255, info.width)
        assert np.abs(found.alpha - ramp).max() < 4


def test_the_size_is_that_of_output_info(given: Given) -> None:
    case, effect, info = given
    for frame in frames_of(case, 2):
        for each in (frame, as_yuv(frame)):
            assert effect.apply(each).size == (info.width, info.height)


def test_something_becomes_of_a_frame(given: Given) -> None:
    case, effect, info = given
    frame = frames_of(case, 1)[0]
    if frame.size == (info.width, info.height):
        assert (error(effect.apply(frame).pixels, frame.pixels) > 0) == case.changes


def test_frames_are_not_changed_in_place(given: Given) -> None:
    case, effect, _ = given
    for frame in frames_of(case):
        before = frame.pixels.copy(), None if frame.alpha is None else frame.alpha.copy()
        effect.apply(frame)
        np.testing.assert_array_equal(frame.pixels, before[0])
        np.testing.assert_array_equal(frame.alpha, before[1])
    yuv = as_yuv(frames_of(case)[0])
    assert isinstance(yuv.image, YuvImage)
    planes = yuv.image.luma.copy(), yuv.image.chroma.copy()
    effect.apply(yuv)
    np.testing.assert_array_equal(yuv.image.luma, planes[0])
    np.testing.assert_array_equal(yuv.image.chroma, planes[1])


def test_frames_know_nothing_of_each_other(given: Given) -> None:
    case, effect, _ = given
    frames = frames_of(case)
    forwards = [effect.apply(frame) for frame in frames]
    backwards = [effect.apply(frame) for frame in reversed(frames)]
    for one, two in zip(forwards, reversed(backwards), strict=True):
        assert_same_frame(one, two)


def test_threads_give_the_same_result(given: Given) -> None:
    case, effect, _ = given
    frames = [*frames_of(case), *map(as_yuv, frames_of(case))]
    alone = [effect.apply(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(effect.apply, frames * 3))
    for found, expected in zip(together, alone * 3, strict=True):
        assert_same_frame(found, expected)


def test_rgb_and_yuv_agree(given: Given) -> None:
    case, effect, _ = given
    for frame in map(as_yuv, frames_of(case)):
        rgb = effect.apply(frame.with_pixels(frame.pixels))
        yuv = effect.apply(frame)
        assert error(rgb.pixels, yuv.pixels) <= case.tolerance


def test_every_effect_is_among_the_cases(tmp_path: Path) -> None:
    found = set()
    for case in CASES.values():
        model = model_file(tmp_path / str(case.task) / "tiny.onnx", case.task) if case.task else tmp_path
        found.add(type(case.open(model)[0]))
    assert found == implementations(Effect, vidgan.tasks, vidgan.jobs.provenance)
    # The effect of reveal is that of deidentify, and that of animate has no model of the task.
    others = {"reveal", "animate"}
    assert {case.task for case in CASES.values()} == {None, *(task.name for task in all_tasks())} - others
