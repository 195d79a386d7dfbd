"""Progress: lines where nobody sits at a terminal, a bar where somebody does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import SAMPLES
from vidgan.cli import progress
from vidgan.cli.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def run(clock: Clock, total: int | None, *, quiet: bool = False) -> None:
    """Twenty seconds at ten frames a second."""
    with Progress("clip.mp4", quiet=quiet) as shown:
        shown.start(total)
        for frames in range(1, 201):
            clock.now += 0.1
            shown.update(frames)


def test_lines_now_and_then(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    run(clock, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 4
    assert lines[0] == "clip.mp4: 50/1000 frames, 10.0 fps, 1:35 left"


@pytest.mark.parametrize(
    ("total", "seconds_each", "expected"),
    [
        (3000, 0.1, []),
        (6000, 0.1, ["clip.mp4: will take about 10 minutes: 6,000 frames at 10 fps"]),
        (2200, 5.0, ["clip.mp4: will take about 3 hours: 2,200 frames at 0.2 fps"]),
        (7200, 5.0, ["clip.mp4: will take about 10 hours: 7,200 frames at 0.2 fps"]),
        (1000, 300.0, ["clip.mp4: will take about 3 days: 1,000 frames at 0.0033 fps"]),
    ],
)
def test_a_long_job_says_once_how_long_it_will_take(
    total: int, seconds_each: float, expected: list[str], clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("clip.mp4") as shown:
        shown.start(total)
        for frames in range(1, 41):
            clock.now += seconds_each
            shown.update(frames)
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "will take" in line] == expected
    assert lines[: len(expected)] == expected


def test_a_single_image_has_lines_of_its_tiles(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("photo.jpg") as shown:
        shown.start(1)
        for tiles in range(1, 5):
            clock.now += 6
            shown.tile(tiles, 4)
        shown.update(1)
    assert capsys.readouterr().err.splitlines() == [
        "photo.jpg: 1/4 tiles, 0:18 left",
        "photo.jpg: 2/4 tiles, 0:12 left",
        "photo.jpg: 3/4 tiles, 0:06 left",
        "photo.jpg: 4/4 tiles, 0:00 left",
    ]


def test_encoding_has_lines_of_its_own(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("clip.mp4") as shown:
        shown.start(100)
        shown.update(100)
        for frames in range(1, 101):
            clock.now += 0.1
            shown.encode(frames, 100)
        shown.notify("out.gif: will have about 2.0 MB")
    assert capsys.readouterr().err.splitlines() == [
        "clip.mp4, encoding: 51/100 frames, 10.2 fps, 0:04 left",
        "out.gif: will have about 2.0 MB",
    ]


def test_a_length_that_is_not_known_is_not_made_up(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    run(clock, None)
    assert capsys.readouterr().err.splitlines()[0] == "clip.mp4: 50 frames, 10.0 fps"


def test_frames_of_an_earlier_run_make_nothing_faster(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("clip.mp4") as shown:
        shown.start(1000)
        for frames in range(501, 601):
            clock.now += 0.1
            shown.update(frames)
    assert capsys.readouterr().err.splitlines()[0] == "clip.mp4: 550/1000 frames, 10.0 fps, 0:45 left"


def test_quiet_is_quiet(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    run(clock, 1000, quiet=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    arguments = ["stylize", str(SAMPLES / "bunny.mp4"), "-o", str(tmp_path / "out.mp4"), "--style", "starry"]
    process = subprocess.Popen(
        [sys.executable, "-m", "vidgan", *arguments, "--size", "64"],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # Linux's way of saying that the other end is closed.
            break
        if not read:
            break
        shown += read
    os.close(ours)
    assert process.wait(timeout=240) == 0
    text = shown.decode()
    assert "bunny.mp4" in text and "132/132" in text and "fps" in text and "\x1b[" in text
