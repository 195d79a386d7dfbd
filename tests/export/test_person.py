"""A trained pose transfer becomes a model file that processes what the network does, and that ``animate`` takes."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from export.cli import cli
from export.parity import ParityError
from export.people import PersonModel, check_person, person_graph
from tests.support.commands import SAMPLES
from tests.support.people import pose_transfer_config
from tests.support.tiny_models import info_of, open_step
from training.core.run_folder import prepare_run
from training.core.trainer import train
from training.networks.pose_transfer import PoseTransfer
from training.recipes.pose_transfer import PoseTransferRecipe
from training.recipes.runs import load_network, read_run
from vidgan.models.registry import read_model
from vidgan.sources import open_source
from vidgan.tasks.animate import AnimateSettings


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one step."""
    folder = tmp_path_factory.mktemp("people")
    config = pose_transfer_config(folder, steps=1, quiet_steps=9)
    prepare_run(folder / "run", config.as_dict())
    train(PoseTransferRecipe(config, torch.device("cpu")), folder / "run", report=lambda _: None)
    return folder / "run"


@pytest.fixture(scope="module")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx")
    cli([str(run), "--out", str(out), "--name", "doll", "--precision", "float32"], standalone_mode=False)
    return out / "float32.onnx"


def test_it_describes_itself(model: Path) -> None:
    spec = read_model(model)
    assert (spec.task, spec.name, spec.side, spec.precision) == ("animate", "doll", 64, "float32")
    assert spec.facts["steps"] == 1


def test_a_video_can_be_made_with_it(model: Path) -> None:
    settings = AnimateSettings(model=str(model), person=SAMPLES / "person.jpg")
    step = open_step(settings, info_of(256, 256)).step
    assert step.effect is not None and step.temporal_filter is not None
    with open_source(SAMPLES / "dance.mp4") as source:
        frame = next(iter(source))
    stylized = step.temporal_filter.apply(step.effect.apply(frame), None)
    assert stylized.size == (256, 256) and stylized.pixels.std() > 5


def test_int8_makes_what_float32_makes(run: Path, model: Path, tmp_path: Path) -> None:
    cli([str(run), "--out", str(tmp_path), "--name", "doll", "--precision", "int8"], standalone_mode=False)
    (file,) = tmp_path.iterdir()
    spec = read_model(file)
    assert (spec.precision, spec.side) == ("int8", 64) and file.stat().st_size < 0.4 * model.stat().st_size
    types = [each.op_type for each in onnx.load(file).graph.node]
    assert types.count("DequantizeLinear") > 40 and "GridSample" in types


def test_a_file_of_other_weights_is_found_out(run: Path) -> None:
    network = load_network(read_run(run))
    assert isinstance(network, PoseTransfer)
    graph = person_graph(PersonModel(network).eval(), 64)
    random = np.random.default_rng(0)
    feed: dict[str, NDArray[Any]] = {
        "images": random.integers(0, 255, (2, 64, 64, 3)).astype(np.uint8),
        "guides": random.random((2, 70, 32, 32)).astype(np.float32),
        "affines": random.normal(0, 1, (2, 14, 2, 3)).astype(np.float32),
    }
    assert check_person(graph, PersonModel(network).eval(), feed) > 45
    torch.manual_seed(9)
    with pytest.raises(ParityError, match="dB from the trained network"):
        check_person(graph, PersonModel(PoseTransfer()).eval(), feed)
    assert {each.op_type for each in graph.graph.node} & {"GridSample"}
    onnx.checker.check_model(graph)
