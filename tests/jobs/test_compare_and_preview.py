"""Looking at a result beside its input: as a video, and as a sheet before a long run."""

from pathlib import Path

import numpy as np
import pytest

import vidgan
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as run
from tests.support.images import read_pixels
from vidgan.sources import open_source

CLIP = SAMPLES / "bunny.mp4"


@pytest.mark.parametrize("size", ["96x64", "95x63"])
def test_input_and_output_side_by_side(tmp_path: Path, identity: str, size: str) -> None:
    result = vidgan.stylize(
        CLIP,
        tmp_path / "out.mkv",
        style=identity,
        size=size,
        smooth="off",
        compare=True,
        trim=(0, 0.2),
        encoder_options={"crf": "8"},
    )
    width, height = map(int, size.split("x"))
    assert (result.width, result.height, result.frames) == (2 * width, height + height % 2, 5)
    with open_source(tmp_path / "out.mkv") as source:
        pixels = next(iter(source)).pixels.astype(int)
    left, right = pixels[:, :width], pixels[:, width:]
    assert left.std() > 20 and np.abs(left - right).mean() < 3


def test_a_larger_output_has_its_input_enlarged_beside_it(tmp_path: Path) -> None:
    result = vidgan.upscale(CLIP, tmp_path / "out.mp4", size="160x90", compare=True, trim=(0, 0.1))
    assert (result.width, result.height) == (640, 180)


def test_a_preview_is_a_sheet_and_no_video(tmp_path: Path, identity: str) -> None:
    sheet = tmp_path / "sheet.png"
    done = run("stylize", CLIP, "--style", identity, "--preview", sheet, "-o", tmp_path / "out.mp4")
    assert done.returncode == 0 and "4 frames before and after" in done.stdout, done.stderr
    pixels = read_pixels(sheet).astype(int)
    assert pixels.shape == (4 * (270 + 4), 2 * 480 + 4, 3)
    rows = [pixels[index * 274 : index * 274 + 270] for index in range(4)]
    assert all(np.abs(row[:, :480] - row[:, 484:]).mean() < 2 for row in rows)
    assert np.abs(rows[0] - rows[3]).mean() > 3
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    assert_one_clear_error(run("stylize", CLIP, "--style", identity, "--preview", sheet), "exists already")


def test_help_and_completion() -> None:
    assert "Repaint" in run("help", "stylize").stdout and "resume" in run("help", "jobs").stdout
    assert run("help", "nothing").returncode == 2
    for shell in ("bash", "zsh", "fish"):
        assert "_VIDGAN_COMPLETE" in run("completion", shell).stdout
