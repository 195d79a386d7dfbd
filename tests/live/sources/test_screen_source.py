"""Screen capture from an X server."""

import shutil
import subprocess
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from vidgan.errors import InputError
from vidgan.live.sources.screen import ScreenSource


@pytest.fixture
def white(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A white screen of 320x200 pixels."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    words = ["Xvfb", "-displayfd", "1", "-screen", "0", "320x200x24", "-nolisten", "tcp", "-wr"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        monkeypatch.setenv("DISPLAY", f":{server.stdout.readline().strip()}")
        yield
        server.terminate()


@pytest.mark.parametrize(
    ("region", "size"), [("", (320, 200)), ("96x64+100+50", (96, 64)), ("64x48", (64, 48))]
)
@pytest.mark.usefixtures("white")
def test_screen_and_regions(region: str, size: tuple[int, int]) -> None:
    source = ScreenSource(region)
    frames = source.frames()
    captured = list(islice(frames, 3))
    frames.close()
    assert {(frame.width, frame.height) for frame in captured} == {size} and source.frame_rate == 30
    # The mouse pointer may be captured.
    assert all(np.median(frame.to_ndarray(format="rgb24")) > 250 for frame in captured)


@pytest.mark.usefixtures("white")
def test_region_outside_the_screen_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="`screen`: cannot be captured"):
        next(ScreenSource("64x48+300+0").frames())


def test_errors_are_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":9")
    with pytest.raises(InputError, match="is not a region"):
        ScreenSource("left half")
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(InputError, match="DISPLAY"):
        ScreenSource()
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(InputError, match="X11 and Windows"):
        ScreenSource()


def test_two_sources_are_one_clear_line() -> None:
    done = vidgan("live", SAMPLES / "bunny.mp4", "--screen", "64x48", "--no-window")
    assert_one_clear_error(done, "bunny.mp4", "--screen")
