"""``vidgan live`` without a window, and ``vidgan cameras``."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.live.fakes import times_of
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan

VIDEO = SAMPLES / "bunny.mp4"


def test_video_is_recorded_until_it_ends(tmp_path: Path, identity: str) -> None:
    path = tmp_path / "a.mkv"
    done = vidgan(
        "live", VIDEO, "--no-window", "--style", identity, "--size", "64x36", "--fps", "5", "--record", path
    )
    assert done.returncode == 0, done.stderr
    assert f"note: {path}: recorded" in done.stderr and "frames processed" in done.stdout
    times = times_of(path)
    # The video has 132 frames at 25 fps; a slow machine may record fewer than 5 per second, never more.
    assert 4 < times[-1] < 6 and len(times) <= 5 * 5.3 + 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_completes_the_recording(tmp_path: Path, identity: str, number: signal.Signals) -> None:
    path = tmp_path / "a.mp4"
    words = ["live", VIDEO, "--loop", "--no-window", "--style", identity, "--size", "64x36", "--record", path]
    with subprocess.Popen(
        [sys.executable, "-m", "vidgan", *map(str, words)], stdout=-1, stderr=-1, text=True
    ) as process:
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in err and "frames processed" in out
    assert "recorded" in err and len(times_of(path)) >= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.mp4"], ["nowhere.mp4", "no such file"]),
        ([SAMPLES / "bunny.jpg"], ["is not a video"]),
        (["file:///etc/passwd"], ["is not supported", "rtsp"]),
        (["tcp://127.0.0.1:9"], ["tcp://127.0.0.1:9", "cannot be read"]),
        ([VIDEO, "--style", "stary"], ["did you mean"]),
        ([VIDEO, "--record", SAMPLES / "bunny.jpg"], ["bunny.jpg"]),
        ([VIDEO, "--record", "a.gif"], ["recordings are mp4"]),
        ([VIDEO, "--stream", "http://x"], ["cannot be streamed to", "rtmp"]),
        ([VIDEO, "--size", "huge"], ["size"]),
        ([VIDEO, "--midi-map", "gain=3", "--midi"], ["--midi"]),
        ([VIDEO, "--osc", "nowhere:port"], ["--osc", "HOST:PORT"]),
    ],
)
def test_error_is_one_clear_line(arguments: list[object], words: list[str]) -> None:
    assert_one_clear_error(vidgan("live", "--no-window", *arguments), *words)


@pytest.mark.parametrize("kind", ["same", "symlink", "hardlink"])
def test_recording_never_overwrites_the_input(tmp_path: Path, identity: str, kind: str) -> None:
    source, path = tmp_path / "in.mp4", tmp_path / "out.mp4"
    content = VIDEO.read_bytes()
    source.write_bytes(content)
    if kind == "same":
        path = tmp_path / "sub" / ".." / "in.mp4"
        (tmp_path / "sub").mkdir()
    else:
        (path.symlink_to if kind == "symlink" else path.hardlink_to)(source)
    done = vidgan("live", source, "--no-window", "--style", identity, "--record", path, "--force")
    assert_one_clear_error(done, path.name, "is the input")
    assert source.read_bytes() == content


def test_no_camera_is_one_clear_line() -> None:
    if json.loads(vidgan("cameras", "--json").stdout):
        pytest.skip("there is a camera here")
    assert_one_clear_error(vidgan("live", "--no-window"), "camera 0", "vidgan cameras")
    done = vidgan("cameras")
    assert done.returncode == 0 and "no camera is connected" in done.stderr


def test_the_old_name_of_cameras_says_the_new_one() -> None:
    assert_one_clear_error(vidgan("devices", "--json"), "vidgan cameras")
    assert "devices" not in vidgan("--help").stdout


def test_no_virtual_camera_is_one_clear_line() -> None:
    if Path("/sys/devices/virtual/video4linux").exists():
        pytest.skip("there is a virtual camera here")
    assert_one_clear_error(vidgan("live", VIDEO, "--no-window", "--virtual-camera"), "virtual camera")


def test_no_display_offers_the_page() -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = vidgan("live", VIDEO, env={**env, "PYTHONPATH": str(SAMPLES.parent)})
    assert_one_clear_error(done, "no window can be opened", "--web", "--no-window")


@pytest.mark.parametrize("words", [["--output-window", "left"], ["--output-window", "--no-window"]])
def test_wrong_usage_of_the_output_window(words: list[str]) -> None:
    done = vidgan("live", VIDEO, *words)
    assert done.returncode == 2 and "--output-window" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell script as the browser")
def test_open_starts_the_browser_and_prints_a_qr_code(tmp_path: Path, identity: str) -> None:
    """Both have the address with its token."""
    pytest.importorskip("aiortc", reason="needs the extra web")
    pytest.importorskip("segno", reason="needs the extra web")
    opened, script = tmp_path / "opened", tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    script.chmod(0o755)
    words = ["live", VIDEO, "--web", "0.0.0.0:0", "--open", "--style", identity, "--size", "64x36"]
    done = vidgan(*words, env={**os.environ, "BROWSER": str(script)})
    assert done.returncode == 0, done.stderr
    (url,) = (line.split()[1] for line in done.stderr.splitlines() if line.startswith("page: "))
    assert "?token=" in url and opened.read_text().strip() == url
    assert decode_qr_code(done.stderr) == url


def decode_qr_code(text: str) -> str:
    """Decodes a QR code of half blocks, two modules per character."""
    lines = [line for line in text.splitlines() if set(line) <= set(" ▀▄█") and len(line) > 20]
    width = max(map(len, lines))
    halves = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    rows = [[halves[character][half] for character in line.ljust(width)] for line in lines for half in (0, 1)]
    light = np.array(rows, np.uint8) * 255
    image = cv2.resize(
        np.pad(light, 4, constant_values=255), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST
    )
    decoded, _, _ = cv2.QRCodeDetector().detectAndDecode(image)
    return str(decoded)
