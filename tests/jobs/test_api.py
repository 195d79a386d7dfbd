"""The Python functions: what they accept, and what they refuse by name."""

import inspect
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import vidgan
from tests.support.commands import SAMPLES
from vidgan.tasks import all_tasks

CLIP = SAMPLES / "bunny.mp4"


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    bgr = cv2.imread(str(SAMPLES / "bunny.jpg"))
    return np.ascontiguousarray(cv2.resize(bgr, (320, 180))[:, :, ::-1])


def test_an_array_comes_back_as_an_array(photo: np.ndarray) -> None:
    session = vidgan.load_style("starry", device="cpu")
    stylized = vidgan.stylize(photo, style=session)
    assert stylized.shape == photo.shape and stylized.dtype == np.uint8
    assert np.array_equal(stylized, session.run(photo[np.newaxis])[0])
    assert np.array_equal(vidgan.stylize(photo, style="starry", strength=0.0), photo)
    assert vidgan.upscale(photo, scale=2).shape == (360, 640, 3)
    assert vidgan.run_array(photo, ["starry", "upscale:scale=2"]).shape == (360, 640, 3)
    with pytest.raises(ValueError, match="uint8"):
        vidgan.stylize(photo.astype(np.float32), style="starry")
    with pytest.raises(vidgan.InputError, match="too few"):
        vidgan.stylize(photo[:8], style="starry")


def test_plain_values_are_accepted_and_wrong_ones_refused_by_name(tmp_path: Path) -> None:
    result = vidgan.stylize(
        CLIP,
        tmp_path / "a.mp4",
        style="starry",
        size=90,
        trim=(0, "0.2"),
        look_ahead=2.0,
        strength=np.float32(1),
    )
    assert (result.height, result.frames) == (90, 5)
    for wrong, words in (
        ({"size": 3.5}, "size"),
        ({"trim": 3}, "trim"),
        ({"strength": "x"}, "strength"),
        ({"strength": 2}, "strength must be between 0 and 1"),
        ({"glide": float("nan")}, "glide must be between 0 and 3600, got nan"),
        ({"preserve_color": 1}, "preserve_color"),
        ({"look_ahead": 1.5}, "look_ahead"),
        ({"rate": 0}, "rate"),
        ({"rate": "fast"}, "rate: must be a number"),
        ({"rate": float("inf")}, "rate: must be a number"),
        ({"rate": "1e999999999"}, "rate: must be a number"),
        ({"cancel": 3}, "cancel: must be an event"),
        ({"on_frame": 3}, "on_frame: must be a function"),
        ({"encoder_options": {"crf": 18}}, "encoder_options"),
        ({"smooth": "much"}, "smooth must be one of"),
        ({"device": "gpu"}, "device"),
    ):
        with pytest.raises(vidgan.VidganError, match=words):
            vidgan.stylize(CLIP, tmp_path / "b.mp4", style="starry", **wrong)
    with pytest.raises(TypeError, match="no option strenght"):
        vidgan.stylize(CLIP, tmp_path / "b.mp4", style="starry", strenght=1)
    with pytest.raises(TypeError, match="needs the option style"):
        vidgan.stylize(CLIP, tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_paths_steps_and_tasks_of_the_wrong_type_are_refused_by_name(
    tmp_path: Path, photo: np.ndarray
) -> None:
    three: Any = 3
    for call, words in (
        (lambda: vidgan.stylize(three, tmp_path / "b.mp4", style="starry"), "input: must be a path, got 3"),
        (lambda: vidgan.stylize(CLIP, three, style="starry"), "output: must be a path, got 3"),
        (lambda: vidgan.run(CLIP, tmp_path / "b.mp4", [three]), "steps: a step is a text"),
        (lambda: vidgan.run(CLIP, tmp_path / "b.mp4", three), "steps: must be a step or a list"),
        (lambda: vidgan.run(CLIP, tmp_path / "b.mp4", []), "at least one step"),
        (lambda: vidgan.load_model("starry", "gpu"), "task: must be one of style, upscale"),
    ):
        with pytest.raises(vidgan.InputError, match=words):
            call()
    assert not list(tmp_path.iterdir())
    assert np.array_equal(vidgan.run_array(photo, "stylize:starry,strength=0"), photo)


def test_signatures_and_documentation_come_from_the_options() -> None:
    parameters = inspect.signature(vidgan.stylize).parameters
    assert parameters["strength"].default == 1.0 and parameters["trim"].kind == inspect.Parameter.KEYWORD_ONLY
    assert "Share of the painting" in (vidgan.stylize.__doc__ or "")
    assert {*vidgan.__all__, *(task.verb for task in all_tasks())} <= set(dir(vidgan))
    assert {task.verb for task in all_tasks()} <= set(vidgan.__all__)
    for name in vidgan.__all__:
        assert inspect.getdoc(getattr(vidgan, name)), name


def test_options_of_jobs_are_those_of_the_settings() -> None:
    from vidgan.jobs.provenance import ProvenanceSettings
    from vidgan.jobs.settings import JobOptions, JobSettings
    from vidgan.tasks.options import options_of

    calls = {"on_start", "on_frame", "on_encode", "on_size", "cancel"}
    others = {"device", "overwrite", "pipe_format"} | calls
    signing = set(options_of(ProvenanceSettings))
    assert set(JobOptions.__annotations__) == set(options_of(JobSettings)) | signing | others
