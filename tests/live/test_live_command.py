"""``vidgan live`` without a window, and ``vidgan devices``."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live.pictures import times_of
from support.commands import SAMPLES, assert_one_clear_error, vidgan

FILM = SAMPLES / "bunny.mp4"


def test_a_film_is_recorded_until_it_ends(tmp_path: Path, identity: str) -> None:
    path = tmp_path / "a.mkv"
    done = vidgan(
        "live", FILM, "--no-window", "--style", identity, "--size", "64x36", "--fps", "5", "--record", path
    )
    assert done.returncode == 0, done.stderr
    assert f"note: {path}: recorded" in done.stderr and "frames painted" in done.stdout
    times = times_of(path)
    # 132 frames at 25 a second; as late as it may be, no more than 5 of a second.
    assert 4 < times[-1] < 6 and len(times) <= 5 * 5.3 + 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(tmp_path: Path, identity: str, number: signal.Signals) -> None:
    path = tmp_path / "a.mp4"
    words = ["live", FILM, "--loop", "--no-window", "--style", identity, "--size", "64x36", "--record", path]
    with subprocess.Popen(
        [sys.executable, "-m", "vidgan", *map(str, words)], stdout=-1, stderr=-1, text=True
    ) as process:
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in err and "frames painted" in out
    assert "recorded" in err and len(times_of(path)) >= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.mp4"], ["nowhere.mp4", "no such file"]),
        ([SAMPLES / "bunny.jpg"], ["is no film"]),
        (["file:///etc/passwd"], ["streams are opened by"]),
        (["tcp://127.0.0.1:9"], ["tcp://127.0.0.1:9", "cannot be read"]),
        ([FILM, "--style", "stary"], ["did you mean"]),
        ([FILM, "--record", SAMPLES / "bunny.mp4"], ["exists already", "--force"]),
        ([FILM, "--record", "a.gif"], ["recordings are mp4"]),
        ([FILM, "--stream", "http://x"], ["a stream goes to an address of"]),
        ([FILM, "--size", "huge"], ["size"]),
    ],
)
def test_what_cannot_be_is_one_clear_line(arguments: list[object], words: list[str]) -> None:
    assert_one_clear_error(vidgan("live", "--no-window", *arguments), *words)


def test_no_camera_is_one_clear_line() -> None:
    if json.loads(vidgan("devices", "--json").stdout):
        pytest.skip("there is a camera here")
    assert_one_clear_error(vidgan("live", "--no-window"), "camera 0", "vidgan devices")
    done = vidgan("devices")
    assert done.returncode == 0 and "no camera is plugged in" in done.stderr


def test_no_virtual_camera_is_one_clear_line() -> None:
    if Path("/sys/devices/virtual/video4linux").exists():
        pytest.skip("there is a virtual camera here")
    assert_one_clear_error(vidgan("live", FILM, "--no-window", "--virtual-camera"), "virtual camera")
