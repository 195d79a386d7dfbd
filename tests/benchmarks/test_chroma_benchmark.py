"""``python -m benchmarks.chroma``: what ways to enlarge colors keep of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.chroma import WAYS, cli
from tests.support.commands import SAMPLES
from tests.support.translators import translator_file


def photo() -> np.ndarray:
    return cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (320, 180), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("name", WAYS)
def test_flat_colors_stay(name: str) -> None:
    lightness = cv2.cvtColor(photo().astype(np.float32) / 255, cv2.COLOR_BGR2Lab)[..., 0].copy()
    flat = np.tile(np.array([30, -20], np.float32), (45, 80, 1))
    assert np.abs(WAYS[name](lightness, flat) - flat[0, 0]).max() < 0.01


def test_what_goes_with_lightness_comes_back_by_its_edges() -> None:
    lightness = np.full((180, 320), 30, np.float32)
    cv2.circle(lightness, (150, 90), 60, 80, -1)
    target = np.stack([0.5 * lightness, 10 - 0.3 * lightness], 2)
    small = cv2.resize(target, (80, 45), interpolation=cv2.INTER_AREA)
    errors = {name: float(np.abs(way(lightness, small) - target).mean()) for name, way in WAYS.items()}
    for name in ("guided filter", "joint bilateral", "cubic and guided slope"):
        assert errors[name] < 0.7 * errors["cubic"], name
    assert errors["cubic"] < errors["linear"] < errors["blurred, then cubic"]


def test_the_table_has_a_row_a_way(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), photo())
    model = translator_file(tmp_path / "red.onnx", "colorize")
    done = CliRunner().invoke(cli, [str(tmp_path), "--model", str(model), "--side", "60"])
    assert done.exit_code == 0, done.output
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.output.splitlines()[2:]]
    assert [row[0] for row in rows] == list(WAYS)
    # Its red is 32 of a and of b everywhere, however it is enlarged.
    assert {row[3] for row in rows} == {"45.25"}
    assert float(rows[1][1]) < float(rows[0][1]), "cubic keeps more than linear"
