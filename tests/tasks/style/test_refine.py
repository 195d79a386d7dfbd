"""``vidgan refine``: the style of a image, trained further on it by real training and export processes."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torchvision.models import squeezenet1_0

import vidgan
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as command
from tests.support.images import write_noise
from vidgan.errors import ModelError
from vidgan.models.registry import model_in
from vidgan.models.universal.generator import PREDICTOR
from vidgan.sources.image import read_image
from vidgan.tasks.style.images import style_of
from vidgan.tasks.style.refinement import refine


@pytest.fixture
def with_squeezenet(universal: Path) -> Path:
    """A universal style model whose predictor has a SqueezeNet, of random weights, as exported ones have."""
    model = onnx.load(universal / PREDICTOR)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = squeezenet1_0(weights=None).features[:9].state_dict()
    for name, tensor in weights.items():
        half = tensor.numpy().astype(np.float16)
        model.graph.initializer.append(
            numpy_helper.from_array(half, f"trunk.networks.0.features.{name}_half")
        )
    (universal / PREDICTOR).write_bytes(model.SerializeToString())
    return universal


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of 24 parts of a photo: int8 holds for photos, and not for noise."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photo = read_image(SAMPLES / "bunny.jpg").pixels
    for number in range(24):
        top, left = 4 * number, 12 * number
        assert cv2.imwrite(str(folder / f"{number:02}.png"), photo[top : top + 200, left : left + 208, ::-1])
    return folder


@pytest.mark.timeout(900)
def test_a_refined_style_is_a_model_that_differs_from_its_beginning(
    with_squeezenet: Path, photos: Path, tmp_path: Path, own_data: Path
) -> None:
    image = write_noise(tmp_path / "rough sea.png", 90, 120, 7)
    lines: list[str] = []
    folder = refine(image, [photos], minutes=0.02, on_line=lines.append)
    assert lines[0].endswith("in about 0.02 minutes") and lines[-1].startswith("[3/3] int8")
    assert folder == own_data / "models" / "rough-sea"
    facts: dict[str, Any] = dict(model_in(folder, "int8").facts)
    assert facts["title"] == "Style of rough sea.png, refined" and facts["task"] == "style"
    assert facts["recipe"]["image"] == "rough sea.png"
    begun = style_of([(str(image), 1.0)]).folder
    assert _weights(begun) != _weights(folder)
    assert not (own_data / "refined").exists() or not any((own_data / "refined").iterdir())
    photo = SAMPLES / "bunny.jpg"
    vidgan.stylize(photo, tmp_path / "out.png", style="rough-sea")
    assert read_image(tmp_path / "out.png").pixels.shape == read_image(photo).pixels.shape
    with pytest.raises(ModelError, match="'rough-sea' already"):
        refine(image, [photos])


def test_what_cannot_be_refined_is_refused_before_any_training(
    universal: Path, photos: Path, tmp_path: Path
) -> None:
    image = write_noise(tmp_path / "sea.png", 90, 120, 7)
    assert_one_clear_error(
        command("refine", tmp_path / "none.jpg", "--photos", photos), "none.jpg", "no such"
    )
    assert_one_clear_error(command("refine", image, "--photos", tmp_path / "none"), "none", "no such folder")
    assert_one_clear_error(
        command("refine", image, "--photos", photos, "--name", "starry"), "comes with vidgan"
    )
    few = tmp_path / "few"
    few.mkdir()
    assert_one_clear_error(command("refine", image, "--photos", few), "few")


def _weights(folder: Path) -> list[bytes]:
    return [each.raw_data for each in onnx.load(folder / "float32.onnx").graph.initializer]
