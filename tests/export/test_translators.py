"""Translators as model files: what was trained, at every size, and what they say of themselves."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tests.support.export_runs import export_run, image
from tests.support.streets import classes_file, street, street_labels
from training.core.run_folder import CHECKPOINT, CONFIG
from training.networks.translators import LabelSequenceToImage, Translator, run_padded
from training.recipes import RECIPES
from training.recipes.runs import load_network, read_run
from vidgan.session.runtime import ort

SIZES = [(16, 16), (17, 31), (61, 100)]
NOISE_BYTES = 4 * 256**2
"""Of noise, in every file."""
TINY = {"base_channels": 8, "depth": 3, "image_height": 32, "image_width": 48}
KINDS: dict[str, dict[str, Any]] = {
    "labels": {"recipe": "pix2pix", "inputs": "labels", "targets": "photos", "classes": "yes", "input_noise": True},
    "images": {"recipe": "pix2pix", "inputs": "photos", "targets": "photos"},
    "gray": {"recipe": "pix2pix", "photos": ["photos"]},
    "classified": {"recipe": "colorization", "photos": ["photos"], "side": 32},
    "segmentation": {"recipe": "segmentation", "photos": "photos", "labels": "labels", "classes": "yes"},
    "light": {
        "recipe": "segmentation", "network": "light-segmenter",
        "photos": "photos", "labels": "labels", "classes": "yes",
    },
    "found": {"recipe": "pix2pix", "inputs": "photos", "targets": "labels", "target_classes": "yes"},
    "video": {
        "recipe": "vid2vid", "video_labels": "labels", "video_photos": "photos",
        "still_labels": "labels", "still_photos": "photos", "classes": "yes",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Of every kind, with fresh weights, exported."""
    folder = tmp_path_factory.mktemp("translators")
    street(folder)
    classes = str(classes_file(folder))
    found = {}
    for name, settings in KINDS.items():
        sizes = {} if settings["recipe"] == "colorization" else TINY
        config: dict[str, Any] = sizes | {
            key: classes if value == "yes" else _inside(folder, value) for key, value in settings.items()
        }
        run = found[name] = folder / f"{name}-run"
        run.mkdir()
        (run / CONFIG).write_text(json.dumps(config))
        torch.manual_seed(0)
        entry = RECIPES[config["recipe"]]
        network = entry.network(entry.config(**config)).trained
        torch.save({"generator": network.state_dict(), "step": 5}, run / CHECKPOINT)
        with pytest.MonkeyPatch.context() as patch:
            assert export_run(patch, run, "--title", name) == 0
    return found


def _inside(folder: Path, value: object) -> object:
    if isinstance(value, list):
        return [str(folder / each) for each in value]
    return str(folder / value) if value in ("labels", "photos") else value


def given(name: str, height: int, width: int) -> np.ndarray:
    """What that kind takes."""
    if name in ("labels", "video"):
        return street_labels(1, (max(height, 40), width))[:height]
    photo = image(height, width)
    return np.ascontiguousarray(photo[:, :, 0]) if name in ("gray", "classified") else photo


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [name for name in KINDS if name != "video"])
def test_the_file_computes_what_was_trained(runs: dict[str, Path], name: str, size: tuple[int, int]) -> None:
    translator = load_network(read_run(runs[name]))
    assert isinstance(translator, Translator) and not isinstance(translator, LabelSequenceToImage)
    session = ort.InferenceSession(runs[name] / "onnx" / "float32.onnx", providers=["CPUExecutionProvider"])
    input = given(name, *size)[np.newaxis]
    (output,) = session.run(None, {session.get_inputs()[0].name: input})
    expected = run_padded(translator, torch.from_numpy(input)).numpy()
    assert output.shape == expected.shape and output.dtype == np.uint8
    assert np.abs(output.astype(int) - expected).mean() < 0.1


def test_a_compact_file_is_much_smaller_and_returns_the_same(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert export_run(monkeypatch, runs["labels"], "--compact", "--out", tmp_path) == 0
    files = [folder / "float32.onnx" for folder in (runs["labels"] / "onnx", tmp_path)]
    plain_size, compact_size = (file.stat().st_size - NOISE_BYTES for file in files)
    assert compact_size < 0.7 * plain_size
    input = {"labels": given("labels", 61, 100)[np.newaxis]}
    plain, compact = (ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, input)[0]
                      for file in files)  # fmt: skip
    assert np.abs(plain.astype(int) - compact).mean() < 0.6


def test_a_video_remembers(runs: dict[str, Path]) -> None:
    session = ort.InferenceSession(
        runs["video"] / "onnx" / "float32.onnx", providers=["CPUExecutionProvider"]
    )
    assert [each.name for each in session.get_inputs()] == ["labels", "state"]
    assert [each.name for each in session.get_outputs()] == ["output", "next_state"]
    labels = given("video", 33, 50)[np.newaxis]
    nothing = np.zeros((1, 5, 40, 56), np.float32)
    first, past = session.run(None, {"labels": labels, "state": nothing})
    again, _ = session.run(None, {"labels": labels, "state": nothing})
    then, _ = session.run(None, {"labels": labels, "state": past})
    assert np.array_equal(first, again) and not np.array_equal(first, then)
    assert past.shape == nothing.shape and np.all(past[:, 4] == 1)
    assert np.array_equal(past[0, 3, :33, :50], labels[0])


def test_files_say_what_they_are(runs: dict[str, Path]) -> None:
    facts = {}
    for name, run in runs.items():
        model = onnx.load(run / "onnx" / "float32.onnx")
        facts[name] = {each.key: each.value for each in model.metadata_props}
        assert str(run.parent) not in json.dumps(facts[name]), "no path of this machine"
    tasks = {name: each["vidgan.task"] for name, each in facts.items()}
    assert tasks == {
        "labels": "translate", "images": "translate", "gray": "colorize",
        "classified": "colorize",
        "segmentation": "segment", "light": "segment", "found": "segment", "video": "translate",
    }  # fmt: skip
    assert json.loads(facts["labels"]["vidgan.classes"])[2] == ["car", [64, 0, 128]]
    assert "vidgan.classes" not in facts["images"]
    assert json.loads(facts["video"]["vidgan.state"]) == {"state": [5, 1]}
    assert facts["video"]["vidgan.stride"] == "8" and facts["gray"]["vidgan.side"] == "32"
    assert facts["classified"]["vidgan.side"] == "32"
