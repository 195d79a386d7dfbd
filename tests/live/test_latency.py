"""``vidgan bench live``: numbers in pixels, and what is made of them."""

import json
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from live.test_recording import shot
from support.commands import vidgan

from vidgan.jobs.api import load_style
from vidgan.live.latency import StampedSource, Watcher
from vidgan.live.stamp import MOST, read_stamp, write_stamp
from vidgan.media.image import YuvImage
from vidgan.models.registry import bundled_models


def stamped(number: int, size: tuple[int, int] = (640, 360)) -> YuvImage:
    random = np.random.default_rng(number)
    small = random.integers(0, 256, (9, 16, 3), np.uint8)
    planes = YuvImage.from_rgb(np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8))
    write_stamp(planes.luma, number)
    return planes


@pytest.mark.parametrize("number", [0, 1, 0b1010101010101010, 12345, MOST])
@pytest.mark.parametrize("size", [(640, 360), (320, 184), (1280, 720)])
def test_what_was_written_is_read(number: int, size: tuple[int, int]) -> None:
    assert read_stamp(stamped(number, size).luma) == number


def test_where_there_is_no_number_none_is_read() -> None:
    random = np.random.default_rng(1)
    read = [read_stamp(random.integers(0, 256, (90, 160), np.uint8)) for _ in range(64)]
    assert read.count(None) > 48
    assert read_stamp(np.zeros((90, 160), np.uint8)) is None


@pytest.mark.parametrize("style", bundled_models("style"))
def test_every_style_leaves_it_readable(style: str) -> None:
    session = load_style(style, device="cpu")
    numbers = [3, 777, 40_000, MOST]
    assert [read_stamp(session.run_yuv(stamped(number)).luma) for number in numbers] == numbers


def test_arrivals_are_reckoned_from_what_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    source = StampedSource((64, 48), 30)
    source.made = {number: 100_000 * number for number in range(10)}
    watcher = Watcher(source)
    for number, late in ((1, 10), (2, 20), (4, 30), (5, 90)):
        monkeypatch.setattr("vidgan.live.latency.now", lambda n=number, late=late: 100_000 * n + 1000 * late)
        arrived = shot(0, 0, (320, 180))
        write_stamp(arrived.source.image.luma, number)
        watcher.note(arrived)
    watcher.note(shot(0, 0, (320, 180)))
    found = watcher.arrivals(since=0)
    assert (found.frames, found.dropped, found.unreadable) == (4, 1, 1)
    assert found.median_ms == 25 and found.longest_gap_ms == 210
    assert found.fps == pytest.approx(3000 / (110 + 210 + 160))
    assert watcher.arrivals(since=200_000).frames == 3


def test_the_command_measures_what_arrives() -> None:
    web = find_spec("aiohttp") is not None and find_spec("aiortc") is not None
    words = ["--size", "320x180", "--seconds", "4", "--changes", "4", "--json", *(["--web"] if web else [])]
    run = vidgan("bench", "live", *words)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert set(found["sinks"]) == {"recording", *(["page"] if web else [])}
    arrivals = found["sinks"]["recording"]
    assert found["changes"] == 4 and arrivals["frames"] > 0
    assert 0 < arrivals["median_ms"] <= arrivals["p95_ms"] <= arrivals["p99_ms"]
    # Times that were not those of the capture would be off by seconds.
    assert found["recorded_off_ms"] < 1000


def test_a_film_is_still_what_is_measured_when_nothing_is_said() -> None:
    run = vidgan("bench", "--help")
    assert run.returncode == 0 and "film" in run.stdout and "live" in run.stdout
    run = vidgan("bench", "nowhere.mp4")
    assert run.returncode == 2 and "nowhere.mp4" in run.stderr
