"""``python -m benchmarks.styles``: trained styles beside others of the same names."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs the extra train")

from benchmarks import styles
from benchmarks.styles import cli
from tests.support.images import write_noise
from vidgan.media.image import Pixels
from vidgan.models.registry import BUNDLED

_PAINTING = "hokusai_great_wave.jpg"


class Yardstick:
    """Distances of pixels instead of those of networks, whose weights do not come with the repository."""

    def __init__(self, weights: Path) -> None:
        assert weights.name == "vgg16.safetensors"

    def style(self, stylized: list[Pixels], painting: Pixels) -> float:
        return float(np.mean([abs(each.mean() - painting.mean()) for each in stylized]))

    def content(self, stylized: list[Pixels], photos: list[Pixels]) -> float:
        return float(
            np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(stylized, photos, strict=True)])
        )


def test_figures_and_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(styles, "StyleYardstick", Yardstick)
    photos, exports, out = (tmp_path / name for name in ("photos", "exports", "out"))
    photos.mkdir()
    for number in range(24):
        write_noise(photos / f"{number}.png", 48, 64, number)
    write_noise(tmp_path / _PAINTING, 48, 64, 99)
    exports.mkdir()
    (exports / "wave").symlink_to(BUNDLED / "scream")
    (tmp_path / "vgg16.safetensors").touch()
    options = ["--exports", exports, "--paintings", tmp_path, "--photos", photos, "--size", 64, "--out", out,
               "--photo-count", 5, "--weights", f"vgg16={tmp_path / 'vgg16.safetensors'}"]  # fmt: skip
    result = CliRunner().invoke(cli, [str(each) for each in options], catch_exceptions=False)
    figures = json.loads((out / "figures.json").read_text())
    # The only style of which there is another; orange is not the wave's beige.
    assert set(figures) == {"machine", "wave"} and set(figures["wave"]) == {"vidgan", "other"}
    assert figures["wave"]["vidgan"]["content"] != figures["wave"]["other"]["content"]
    assert [line.split()[0] for line in result.output.splitlines()] == ["wave", "mean"]
    sheet = cv2.imread(str(out / "sheet.jpg"))
    assert sheet is not None and sheet.shape == (2 * 256, 9 * 256, 3)
