"""``python -m benchmarks.look_enlarged``: what is shown is the video's, at the place that was asked for."""

from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from benchmarks.look_enlarged import cli
from tests.support.commands import SAMPLES
from tests.support.upscalers import upscaler_file

SAMPLE = SAMPLES / "bunny.mp4"


def test_a_row_shows_the_place_by_every_upscaler(tmp_path: Path) -> None:
    model, sheet = upscaler_file(tmp_path / "fresh.onnx", scale=4), tmp_path / "sheet.png"
    place = f"{SAMPLE}@3:600,200"
    done = CliRunner().invoke(cli, [place, "--model", str(model), "--side", "32", "-o", str(sheet)])
    assert done.exit_code == 0, done.output
    drawn = cv2.imread(str(sheet))
    assert drawn is not None and drawn.shape == (128 + 4 + 24, 3 * (128 + 4), 3)
    video = cv2.VideoCapture(str(SAMPLE))
    for _ in range(4):
        there, frame = video.read()
        assert there
    shown = drawn[:128:4, :128:4].astype(int)
    # OpenCV's own decoder rounds colors otherwise.
    assert abs(shown - frame[200:232, 600:632]).mean() < 3
    assert abs(shown - frame[200:232, 700:732]).mean() > 10
    for column in (1, 2):
        larger = drawn[:128, column * 132 : column * 132 + 128]
        assert 0 < abs(larger.astype(int) - drawn[:128, :128]).mean() < 12


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("here", "is no place"),
        (f"{SAMPLE}@100000:0,0", "has no frame 100000"),
        (f"{SAMPLE}@0:1270,0", "frames are 1280x720"),
    ],
)
def test_a_place_that_is_none_is_named(tmp_path: Path, place: str, words: str) -> None:
    done = CliRunner().invoke(cli, [place, "-o", str(tmp_path / "sheet.png")])
    assert done.exit_code == 2 and words in done.output and not (tmp_path / "sheet.png").exists()
