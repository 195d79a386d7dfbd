"""De-identifiers as model files: what was trained, in every precision, and what they say of themselves."""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from export.faces import LEAST_PSNR_DB, face_inputs, load_face_model
from export.parity import psnr_db
from tests.support.export_runs import export_run
from tests.support.faces import deidentify_config
from training.core.run_folder import CHECKPOINT, CONFIG
from training.core.weights import load_weights
from training.networks.face_generator import FaceGenerator
from training.recipes.deidentify import DeidentifyConfig, DeidentifyRecipe
from training.recipes.runs import Run, read_run
from vidgan.media.face_guides import MASK


def config_of(run: Run) -> DeidentifyConfig:
    assert isinstance(run.config, DeidentifyConfig)
    return run.config


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With fresh weights, no two of which are alike, exported."""
    folder = tmp_path_factory.mktemp("deidentify")
    config = deidentify_config(folder)
    run = folder / "run"
    run.mkdir()
    (run / CONFIG).write_text(json.dumps(config.as_dict()))
    recipe = DeidentifyRecipe(config, torch.device("cpu"))
    for network in (recipe.trainer.network, recipe.trainer.ema_model):
        random = torch.Generator().manual_seed(0)
        for each in network.parameters():
            each.data += 0.01 * torch.randn(each.shape, generator=random)
    torch.save({**recipe.state_dict(), "step": 7}, run / CHECKPOINT)
    with pytest.MonkeyPatch.context() as patch:
        assert export_run(patch, run, "--title", "Faces of nobody", "--compact") == 0
    return run


@pytest.mark.parametrize("precision", LEAST_PSNR_DB)
def test_the_file_computes_what_was_trained(run: Path, precision: str) -> None:
    found = read_run(run)
    trained = load_face_model(found)
    inputs = face_inputs(config_of(found), trained.identities, 3)
    session = ort.InferenceSession(run / "onnx" / f"{precision}.onnx", providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["faces", "guides", "codes"]
    for count in (1, 3):
        some = inputs[:count]
        (made,) = session.run(None, some.feed())
        wanted = trained(*(torch.from_numpy(each) for each in some.feed().values())).numpy()
        assert made.shape == (count, 48, 48, 3) and made.dtype == np.uint8
        hidden = some.guides[..., MASK] > 0
        assert psnr_db(made[hidden], wanted[hidden]) >= LEAST_PSNR_DB[precision] - 3
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["vidgan.task"] == "deidentify" and facts["vidgan.title"] == "Faces of nobody"
    assert (facts["vidgan.side"], facts["vidgan.steps"]) == ("48", "7")
    assert int(facts["vidgan.codes"]) == inputs.codes.shape[1]
    recipe = json.loads(facts["vidgan.recipe"])
    assert recipe["faces"] == ["lfw_train", "nobody"] and recipe["landmarks"] == "landmarks.onnx"
    assert str(run.parent) not in json.dumps(facts), "no paths of this machine"


def test_compact_files_are_small(run: Path) -> None:
    sizes = {each.stem: each.stat().st_size for each in (run / "onnx").iterdir()}
    assert sizes["int8"] < 0.8 * sizes["float16"]
    assert sizes["float32"] < 1.1 * sizes["float16"], "its weights are kept as float16"


def test_another_persons_code_makes_another_face(run: Path) -> None:
    found = read_run(run)
    trained = load_face_model(found)
    inputs = face_inputs(config_of(found), trained.identities, 2)
    session = ort.InferenceSession(run / "onnx" / "float32.onnx", providers=["CPUExecutionProvider"])
    feed = inputs[:1].feed()
    (one,) = session.run(None, feed)
    (other,) = session.run(None, feed | {"codes": inputs.codes[1:2]})
    assert (one != other).any()
    # Nothing of the inside of a face is seen but its shading: another one of the same comes out alike.
    covered = inputs.guides[0, ..., MASK] == 255
    rows, columns = np.nonzero(covered)
    plane = np.stack([np.ones(len(rows)), rows, columns], 1)
    features = np.random.default_rng(0).normal(0, 20, (len(rows), 3))
    features -= plane @ np.linalg.lstsq(plane, features)[0]
    face = inputs.faces.clip(80, 175)[:1]
    another = face.copy()
    another[0, covered] = np.rint(another[0, covered] + features).clip(0, 255)
    assert np.abs(another.astype(int) - face).mean() > 5
    (there,), (again,) = (session.run(None, feed | {"faces": each}) for each in (face, another))
    assert np.abs(again.astype(int) - there).max() <= 1


def test_a_run_starts_from_what_was_exported(run: Path) -> None:
    generator = FaceGenerator()
    load_weights(generator, run / "onnx" / "float32.onnx")
    trained = load_face_model(read_run(run)).generator.state_dict()
    for name, weight in generator.state_dict().items():
        assert torch.allclose(weight, trained[name], atol=1e-3, rtol=1e-3), name


def test_a_checkpoint_of_another_kind_is_refused(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / CONFIG).write_text((run / CONFIG).read_text())
    torch.save({"generator": {}, "step": 1}, tmp_path / CHECKPOINT)
    assert export_run(monkeypatch, tmp_path) == 1
    assert "the checkpoint is not of the network in recipe.json" in capsys.readouterr().err
