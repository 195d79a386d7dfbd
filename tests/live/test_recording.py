"""Recordings: real times, and nothing of them lost."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from live.pictures import Kept, Scripted, controls, forever, pixels_of, times_of

from vidgan.errors import OutputError, OutputExistsError
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls, Look
from vidgan.live.live import Live
from vidgan.live.sinks.recording import Recording, RecordingSink
from vidgan.live.sinks.snapshot import SnapshotSink
from vidgan.live.stylizer import Shot
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage

LOOK = Look(style="x")


def shot(value: int, pts: int, size: tuple[int, int] = (64, 48)) -> Shot:
    pixels = np.full((size[1], size[0], 3), value, np.uint8)
    frame = Frame(image=YuvImage.from_rgb(pixels), pts=pts, time_base=TIME_BASE)
    return Shot(frame, frame, LOOK)


@pytest.fixture
def wishes() -> Controls:
    return Controls(LOOK, styles=["x"], recording=True)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "webm"])
def test_times_are_those_of_the_capture(tmp_path: Path, wishes: Controls, suffix: str) -> None:
    path, said = tmp_path / f"a.{suffix}", list[str]()
    times = [7_000_000, 7_040_000, 7_055_000, 7_300_000, 9_000_000]
    sink = RecordingSink(wishes, path, fps=30, say=said.append)
    for value, pts in enumerate(times):
        sink.write(shot(40 * value + 20, pts))
    sink.finish()
    assert times_of(path) == pytest.approx([(pts - times[0]) / 1e6 for pts in times], abs=1.1e-3)
    greys = [float(pixels.mean()) for pixels in pixels_of(path)]
    assert greys == pytest.approx([20, 60, 100, 140, 180], abs=4)
    assert said == [f"{path}: recorded 2.0 s"]


def test_each_time_it_is_switched_on_a_film_begins(tmp_path: Path, wishes: Controls) -> None:
    path = tmp_path / "a.mp4"
    sink = RecordingSink(wishes, path, fps=30, say=lambda _: None)
    for index in range(30):
        wishes.record(index % 10 < 5)
        sink.write(shot(100, 33_000 * index))
    sink.finish()
    names = ["a-2.mp4", "a-3.mp4", "a.mp4"]
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    assert [len(times_of(tmp_path / name)) for name in names] == [5, 5, 5]


def test_a_size_that_changes_is_fitted_into_the_first(tmp_path: Path, wishes: Controls) -> None:
    path = tmp_path / "a.mp4"
    sink = RecordingSink(wishes, path, fps=30, say=lambda _: None)
    for index, size in enumerate([(64, 48), (32, 24), (96, 72)]):
        sink.write(shot(60 * index + 40, 40_000 * index, size))
    sink.finish()
    frames = pixels_of(path)
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert [float(frame.mean()) for frame in frames] == pytest.approx([40, 100, 160], abs=4)


def test_what_is_there_is_replaced_only_when_asked_and_only_by_the_first(
    tmp_path: Path, wishes: Controls
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="exists already"):
        RecordingSink(wishes, path, fps=30, say=lambda _: None)
    sink = RecordingSink(wishes, path, fps=30, say=lambda _: None, overwrite=True)
    assert path.read_bytes() == b"old"
    for on in (True, False, True):
        wishes.record(on)
        sink.write(shot(100, 0))
    sink.finish()
    assert len(times_of(path)) == len(times_of(tmp_path / "a-2.mp4")) == 1


@pytest.mark.parametrize("name", ["a.gif", "a.xyz", "a.png", "nowhere/a.mp4", "."])
def test_names_that_nothing_can_be_recorded_under(tmp_path: Path, wishes: Controls, name: str) -> None:
    with pytest.raises(OutputError):
        RecordingSink(wishes, tmp_path / name, fps=30, say=lambda _: None)
    assert not list(tmp_path.iterdir())


def readable_times(path: Path) -> list[float]:
    """When the frames are shown, up to one that was cut off."""
    times: list[float] = []
    with av.open(str(path)) as container, contextlib.suppress(av.error.InvalidDataError):
        times.extend(frame.time for frame in container.decode(video=0))
    return times


_UNTIL_NO_ROOM = """
import resource, sys
import numpy as np
from pathlib import Path
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls, Look
from vidgan.live.stylizer import Shot
from vidgan.live.sinks.recording import RecordingSink
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage

limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
look = Look(style="x")
wishes = Controls(look, styles=["x"], recording=True)
sink = RecordingSink(wishes, Path(sys.argv[1]), fps=30, say=print)
random = np.random.default_rng(0)
for index in range(2000):
    pixels = random.integers(0, 256, (48, 64, 3), np.uint8)
    frame = Frame(image=YuvImage.from_rgb(pixels), pts=33_333 * index, time_base=TIME_BASE)
    sink.write(Shot(frame, frame, look))
    if not wishes.recording:
        break
else:
    sys.exit("there was room for all of it")
sink.finish()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_full_disk_keeps_what_was_recorded(tmp_path: Path, suffix: str) -> None:
    path, limit = tmp_path / f"a.{suffix}", 1_000_000
    done = subprocess.run(
        [sys.executable, "-c", _UNTIL_NO_ROOM, path, str(limit)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "the disk is full, what was recorded until then was kept" in done.stdout
    assert len(done.stdout.splitlines()) == 1 and path.stat().st_size <= limit
    times = readable_times(path)
    # At most the part that was being written is missing.
    assert len(times) > 60 and all(b > a for a, b in pairwise(times))


_FOR_EVER = _UNTIL_NO_ROOM.replace("resource.setrlimit", "(lambda *_: None)").replace(
    "range(2000)", "__import__('itertools').count()"
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_what_was_recorded_when_it_was_killed_can_be_played(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with subprocess.Popen([sys.executable, "-c", _FOR_EVER, path, "0"]) as process:
        while not path.exists() or path.stat().st_size < 500_000:
            assert process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert len(readable_times(path)) > 30


def test_a_whole_recording_is_an_ordinary_mp4(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    film = Recording(path, (64, 48), 30)
    for index in range(200):
        film.write(shot(index, 33_333 * index).painted)
    film.close()
    # Its last box is the table of all frames, by which players find any of them.
    assert b"moov" in path.read_bytes()[-20_000:]
    assert len(times_of(path)) == 200


def test_recording_goes_on_and_off_while_it_is_live(tmp_path: Path, identity: str) -> None:
    path, wishes, kept = tmp_path / "a.mkv", controls(identity), Kept()
    with Live(Scripted(forever(50)), wishes) as live:
        outlet = live.attach(RecordingSink(wishes, path, fps=25, say=live.say))
        live.attach(kept)
        kept.wait_for(lambda shots: len(shots) > 3)
        assert not path.exists()
        wishes.record(True)
        begun = outlet.meter.frames
        kept.wait_for(lambda shots: outlet.meter.frames >= begun + 10)
        assert live.state().recording
    assert len(times_of(path)) >= 9


def test_a_snapshot_is_the_painted_picture(tmp_path: Path, wishes: Controls) -> None:
    said: list[str] = []

    sink = SnapshotSink(wishes, tmp_path, said.append)
    sink.write(shot(10, 0))
    assert not list(tmp_path.iterdir())
    wishes.snapshot()
    wishes.snapshot()
    for value in (77, 99, 10):
        sink.write(shot(value, 0))
    paths = sorted(tmp_path.iterdir())
    assert said == [f"{path}: snapshot" for path in sorted(paths, key=lambda path: len(path.name))]
    assert sorted(int(np.median(pixels_of(path)[0])) for path in paths) == pytest.approx([77, 99], abs=1)


def test_a_snapshot_that_cannot_be_written_is_said(tmp_path: Path, wishes: Controls) -> None:
    said: list[str] = []
    sink = SnapshotSink(wishes, tmp_path / "nowhere", said.append)
    wishes.snapshot()
    sink.write(shot(10, 0))
    assert len(said) == 1 and "cannot be written" in said[0]
