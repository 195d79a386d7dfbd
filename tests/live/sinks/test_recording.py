"""Recordings: timestamps, interruption and full disks."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

import vidgan
from tests.live.fakes import (
    CollectingSink,
    ScriptedSource,
    controls,
    forever,
    gray_pair,
    pixels_of,
    times_of,
)
from vidgan.errors import OutputError, OutputExistsError
from vidgan.live.controls import Controls
from vidgan.live.frame_pair import FramePair, HiddenFaces
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.settings import LiveSettings
from vidgan.live.sinks.recording import RecordingFile, RecordingSink
from vidgan.live.sinks.snapshot import SnapshotSink
from vidgan.media.image import YuvImage
from vidgan.sources.vault import find_vault
from vidgan.tasks.faces.tracking import Track
from vidgan.tasks.faces.vault import cipher
from vidgan.tasks.faces.vault.crops import cut
from vidgan.tasks.faces.vault.opened import OpenedVault
from vidgan.tasks.faces.vault.passcode import Passcode

SETTINGS = LiveSettings(style="x")


@pytest.fixture
def live_controls() -> Controls:
    return Controls(SETTINGS, styles=["x"], recording=True)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "webm"])
def test_timestamps_are_times_of_capture(tmp_path: Path, live_controls: Controls, suffix: str) -> None:
    path, messages = tmp_path / f"a.{suffix}", list[str]()
    times = [7_000_000, 7_040_000, 7_055_000, 7_300_000, 9_000_000]
    sink = RecordingSink(live_controls, path, fps=30, notify=messages.append)
    for value, pts in enumerate(times):
        sink.write(gray_pair(40 * value + 20, pts))
    sink.close()
    assert times_of(path) == pytest.approx([(pts - times[0]) / 1e6 for pts in times], abs=1.1e-3)
    grays = [float(pixels.mean()) for pixels in pixels_of(path)]
    assert grays == pytest.approx([20, 60, 100, 140, 180], abs=4)
    assert messages == [f"{path}: recorded 2.0 s"]


def test_each_recording_is_a_file(tmp_path: Path, live_controls: Controls) -> None:
    path = tmp_path / "a.mp4"
    sink = RecordingSink(live_controls, path, fps=30, notify=lambda _: None)
    for index in range(30):
        live_controls.set_recording(index % 10 < 5)
        sink.write(gray_pair(100, 33_000 * index))
    sink.close()
    names = ["a-2.mp4", "a-3.mp4", "a.mp4"]
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    assert [len(times_of(tmp_path / name)) for name in names] == [5, 5, 5]


def test_changing_sizes_are_scaled_to_the_first(tmp_path: Path, live_controls: Controls) -> None:
    path = tmp_path / "a.mp4"
    sink = RecordingSink(live_controls, path, fps=30, notify=lambda _: None)
    for index, size in enumerate([(64, 48), (32, 24), (96, 72)]):
        sink.write(gray_pair(60 * index + 40, 40_000 * index, size))
    sink.close()
    frames = pixels_of(path)
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    assert [float(frame.mean()) for frame in frames] == pytest.approx([40, 100, 160], abs=4)


def test_only_the_first_file_overwrites_on_request(tmp_path: Path, live_controls: Controls) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="exists already"):
        RecordingSink(live_controls, path, fps=30, notify=lambda _: None)
    sink = RecordingSink(live_controls, path, fps=30, notify=lambda _: None, overwrite=True)
    assert path.read_bytes() == b"old"
    for on in (True, False, True):
        live_controls.set_recording(on)
        sink.write(gray_pair(100, 0))
    sink.close()
    assert len(times_of(path)) == len(times_of(tmp_path / "a-2.mp4")) == 1


@pytest.mark.parametrize("name", ["a.gif", "a.xyz", "a.png", "nowhere/a.mp4", "."])
def test_invalid_paths(tmp_path: Path, live_controls: Controls, name: str) -> None:
    with pytest.raises(OutputError):
        RecordingSink(live_controls, tmp_path / name, fps=30, notify=lambda _: None)
    assert not list(tmp_path.iterdir())


def readable_times(path: Path) -> list[float]:
    """Timestamps up to a frame that is cut off."""
    times: list[float] = []
    with av.open(str(path)) as container, contextlib.suppress(av.error.InvalidDataError):
        times.extend(frame.time for frame in container.decode(video=0))
    return times


_UNTIL_DISK_FULL = """
import resource, sys
import numpy as np
from pathlib import Path
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls
from vidgan.live.settings import LiveSettings
from vidgan.live.frame_pair import FramePair
from vidgan.live.sinks.recording import RecordingSink
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage

limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
settings = LiveSettings(style="x")
live_controls = Controls(settings, styles=["x"], recording=True)
sink = RecordingSink(live_controls, Path(sys.argv[1]), fps=30, notify=print)
random = np.random.default_rng(0)
for index in range(2000):
    pixels = random.integers(0, 256, (48, 64, 3), np.uint8)
    frame = Frame(image=YuvImage.from_rgb(pixels), pts=33_333 * index, time_base=TIME_BASE)
    sink.write(FramePair(frame, frame, settings))
    if not live_controls.recording:
        break
else:
    sys.exit("the disk was never full")
sink.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_full_disk_keeps_the_recording(tmp_path: Path, suffix: str) -> None:
    path, limit = tmp_path / f"a.{suffix}", 1_000_000
    done = subprocess.run(
        [sys.executable, "-c", _UNTIL_DISK_FULL, path, str(limit)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "the disk is full, the recording up to there was kept" in done.stdout
    assert len(done.stdout.splitlines()) == 1 and path.stat().st_size <= limit
    times = readable_times(path)
    # At most the last fragment is missing.
    assert len(times) > 60 and all(b > a for a, b in pairwise(times))


_ENDLESS = _UNTIL_DISK_FULL.replace("resource.setrlimit", "(lambda *_: None)").replace(
    "range(2000)", "__import__('itertools').count()"
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_killed_recording_can_be_played(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with subprocess.Popen([sys.executable, "-c", _ENDLESS, path, "0"]) as process:
        while not path.exists() or path.stat().st_size < 500_000:
            assert process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert len(readable_times(path)) > 30


def test_complete_recording_is_an_ordinary_mp4(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    file = RecordingFile(path, (64, 48), 30)
    for index in range(200):
        file.write(gray_pair(index, 33_333 * index))
    file.close()
    # The index of a complete MP4 file is its last box.
    assert b"moov" in path.read_bytes()[-20_000:]
    assert len(times_of(path)) == 200


def test_recording_starts_during_the_session(tmp_path: Path, identity: str) -> None:
    path, live_controls, kept = tmp_path / "a.mkv", controls(identity), CollectingSink()
    with LivePipeline(ScriptedSource(forever(50)), live_controls) as live:
        sink_thread = live.attach(RecordingSink(live_controls, path, fps=25, notify=live.notify))
        live.attach(kept)
        kept.wait_for(lambda pairs: len(pairs) > 3)
        assert not path.exists()
        live_controls.set_recording(True)
        begun = sink_thread.meter.frames
        kept.wait_for(lambda pairs: sink_thread.meter.frames >= begun + 10)
        assert live.state().recording
    assert len(times_of(path)) >= 9


def test_snapshot_is_the_output(tmp_path: Path, live_controls: Controls) -> None:
    messages: list[str] = []

    sink = SnapshotSink(live_controls, tmp_path, messages.append)
    sink.write(gray_pair(10, 0))
    assert not list(tmp_path.iterdir())
    live_controls.request_snapshot()
    live_controls.request_snapshot()
    for value in (77, 99, 10):
        sink.write(gray_pair(value, 0))
    paths = sorted(tmp_path.iterdir())
    assert messages == [f"{path}: snapshot" for path in sorted(paths, key=lambda path: len(path.name))]
    assert sorted(int(np.median(pixels_of(path)[0])) for path in paths) == pytest.approx([77, 99], abs=1)


def test_snapshot_error_is_reported(tmp_path: Path, live_controls: Controls) -> None:
    messages: list[str] = []
    sink = SnapshotSink(live_controls, tmp_path / "nowhere", messages.append)
    live_controls.request_snapshot()
    sink.write(gray_pair(10, 0))
    assert len(messages) == 1 and "cannot be written" in messages[0]


def hidden_pair(index: int, size: tuple[int, int]) -> FramePair:
    """A pair whose face was hidden: a pattern that the output does not have."""
    pair = gray_pair(100, 7_000_000 + 40_000 * index, size)
    width, height = size
    rows, columns = np.mgrid[:height, :width]
    luma = (120 + 80 * np.sin(columns / width * 60) * np.cos(rows / height * 40)).astype(np.uint8)
    chroma = np.full((height // 2, width // 2, 2), 128, np.uint8)
    frame = pair.input.with_image(YuvImage(luma, chroma))
    box = np.array([width / 2, height / 2, width / 5, height / 3], np.float32)
    return replace(pair, hidden=HiddenFaces(frame, [Track(1, box, np.zeros(4, np.float32), 0)]))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_hidden_faces_are_kept_with_a_recording(
    tmp_path: Path, live_controls: Controls, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cipher, "_SCRYPT_COST", 1 << 10)
    path, code = tmp_path / f"a.{suffix}", Passcode("of the tests")
    sink = RecordingSink(live_controls, path, fps=25, notify=lambda _: None, passcode=code)
    # The processing size changes, and the recording keeps its first one.
    for index in range(8):
        sink.write(hidden_pair(index, (320, 240) if index < 5 else (160, 120)))
    sink.close()
    assert len(times_of(path)) == 8 and (tmp_path / "a.mkv.vault").exists() == (suffix == "mkv")
    data = find_vault(path)
    assert data is not None
    vault = OpenedVault(data, code)
    assert (vault.header.width, vault.header.height) == (320, 240)
    for index in range(8):
        ((place, crop),) = vault.faces_at(40_000 * index, 40_000)
        assert crop is not None
        original = cut(hidden_pair(index, (320, 240)).hidden.frame.image, place)  # type: ignore[union-attr]
        # The middle, since a smaller frame is blurred at its rim.
        assert np.abs(crop.luma.astype(int) - original.luma)[20:-20, 20:-20].mean() < (6 if index < 5 else 12)
    vidgan.reveal(path, tmp_path / f"b.{suffix}", passcode="of the tests")
    shown, hidden = (float(pixels_of(each)[2].std()) for each in (tmp_path / f"b.{suffix}", path))
    assert hidden < 3 < 10 < shown
