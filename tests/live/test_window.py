"""A real window, real keys, and what is to be seen then."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from live.pictures import times_of
from live.screen import MISSING, Screen, Seen
from support.commands import SAMPLES, assert_one_clear_error, vidgan

from vidgan.live.window.keys import BY_CODE, KEYS

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")

LEFT, RIGHT = (150, 40, 40), (90, 200, 120)
"""The two halves of the film, RGB."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "halves.mp4"
    pixels = np.empty((180, 320, 3), np.uint8)
    pixels[:, :160], pixels[:, 160:] = LEFT, RIGHT
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path


class Run:
    """``vidgan live`` on a screen."""

    def __init__(self, screen: Screen, folder: Path, *arguments: object) -> None:
        self.screen, self.folder = screen, folder
        command = [sys.executable, "-m", "vidgan", "live", *map(str, arguments)]
        places = {"DISPLAY": screen.display, "PYTHONPATH": str(SAMPLES.parent)}
        self.process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **places}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ended(self) -> str:
        """Waits for a good end, and gives what was said."""
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        return out + err


@pytest.fixture
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    with Screen(tmp_path_factory.mktemp("screen")) as server:
        yield server


@pytest.fixture
def run(screen: Screen, film: Path, identity: str, tmp_path: Path) -> Iterator[Run]:
    """The film as it is: the first style changes nothing."""
    begun = Run(screen, tmp_path, film, "--loop", "--style", identity, "--smooth", "off")
    try:
        screen.wait_for(plain)
        yield begun
    finally:
        if begun.process.poll() is None:
            begun.process.kill()
            begun.process.communicate()


def like(seen: Seen, column: int, color: tuple[int, int, int], row: int = 180) -> bool:
    """Whether it has that colour there; the window is 640 wide, at the upper left."""
    here = seen[row - 5 : row + 5, column - 5 : column + 5].reshape(-1, 3).mean(axis=0)
    return bool(np.abs(here - color).max() < 12)


def plain(seen: Seen) -> bool:
    return like(seen, 160, LEFT) and like(seen, 480, RIGHT)


def darkened(color: tuple[int, int, int]) -> tuple[int, int, int]:
    return tuple(round(0.35 * each) for each in color)  # type: ignore[return-value]


def test_styles_go_on_and_back(run: Run) -> None:
    for there, back in (("n", "p"), ("Right", "Left")):
        run.screen.press(there)
        run.screen.wait_for(lambda seen: not like(seen, 160, LEFT) and not like(seen, 480, RIGHT))
        run.screen.press(back)
        run.screen.wait_for(plain)


def test_strength_goes_down_to_nothing_and_up_again(run: Run) -> None:
    run.screen.press("n")
    painted = run.screen.wait_for(lambda seen: not like(seen, 160, LEFT))
    run.screen.press(*["minus"] * 5, *["Down"] * 5)
    run.screen.wait_for(plain)
    run.screen.press(*["plus"] * 5, *["Up"] * 5)
    color = tuple(int(each) for each in painted[175:185, 155:165].reshape(-1, 3).mean(axis=0))
    run.screen.wait_for(lambda seen: like(seen, 160, color))  # type: ignore[arg-type]


def test_the_pictures_own_colours_can_be_kept(run: Run) -> None:
    def redness(seen: Seen) -> float:
        return float(seen[100:260, 100:220, 0].mean() - seen[100:260, 100:220, 2].mean())

    run.screen.press("p", "p")  # starry: blue and yellow
    run.screen.wait_for(lambda seen: redness(seen) < 60)
    run.screen.press("c")
    run.screen.wait_for(lambda seen: redness(seen) > 80 and not plain(seen))


def test_mirror_swaps_the_sides(run: Run) -> None:
    run.screen.press("m")
    run.screen.wait_for(lambda seen: like(seen, 160, RIGHT) and like(seen, 480, LEFT))
    run.screen.press("m")
    run.screen.wait_for(plain)


def test_side_by_side_has_the_original_at_the_left(run: Run) -> None:
    run.screen.press("n", "b")

    def both(seen: Seen) -> bool:
        """In a window that kept its size: half as large, in its middle."""
        return like(seen, 80, LEFT) and like(seen, 240, RIGHT) and not like(seen, 400, LEFT)

    run.screen.wait_for(both)
    run.screen.press("b")
    run.screen.wait_for(lambda seen: not both(seen))


def test_the_line_of_the_split_view_follows_the_mouse(run: Run) -> None:
    run.screen.press("n", "v")

    def original(seen: Seen) -> tuple[bool, bool, bool]:
        return like(seen, 100, LEFT), like(seen, 270, LEFT), like(seen, 500, RIGHT)

    run.screen.wait_for(lambda seen: original(seen) == (True, True, False))
    run.screen.drag((320, 100), (200, 100))
    run.screen.wait_for(lambda seen: original(seen) == (True, False, False))
    run.screen.drag((200, 100), (600, 120))
    run.screen.wait_for(lambda seen: original(seen) == (True, True, True))
    run.screen.press("v")
    run.screen.wait_for(lambda seen: original(seen) == (False, False, False))


def test_full_screen_is_all_of_it(run: Run) -> None:
    assert like(run.screen.seen(), 1200, (0, 0, 0))
    run.screen.press("f")
    run.screen.wait_for(lambda seen: like(seen, 300, LEFT, 400) and like(seen, 1200, RIGHT, 400))
    run.screen.press("f")
    run.screen.wait_for(lambda seen: plain(seen) and like(seen, 1200, (0, 0, 0)))


def test_the_help_names_every_key_and_goes_away(run: Run) -> None:
    run.screen.press("h")
    seen = run.screen.wait_for(lambda seen: like(seen, 600, darkened(RIGHT), 100))
    # As many lines of white letters as there are keys.
    bright = (seen[:330, 20:560].min(axis=2) > 180).any(axis=1)
    assert np.count_nonzero(np.diff(bright.astype(int)) == 1) >= len(KEYS)
    run.screen.press("question")
    run.screen.wait_for(lambda seen: like(seen, 600, RIGHT, 100))


def test_space_takes_a_snapshot(run: Run) -> None:
    run.screen.press("space")
    until = time.monotonic() + 60
    while not (found := list(run.folder.glob("vidgan-*.png"))):
        assert time.monotonic() < until
        time.sleep(0.05)
    run.screen.press("q")
    assert f"{found[0].name}: snapshot" in run.ended()
    with av.open(str(found[0])) as picture:
        pixels = next(picture.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(pixels[90, 80].astype(int) - LEFT).max() < 8


def test_r_records_with_a_red_dot_until_it_is_pressed_again(run: Run) -> None:
    run.screen.press("r")
    run.screen.wait_for(lambda seen: like(seen, 620, (255, 60, 60), 20))
    run.screen.press("r")
    run.screen.wait_for(lambda seen: not like(seen, 620, (255, 60, 60), 20))
    run.screen.press("Escape")
    assert ": recorded" in run.ended()
    (film,) = run.folder.glob("vidgan-*.mp4")
    assert len(times_of(film)) > 1


@pytest.mark.parametrize("how", ["q", "Escape", "alt+F4", signal.SIGINT, signal.SIGTERM])
def test_every_ending_completes_the_recording(
    screen: Screen, film: Path, identity: str, tmp_path: Path, how: str | signal.Signals
) -> None:
    run = Run(screen, tmp_path, film, "--loop", "--style", identity, "--record", "a.mp4")
    screen.wait_for(lambda seen: plain(seen) and like(seen, 620, (255, 60, 60), 20))
    if isinstance(how, signal.Signals):
        run.process.send_signal(how)
    else:
        screen.press(how)
    assert "a.mp4: recorded" in run.ended()
    assert len(times_of(tmp_path / "a.mp4")) > 1
    # Complete, it has the table of all frames at its end.
    assert b"moov" in (tmp_path / "a.mp4").read_bytes()[-5000:]


def test_the_end_of_the_film_ends_it(screen: Screen, film: Path, identity: str, tmp_path: Path) -> None:
    assert "halves.mp4: " in Run(screen, tmp_path, film, "--style", identity).ended()


def test_no_display_is_one_clear_line(film: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = vidgan("live", film, env={**env, "PYTHONPATH": str(SAMPLES.parent)})
    assert_one_clear_error(done, "no window can be opened", "--no-window")


def test_every_code_means_one_thing() -> None:
    assert len(BY_CODE) == sum(len(key.codes) for key in KEYS)
