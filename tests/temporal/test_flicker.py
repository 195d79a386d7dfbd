"""``vidgan measure flicker``: what moves with its source is steady, what does not is counted."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.images import read_pixels
from vidgan.errors import InputError
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.media.optical_flow import Flow
from vidgan.sinks import open_sink
from vidgan.temporal.flicker import measure_flicker, warping_error

FRAMES = 6


def pan(shift: int) -> Pixels:
    photo = read_pixels(SAMPLES / "bunny.jpg")[:, :, ::-1]
    return np.ascontiguousarray(photo[200:380, 300 + 2 * shift : 620 + 2 * shift])


def write(path: Path, frames: list[Pixels]) -> Path:
    height, width, _ = frames[0].shape
    info = VideoInfo(width=width, height=height, time_base=Fraction(1, 25), frame_rate=Fraction(25))
    with open_sink(path, info) as sink:
        for index, pixels in enumerate(frames):
            sink.write(Frame(image=RgbImage(pixels), pts=index, time_base=info.time_base, duration=1))
    return path


def inverted(pixels: Pixels, brighter: int = 0) -> Pixels:
    return np.asarray(np.clip(255 - pixels.astype(int) + brighter, 0, 255), np.uint8)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    frames = [pan(shift) for shift in range(FRAMES)]
    return {
        "source": write(folder / "source.mp4", frames),
        "steady": write(folder / "steady.mp4", [inverted(each) for each in frames]),
        "flickering": write(
            folder / "flickering.mp4", [inverted(each, 20 * (index % 2)) for index, each in enumerate(frames)]
        ),
        "blurred": write(folder / "blurred.mp4", [cv2.blur(inverted(each), (5, 5)) for each in frames]),
        "short": write(folder / "short.mp4", frames[:-1]),
    }


def test_a_constant_change_of_brightness_is_its_square() -> None:
    gray = np.full((64, 64, 3), 100, np.uint8)
    assert warping_error(gray, gray + np.uint8(51), pan(0)[:64, :64], pan(0)[:64, :64]) == pytest.approx(0.04)


def test_steady_is_less_than_flickering(clips: dict[str, Path]) -> None:
    steady = measure_flicker(clips["steady"], clips["source"])
    flickering = measure_flicker(clips["flickering"], clips["source"])
    assert len(steady.warping_errors) == FRAMES - 1
    assert steady.warping_error < 0.001
    # Twenty gray levels, here and there cut off at white.
    assert 0.8 * (20 / 255) ** 2 < flickering.warping_error - steady.warping_error < 1.05 * (20 / 255) ** 2


def test_price_of_stability(clips: dict[str, Path]) -> None:
    same = measure_flicker(clips["steady"], clips["source"], frame_by_frame=clips["steady"])
    assert (same.sharpness, same.fidelity_db) == (1.0, None)
    blurred = measure_flicker(clips["blurred"], clips["source"], frame_by_frame=clips["steady"])
    assert blurred.sharpness is not None and 0.05 < blurred.sharpness < 0.7
    assert blurred.fidelity_db is not None and 20 < blurred.fidelity_db < 40


def test_clips_of_different_length_are_refused(clips: dict[str, Path]) -> None:
    with pytest.raises(InputError, match=r"short\.mp4: ends after 5 frames"):
        measure_flicker(clips["short"], clips["source"])


def never(*_: Pixels) -> Flow:
    raise AssertionError("the motion was estimated")


def test_videos_of_different_length_are_found_before_any_work(clips: dict[str, Path]) -> None:
    with pytest.raises(InputError, match=r"short\.mp4: ends after 5 frames, the other has 6"):
        measure_flicker(clips["short"], clips["source"], estimate=never)
    with pytest.raises(InputError, match="ends after 5 frames"):
        measure_flicker(clips["steady"], clips["source"], frame_by_frame=clips["short"], estimate=never)


def test_videos_of_another_shape_are_found_before_any_work(clips: dict[str, Path], tmp_path: Path) -> None:
    beside = write(tmp_path / "beside.mp4", [np.hstack([pan(shift)] * 2) for shift in range(FRAMES)])
    with pytest.raises(InputError, match=r"640x180.* 320x180, which is another shape"):
        measure_flicker(beside, clips["source"], estimate=never)


def test_progress_counts_every_frame(clips: dict[str, Path]) -> None:
    totals: list[int | None] = []
    counts: list[int] = []
    measure_flicker(clips["steady"], clips["source"], on_start=totals.append, on_frame=counts.append)
    assert totals == [FRAMES] and counts == list(range(1, FRAMES + 1))


def test_command(clips: dict[str, Path], tmp_path: Path) -> None:
    arguments = ["measure", "flicker", clips["flickering"], "--source", clips["source"]]
    done = vidgan(*arguments, "--frame-by-frame", clips["steady"], "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["warping_error"] == pytest.approx(np.mean(found["warping_errors"]))
    assert len(found["warping_errors"]) == FRAMES - 1 and found["sharpness"] == pytest.approx(1, abs=0.1)
    pytest.importorskip("matplotlib")
    done = vidgan(*arguments, "--plot", tmp_path / "curve.png")
    assert done.returncode == 0 and "warping error" in done.stdout
    assert read_pixels(tmp_path / "curve.png").std() > 5


def test_a_missing_source_is_named(clips: dict[str, Path], tmp_path: Path) -> None:
    done = vidgan("measure", "flicker", clips["steady"], "--source", tmp_path / "gone.mp4")
    assert_one_clear_error(done, "gone.mp4", "no such file")
