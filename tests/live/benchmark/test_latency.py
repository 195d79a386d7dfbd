"""``vidgan bench live``: frame numbers in pixels, and statistics of arrivals."""

import json
from importlib.util import find_spec
from itertools import pairwise

import cv2
import numpy as np
import pytest

from tests.live.fakes import gray_pair
from tests.support.commands import SAMPLES, vidgan
from vidgan.jobs.api import load_style
from vidgan.live.benchmark.frame_number import MAX_NUMBER, draw_frame_number, read_frame_number
from vidgan.live.benchmark.latency import ArrivalLog, NumberedSource, images_of
from vidgan.media.image import YuvImage
from vidgan.models.registry import bundled_models


def numbered(number: int, size: tuple[int, int] = (640, 360)) -> YuvImage:
    random = np.random.default_rng(number)
    small = random.integers(0, 256, (9, 16, 3), np.uint8)
    planes = YuvImage.from_rgb(np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8))
    draw_frame_number(planes.luma, number)
    return planes


@pytest.mark.parametrize("number", [0, 1, 0b1010101010101010, 12345, MAX_NUMBER])
@pytest.mark.parametrize("size", [(640, 360), (320, 184), (1280, 720)])
def test_frame_number_is_read_back(number: int, size: tuple[int, int]) -> None:
    assert read_frame_number(numbered(number, size).luma) == number


def test_no_frame_number_is_none() -> None:
    random = np.random.default_rng(1)
    read = [read_frame_number(random.integers(0, 256, (90, 160), np.uint8)) for _ in range(64)]
    assert read.count(None) > 48
    assert read_frame_number(np.zeros((90, 160), np.uint8)) is None


@pytest.mark.parametrize("style", bundled_models("style"))
def test_frame_number_survives_every_style(style: str) -> None:
    session = load_style(style, device="cpu")
    numbers = [3, 777, 40_000, MAX_NUMBER]
    assert [read_frame_number(session.run_yuv(numbered(number)).luma) for number in numbers] == numbers


def test_frames_of_a_clip_repeat_without_a_cut() -> None:
    images = list(images_of(SAMPLES / "bunny.mp4", (160, 90)))
    assert len(images) == 60 and images[0].shape == (90, 160, 3)
    around = [*images, images[0]]
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(around)]
    assert steps[29] == steps[59] == 0 and max(steps) < 20
    source = NumberedSource((160, 90), 240, images)
    frames = source.frames()
    numbers = [read_frame_number(np.asarray(next(frames).to_ndarray()[:90], np.uint8)) for _ in range(61)]
    assert numbers == list(range(61))


def test_arrival_stats(monkeypatch: pytest.MonkeyPatch) -> None:
    source = NumberedSource((64, 48), 30)
    source.captured = {number: 100_000 * number for number in range(10)}
    log = ArrivalLog(source)
    for number, late in ((1, 10), (2, 20), (4, 30), (5, 90)):
        monkeypatch.setattr(
            "vidgan.live.benchmark.latency.now", lambda n=number, late=late: 100_000 * n + 1000 * late
        )
        arrived = gray_pair(0, 0, (320, 180))
        assert isinstance(arrived.input.image, YuvImage)
        draw_frame_number(arrived.input.image.luma, number)
        log.add(arrived)
    log.add(gray_pair(0, 0, (320, 180)))
    found = log.stats(since=0)
    assert (found.frames, found.dropped, found.unreadable) == (4, 1, 1)
    assert found.median_ms == 25 and found.longest_gap_ms == 210
    assert found.fps == pytest.approx(3000 / (110 + 210 + 160))
    assert log.stats(since=200_000).frames == 3


def test_bench_live_command() -> None:
    web = find_spec("aiohttp") is not None and find_spec("aiortc") is not None
    words = ["--size", "320x180", "--seconds", "4", "--changes", "4", "--json", *(["--web"] if web else [])]
    run = vidgan("bench", "live", *words)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert set(found["sinks"]) == {"recording", *(["page"] if web else [])}
    arrivals = found["sinks"]["recording"]
    assert found["style_changes"] == 4 and arrivals["frames"] > 0
    assert 0 < arrivals["median_ms"] <= arrivals["p95_ms"] <= arrivals["p99_ms"]
    # Other times than those of capture would deviate by seconds.
    assert found["recording_error_ms"] < 1000


def test_bench_without_a_subcommand_measures_a_video() -> None:
    run = vidgan("bench", "--help")
    assert run.returncode == 0 and "time of a video" in run.stdout and "live" in run.stdout
    run = vidgan("bench", "nowhere.mp4")
    assert run.returncode == 2 and "nowhere.mp4" in run.stderr
