"""``python -m benchmarks.skin``: hues of skin on colorized portraits."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.skin import cli, hues, share_within, skin_mask, skin_range
from tests.support.places import SHARED
from tests.support.translators import RED, translator_file
from vidgan.tasks.faces.finder import FoundFace

PORTRAITS = SHARED / "faces" / "nobody"


def test_skin_is_the_face_without_eyes_and_mouth() -> None:
    points = np.array([[40, 45], [60, 45], [50, 55], [42, 68], [58, 68]], np.float32)
    face = FoundFace(np.array([50, 50, 60, 80], np.float32), points, 1.0)
    mask = skin_mask(face, 100, 100)
    assert mask[55, 50] and mask[25, 50] and mask[55, 33]
    assert not mask[45, 40] and not mask[45, 60] and not mask[68, 50]
    assert not mask[2:12].any() and not mask[:, :20].any()


def test_gray_has_no_hue_and_is_outside_of_every_range() -> None:
    target = hues(np.array([[10.0, 10.0], [20.0, 10.0], [10.0, 20.0]] * 100, np.float32))
    bounds = skin_range(target)
    assert bounds == pytest.approx((26.6, 63.4), abs=0.2)
    found = hues(np.array([[10, 10], [1, 1], [-10, 10], [8, 9]], np.float32))
    assert share_within(found, bounds) == 0.5


@pytest.mark.skipif(not PORTRAITS.is_dir(), reason="needs the portraits")
def test_the_table_has_the_truth_and_the_model(tmp_path: Path) -> None:
    for path in sorted(PORTRAITS.iterdir())[:3]:
        cv2.imwrite(str(tmp_path / f"{path.stem}.png"), cv2.imread(str(path)))
    model = translator_file(tmp_path / "models" / "red.onnx", "colorize")
    done = CliRunner().invoke(cli, [str(tmp_path), "--model", str(model), "--count", "2"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("2 faces; skin has hues of ")
    target, made = (line.split("|")[2].strip() for line in done.output.splitlines()[3:])
    assert float(target.rstrip("%")) > 95
    # Its a and b are equal everywhere, a hue of 45 degrees, which skin has.
    assert RED == 160 and made == "100.0%"
