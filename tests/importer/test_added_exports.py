"""Exports of vidgan's own, added as they are."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.images import read_pixels
from vidgan.errors import ModelError
from vidgan.importer.exports import add_export
from vidgan.models.registry import BUNDLED, added_models, card_of, find_model, read_model


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """The folder of a training run's exports."""
    folder = tmp_path / "runs" / "bear" / "onnx"
    shutil.copytree(BUNDLED / "wave", folder, ignore=shutil.ignore_patterns("*.md"))
    return folder


def test_an_export_is_added_used_by_name_and_removed(
    exported: Path, tmp_path: Path, own_models: Path
) -> None:
    done = vidgan("models", "add", exported / "int8.onnx", "--name", "bear", "--title", "A bear")
    assert done.returncode == 0, done.stderr
    assert "vidgan stylize in.mp4 --style bear" in done.stdout
    assert any("bear" in line and "A bear" in line for line in vidgan("models").stdout.splitlines())
    assert "# bear" in vidgan("models", "bear").stdout
    for style, name in (("bear", "ours.png"), ("wave", "bundled.png")):
        done = vidgan(
            "stylize", SAMPLES / "bunny.jpg", "-o", tmp_path / name, "-s", style, "--size", "160x90"
        )
        assert done.returncode == 0, done.stderr
    assert np.array_equal(read_pixels(tmp_path / "ours.png"), read_pixels(tmp_path / "bundled.png"))
    assert vidgan("models", "remove", "bear").returncode == 0
    assert added_models() == [] and not (own_models / "bear").exists()


def test_its_variants_come_along_and_nothing_else(exported: Path) -> None:
    shutil.copy(BUNDLED / "starry" / "float16.onnx", exported / "float16.onnx")
    added = add_export(exported / "int8.onnx", "bear")
    assert added.files == ["float32.onnx", "int8-yuv420.onnx", "int8.onnx"]
    spec = find_model("bear", precision="int8", task="style")
    assert spec.name == "bear" and spec.planar is not None and spec.planar.name == "bear"
    assert find_model("bear", precision="float32").precision == "float32"


def test_a_copy_of_one_file_is_kept_to_the_byte(exported: Path, tmp_path: Path, own_models: Path) -> None:
    spec = read_model(exported / "int8.onnx")
    alone = Path(shutil.copy(exported / "int8.onnx", tmp_path / "alone.onnx"))
    with pytest.raises(ModelError, match="comes with vidgan; give another `name`"):
        add_export(alone)
    add_export(alone, "first")
    renamed = own_models / "first" / "int8.onnx"
    assert read_model(renamed).name == "first"
    shutil.copytree(own_models / "first", tmp_path / "copied")
    (tmp_path / "copied" / "card.md").write_text("# first\n\nWhat it is.\x1b[2J\n")
    add_export(tmp_path / "copied" / "int8.onnx", overwrite=True)
    assert renamed.read_bytes() == (tmp_path / "copied" / "int8.onnx").read_bytes()
    assert card_of("first") == "# first\n\nWhat it is. [2J\n"
    facts, before = read_model(renamed).facts, spec.facts
    assert {**facts, "name": "wave"} == before


@pytest.mark.parametrize("name", ["camvid-segment", "colorize", "camvid-film", "swift-x2"])
def test_exports_for_every_task_are_added(name: str, tmp_path: Path) -> None:
    shutil.copy(BUNDLED / name / "float32.onnx", tmp_path / "any.onnx")
    done = vidgan("models", "add", tmp_path / "any.onnx", "--name", "mine", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["files"] == ["float32.onnx"] and found["command"].endswith(" in.mp4 --model mine")
    assert added_models(found["task"]) == ["mine"]


def test_a_damaged_export_is_refused_and_nothing_is_kept(exported: Path, own_models: Path) -> None:
    path = exported / "int8.onnx"
    path.write_bytes(path.read_bytes().replace(b"MatMulInteger", b"MatMulNothing"))
    assert_one_clear_error(
        vidgan("models", "add", path, "--name", "bear"), "onnxruntime cannot load the model"
    )
    assert not (own_models / "bear").exists()


def test_a_taken_name_needs_force(exported: Path) -> None:
    add_export(exported / "int8.onnx", "bear")
    assert_one_clear_error(vidgan("models", "add", exported / "int8.onnx", "--name", "bear"), "already")
    done = vidgan("models", "add", exported / "int8.onnx", "--name", "bear", "--force")
    assert done.returncode == 0, done.stderr
