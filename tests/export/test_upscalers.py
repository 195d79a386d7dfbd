"""Upscalers as model files: what was trained, at every size, so many times as large."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from export.parity import open_session, psnr_db, run_session, run_torch
from tests.support.export_runs import export_run, image
from tests.support.upscalers import fresh_upscaler, upscaler_run
from training.core.run_folder import CHECKPOINT
from training.recipes.runs import load_network, read_run
from vidgan.session.runtime import ort

SIZES = [(16, 16), (17, 31), (61, 100)]
NETWORKS = [("swift-sr", 2), ("swift-sr", 4), ("srresnet", 4)]
FILES = [(*each, precision) for each in NETWORKS for precision in ("float32", "float16", "int8")]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> dict[tuple[str, int], Path]:
    folder = tmp_path_factory.mktemp("upscalers")
    found = {each: upscaler_run(folder / f"{each[0]}-x{each[1]}", *each, photos) for each in NETWORKS}
    with pytest.MonkeyPatch.context() as patch:
        for run in found.values():
            assert export_run(patch, run, "--title", "Larger") == 0
    return found


@pytest.mark.parametrize(("network", "scale", "precision"), FILES)
def test_the_file_enlarges_as_the_trained_network_does_at_every_size(
    runs: dict[tuple[str, int], Path], network: str, scale: int, precision: str
) -> None:
    run = runs[network, scale]
    generator = load_network(read_run(run))
    session = open_session(onnx.load(run / "onnx" / f"{precision}.onnx"))
    for height, width in SIZES:
        photo = image(height, width)
        enlarged = run_session(session, photo)
        assert enlarged.shape == (scale * height, scale * width, 3) and enlarged.dtype == np.uint8
        assert psnr_db(enlarged, run_torch(generator, photo)) >= generator.export_spec().min_parity[precision]


@pytest.mark.parametrize(("network", "scale"), NETWORKS)
def test_the_file_says_what_it_is(
    runs: dict[tuple[str, int], Path], photos: Path, network: str, scale: int
) -> None:
    model = onnx.load(runs[network, scale] / "onnx" / "float32.onnx")
    facts = {each.key: each.value for each in model.metadata_props}
    assert (facts["vidgan.task"], facts["vidgan.scale"]) == ("upscale", str(scale))
    assert (facts["vidgan.title"], facts["vidgan.steps"]) == ("Larger", "5")
    recipe = json.loads(facts["vidgan.recipe"])
    assert recipe["network"] == network and recipe["photos"] == [photos.name]
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}


@pytest.mark.parametrize(
    ("network", "scale"), [("swift-sr", 2), ("swift-sr", 4), ("srresnet", 2), ("srresnet", 4)]
)
def test_nothing_beyond_its_reach_changes_a_pixel(network: str, scale: int) -> None:
    """What tiles are processed with round them."""
    generator = fresh_upscaler(network, scale).eval()
    reach = generator.receptive_field
    photo = torch.rand(1, 3, 4 * reach + 8, 16, generator=torch.Generator().manual_seed(0))
    other = photo.clone()
    row = 2 * reach
    other[:, :, row + generator.stride + reach :] = 0.5
    with torch.no_grad():
        one, two = generator(photo), generator(other)
    same = scale * (row + generator.stride)
    assert torch.allclose(one[:, :, :same], two[:, :, :same], atol=1e-5)
    assert not torch.allclose(one[:, :, same + scale * reach :], two[:, :, same + scale * reach :], atol=1e-3)


def test_one_that_eight_bits_do_not_suffice_for_is_refused_and_said(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = upscaler_run(tmp_path / "run", "swift-sr", 2, photos)
    saved = torch.load(run / CHECKPOINT, weights_only=True)
    # One channel a thousand times as large as the others leaves these no steps.
    for name in ("plain", "wide"):
        saved["generator"][f"convolutions.2.{name}"][:24] *= 1000
    torch.save(saved, run / CHECKPOINT)
    assert export_run(monkeypatch, run, "--precision", "int8") == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and said[0].startswith("error: int8: ") and "at least 40.0 dB expected" in said[0]
    assert list(run.rglob("*.onnx")) == []


def test_in_int8_convolutions_and_their_sum_are_integers(runs: dict[tuple[str, int], Path]) -> None:
    """As onnxruntime runs it: a float left between would cost more than it computes."""
    path = runs["swift-sr", 2] / "onnx" / "int8.onnx"
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(path.with_name("optimized.onnx"))
    options.log_severity_level = 4
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node]
    assert kinds.count("QLinearConv") == 7 and "Conv" not in kinds
    assert "QLinearAdd" in kinds and "Add" not in kinds
