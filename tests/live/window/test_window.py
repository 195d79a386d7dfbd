"""The window on a real X server, controlled by simulated keys and mouse, and checked by screenshots."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.live.fakes import times_of
from tests.live.x_server import MISSING, Screenshot, XServer
from tests.support.commands import SAMPLES
from vidgan.cli.live import offered_styles
from vidgan.live.window.keys import BY_CODE, KEYS

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")

LEFT, RIGHT = (150, 40, 40), (90, 200, 120)
"""The two halves of the video, RGB."""

Color = tuple[int, int, int]


def write_halves(path: Path, size: tuple[int, int]) -> Path:
    """A video with one color in each half."""
    width, height = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = LEFT, RIGHT
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_halves(tmp_path_factory.mktemp("video") / "halves.mp4", (320, 180))


class Run:
    """``vidgan live`` on an X server."""

    def __init__(self, server: XServer, folder: Path, *arguments: object) -> None:
        self.server, self.folder = server, folder
        command = [sys.executable, "-m", "vidgan", "live", *map(str, arguments)]
        variables = {"DISPLAY": server.display, "PYTHONPATH": str(SAMPLES.parent)}
        self.process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **variables}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self) -> str:
        """Waits for a successful end; returns the output."""
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        return out + err

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XServer]:
    with XServer(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def start(server: XServer, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts ``vidgan live`` and ends it with the test."""
    runs: list[Run] = []

    def started(*arguments: object) -> Run:
        runs.append(Run(server, tmp_path, *arguments))
        return runs[-1]

    yield started
    for run in runs:
        run.kill()


@pytest.fixture
def run(start: Callable[..., Run], video: Path, identity: str) -> Run:
    """The video unchanged: the first style is the identity."""
    begun = start(video, "--loop", "--style", identity, "--smooth", "off")
    begun.server.wait_for(unchanged)
    return begun


def has_color(shot: Screenshot, column: int, color: Color, row: int = 180) -> bool:
    """Whether the screen has that color there; the window is 640x360 at the upper left."""
    found = shot[row - 5 : row + 5, column - 5 : column + 5].reshape(-1, 3).mean(axis=0)
    return bool(np.abs(found - color).max() < 12)


def unchanged(shot: Screenshot) -> bool:
    return has_color(shot, 160, LEFT) and has_color(shot, 480, RIGHT)


def darkened(color: Color) -> Color:
    return tuple(round(0.35 * each) for each in color)  # type: ignore[return-value]


def window_size(shot: Screenshot) -> tuple[int, int]:
    """Width and height of the area at the upper left that is not black; the status line is not part of it."""
    bright = shot.max(axis=2) > 20
    return int(bright[10].sum()), int(bright[:, 10].sum())


def test_next_and_previous_style(run: Run) -> None:
    for forward, back in (("n", "p"), ("Right", "Left")):
        run.server.press(forward)
        run.server.wait_for(lambda shot: not has_color(shot, 160, LEFT) and not has_color(shot, 480, RIGHT))
        run.server.press(back)
        run.server.wait_for(unchanged)


@pytest.mark.parametrize("keys", [["minus"] * 10, ["n"]], ids=lambda keys: keys[0])
def test_quick_keys_are_not_lost(run: Run, keys: list[str]) -> None:
    """Keys 25 ms apart, faster than anyone types: ten lower the strength to nothing, others go round all styles."""
    if keys == ["n"]:
        keys = keys * (len(offered_styles(["identity"])) - 1)
    run.server.press("n")
    run.server.wait_for(lambda shot: not has_color(shot, 160, LEFT))
    run.server.xdotool("key", "--delay", "25", *keys)
    run.server.wait_for(unchanged)


def test_number_keys_select_styles(run: Run) -> None:
    run.server.press("3")
    run.server.wait_for(lambda shot: not has_color(shot, 160, LEFT))
    run.server.press("1")
    run.server.wait_for(unchanged)


def test_own_styles_come_first(start: Callable[..., Run], video: Path, identity: str) -> None:
    run = start(video, "--loop", "--style", "wave", "--style", identity, "--smooth", "off")
    run.server.wait_for(lambda shot: shot[150:200, 100:500].mean() > 45 and not has_color(shot, 160, LEFT))
    run.server.press("2")
    run.server.wait_for(unchanged)


def test_strength_goes_down_and_up(run: Run) -> None:
    run.server.press("n")
    styled = run.server.wait_for(lambda shot: not has_color(shot, 160, LEFT))
    run.server.press(*["minus"] * 5, *["Down"] * 5)
    run.server.wait_for(unchanged)
    run.server.press(*["plus"] * 5, *["Up"] * 5)
    color = tuple(int(each) for each in styled[175:185, 155:165].reshape(-1, 3).mean(axis=0))
    run.server.wait_for(lambda shot: has_color(shot, 160, color))  # type: ignore[arg-type]


def test_brackets_mix_with_the_next_style(run: Run) -> None:
    run.server.press(*["bracketright"] * 5)
    run.server.wait_for(lambda shot: not has_color(shot, 160, LEFT))
    run.server.press(*["bracketleft"] * 5)
    run.server.wait_for(unchanged)


def test_colors_of_the_input_can_be_kept(run: Run) -> None:
    def redness(shot: Screenshot) -> float:
        return float(shot[100:260, 100:220, 0].mean() - shot[100:260, 100:220, 2].mean())

    run.server.press("p", "p")  # starry: blue and yellow
    run.server.wait_for(lambda shot: redness(shot) < 60)
    run.server.press("c")
    run.server.wait_for(lambda shot: redness(shot) > 80 and not unchanged(shot))


def test_mirror_swaps_the_sides(run: Run) -> None:
    run.server.press("m")
    run.server.wait_for(lambda shot: has_color(shot, 160, RIGHT) and has_color(shot, 480, LEFT))
    run.server.press("m")
    run.server.wait_for(unchanged)


@pytest.mark.parametrize("size", [(180, 320), (480, 120), (320, 240)])
def test_window_has_the_proportions_of_the_source(
    start: Callable[..., Run], tmp_path: Path, identity: str, size: tuple[int, int]
) -> None:
    path = write_halves(tmp_path / "shape.mp4", size)
    run = start(path, "--loop", "--style", identity, "--smooth", "off", "--size", f"{size[0]}x{size[1]}")

    def proportional(shot: Screenshot) -> bool:
        # The screen cuts off what is higher than 800 pixels.
        width, height = window_size(shot)
        return abs(width / max(1, height) - size[0] / size[1]) < 0.06 * size[0] / size[1]

    run.server.wait_for(
        lambda shot: proportional(shot) and has_color(shot, 60, LEFT, 60) and window_size(shot) != (640, 360)
    )


def test_side_by_side_keeps_the_proportions(run: Run) -> None:
    """The input is left; the window becomes twice as wide in proportion and has no black bars."""
    run.server.press("n", "b")

    def both(shot: Screenshot) -> bool:
        width, height = window_size(shot)
        quarter = width // 8
        return (
            abs(width / max(1, height) - 32 / 9) < 0.1
            and has_color(shot, quarter, LEFT, 100)
            and has_color(shot, 3 * quarter, RIGHT, 100)
            and not has_color(shot, 5 * quarter, LEFT, 100)
        )

    run.server.wait_for(both)
    run.server.press("b")
    run.server.wait_for(lambda shot: abs(np.divide(*window_size(shot)) - 16 / 9) < 0.05)


def test_dividing_line_of_the_split_view_follows_the_mouse(run: Run) -> None:
    run.server.press("n", "v")

    def input_at(shot: Screenshot) -> tuple[bool, bool, bool]:
        return has_color(shot, 100, LEFT), has_color(shot, 270, LEFT), has_color(shot, 500, RIGHT)

    run.server.wait_for(lambda shot: input_at(shot) == (True, True, False))
    run.server.drag((320, 100), (200, 100))
    run.server.wait_for(lambda shot: input_at(shot) == (True, False, False))
    run.server.drag((200, 100), (600, 120))
    run.server.wait_for(lambda shot: input_at(shot) == (True, True, True))
    run.server.press("v")
    run.server.wait_for(lambda shot: input_at(shot) == (False, False, False))


def test_full_screen_without_bars(run: Run) -> None:
    """In full screen of 1280x800 there are bars of 40 pixels, which 'z' crops away."""
    black = (0, 0, 0)
    assert has_color(run.server.screenshot(), 1200, black)
    run.server.press("f")
    run.server.wait_for(lambda shot: has_color(shot, 300, LEFT, 400) and has_color(shot, 300, black, 15))
    run.server.press("z")
    run.server.wait_for(lambda shot: has_color(shot, 300, LEFT, 15) and has_color(shot, 1200, RIGHT, 15))
    run.server.press("z", "f")
    run.server.wait_for(lambda shot: unchanged(shot) and has_color(shot, 1200, black))


def test_status_line_and_record_dot_can_be_hidden(run: Run) -> None:
    run.server.press("r")
    red = (255, 60, 60)
    run.server.wait_for(
        lambda shot: has_color(shot, 620, red, 20) and has_color(shot, 600, darkened(RIGHT), 350)
    )
    run.server.press("i")
    run.server.wait_for(lambda shot: has_color(shot, 620, RIGHT, 20) and has_color(shot, 600, RIGHT, 350))
    run.server.press("i")
    run.server.wait_for(lambda shot: has_color(shot, 620, red, 20))


def test_output_window_is_clean(start: Callable[..., Run], video: Path, identity: str) -> None:
    """At the given offset, in full screen, without status line, and without the layout of the preview."""
    run = start(video, "--loop", "--style", identity, "--smooth", "off", "--output-window", "+640+0")
    run.server.window("vidgan output")
    run.server.wait_for(
        lambda shot: (
            has_color(shot, 300, LEFT, 400)
            and has_color(shot, 1200, RIGHT, 400)
            and has_color(shot, 1200, RIGHT, 750)
        )
    )
    run.server.press("q")
    run.end()


def test_output_window_opens_and_closes_by_key(run: Run) -> None:
    run.server.press("o")
    run.server.window("vidgan output")
    run.server.press("o")
    until = time.monotonic() + 60
    while run.server.xdotool("search", "--name", "^vidgan output$", check=False).split():
        assert time.monotonic() < until
    run.server.wait_for(unchanged)


def test_help_lists_every_key(run: Run) -> None:
    run.server.press("h")
    shot = run.server.wait_for(lambda shot: has_color(shot, 600, darkened(RIGHT), 100))
    # One line of bright text per key.
    bright = (shot[:330, 20:560].min(axis=2) > 150).any(axis=1)
    assert np.count_nonzero(np.diff(bright.astype(int)) == 1) >= len(KEYS)
    run.server.press("question")
    run.server.wait_for(lambda shot: has_color(shot, 600, RIGHT, 100))


def test_space_takes_a_snapshot(run: Run) -> None:
    run.server.press("space")
    until = time.monotonic() + 60
    while not (found := list(run.folder.glob("vidgan-*.png"))):
        assert time.monotonic() < until
        time.sleep(0.05)
    run.server.press("q")
    assert f"{found[0].name}: snapshot" in run.end()
    with av.open(str(found[0])) as image:
        pixels = next(image.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(pixels[90, 80].astype(int) - LEFT).max() < 8


def test_r_records_until_it_is_pressed_again(run: Run) -> None:
    run.server.press("r")
    run.server.wait_for(lambda shot: has_color(shot, 620, (255, 60, 60), 20))
    run.server.press("r")
    run.server.wait_for(lambda shot: not has_color(shot, 620, (255, 60, 60), 20))
    run.server.press("Escape")
    assert ": recorded" in run.end()
    (path,) = run.folder.glob("vidgan-*.mp4")
    assert len(times_of(path)) > 1


@pytest.mark.parametrize("how", ["q", "Escape", "alt+F4", signal.SIGINT, signal.SIGTERM])
def test_every_way_to_quit_completes_the_recording(
    start: Callable[..., Run], video: Path, identity: str, tmp_path: Path, how: str | signal.Signals
) -> None:
    run = start(video, "--loop", "--style", identity, "--record", "a.mp4")
    run.server.wait_for(lambda shot: unchanged(shot) and has_color(shot, 620, (255, 60, 60), 20))
    if isinstance(how, signal.Signals):
        run.process.send_signal(how)
    else:
        run.server.press(how)
    assert "a.mp4: recorded" in run.end()
    assert len(times_of(tmp_path / "a.mp4")) > 1
    # A complete MP4 file has its index at the end.
    assert b"moov" in (tmp_path / "a.mp4").read_bytes()[-5000:]


def test_window_closes_at_the_end_of_the_video(start: Callable[..., Run], video: Path, identity: str) -> None:
    assert "halves.mp4: " in start(video, "--style", identity).end()


def test_every_key_code_has_one_action() -> None:
    assert len(BY_CODE) == sum(len(key.codes) for key in KEYS)
