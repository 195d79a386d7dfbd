"""The screen as a source, where there is an X server."""

import shutil
import subprocess
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from support.commands import SAMPLES, assert_one_clear_error, vidgan

from vidgan.errors import InputError
from vidgan.live.sources.screen import ScreenSource


@pytest.fixture
def white(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A screen of 320 by 200 that is all white."""
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
def test_the_screen_or_a_part_of_it_comes_again_and_again(region: str, size: tuple[int, int]) -> None:
    source = ScreenSource(region)
    pictures = source.pictures()
    seen = list(islice(pictures, 3))
    pictures.close()
    assert {(picture.width, picture.height) for picture in seen} == {size} and source.rate == 30
    # The mouse may be on it.
    assert all(np.median(picture.to_ndarray(format="rgb24")) > 250 for picture in seen)


@pytest.mark.usefixtures("white")
def test_what_is_beside_the_screen_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="screen: cannot be looked at"):
        next(ScreenSource("64x48+300+0").pictures())


def test_no_screen_and_no_region_are_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":9")
    with pytest.raises(InputError, match="is no region"):
        ScreenSource("left half")
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(InputError, match="DISPLAY"):
        ScreenSource()
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(InputError, match="X11 and Windows"):
        ScreenSource()


def test_two_sources_are_one_clear_line() -> None:
    done = vidgan("live", SAMPLES / "bunny.mp4", "--screen", "64x48", "--no-window")
    assert_one_clear_error(done, "bunny.mp4", "two sources")
