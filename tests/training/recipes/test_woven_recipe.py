"""Woven passcodes: the network, the codec between its directions, and the recipe."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.faces import deidentify_config
from tests.support.state_dicts import differences
from tests.support.training_command import training
from training.core.run_folder import CHECKPOINT, SAMPLES, prepare_run
from training.core.trainer import train
from training.networks.woven import BITS, FaceTransformer, drawn_codes, through_codec
from training.recipes.woven import Teacher, WovenConfig, WovenRecipe

CPU = torch.device("cpu")
TEACHER = Path(__file__).parents[3] / "vidgan" / "models" / "nobody" / "float32.onnx"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> WovenConfig:
    given = deidentify_config(tmp_path_factory.mktemp("faces"))
    known = {each.name for each in fields(WovenConfig)} - {"recipe", "network"}
    settings = {name: value for name, value in given.as_dict().items() if name in known}
    return WovenConfig(
        **settings
        | {
            "size": 32,
            "showing_steps": 1,
            "rising_steps": 2,
            "plain_steps": 2,
            "batch": 2,
            "steps": 4,
            "teacher": str(TEACHER),
        }
    )


def faces_and_codes(count: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 4, 4, generator=random) * 1.6 - 0.8
    faces = torch.nn.functional.interpolate(coarse, (32, 32), mode="bicubic").clamp(-0.9, 0.9)
    return faces, drawn_codes(count, random)


def test_codes_are_bits_and_their_inverse_is_another_code() -> None:
    codes = drawn_codes(200, torch.Generator().manual_seed(0))
    assert codes.shape == (200, BITS) and set(codes.unique().tolist()) == {-1.0, 1.0}
    assert abs(float(codes.mean())) < 0.02


@torch.no_grad()
def test_a_network_begins_with_the_face_and_depends_on_the_code() -> None:
    torch.manual_seed(0)
    network = FaceTransformer().eval()
    faces, codes = faces_and_codes()
    made = network(faces, codes)
    assert made.shape == faces.shape and (made - faces).abs().mean() < 0.2
    assert not torch.allclose(made, network(faces, -codes), atol=1e-4)
    one_bit = codes.clone()
    one_bit[:, 7] *= -1
    assert not torch.equal(made, network(faces, one_bit))


def test_the_codec_rounds_and_lets_gradients_through() -> None:
    faces, _ = faces_and_codes()
    faces.requires_grad_(True)
    errors = []
    for quantizer in (10.0, 26.0, 44.0):
        coded = through_codec(faces, torch.full((2,), quantizer), torch.Generator().manual_seed(0))
        assert coded.shape == faces.shape and coded.detach().abs().max() <= 1 + 1e-5
        errors.append(float((coded - faces).detach().abs().mean()))
    assert 0 < errors[0] < errors[1] < errors[2]
    weights = torch.rand(faces.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((coded * weights).sum(), faces)
    assert torch.equal(gradient, weights)


def test_faces_come_back_by_the_inverted_code() -> None:
    torch.manual_seed(0)
    network = FaceTransformer()
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    faces, _ = faces_and_codes(4)
    random = torch.Generator().manual_seed(3)
    recoveries = []
    for _ in range(12):
        codes = drawn_codes(4, random)
        recovered = (network(network(faces, codes), -codes) - faces).abs().mean()
        optimizer.zero_grad()
        recovered.backward()
        optimizer.step()
        recoveries.append(float(recovered.detach()))
    assert recoveries[-1] < recoveries[0] / 3


def test_a_teacher_shows_another_face_for_another_code(config: WovenConfig) -> None:
    recipe = WovenRecipe(config, CPU)
    batch = recipe._batch(recipe._held_out_picks(2), torch.zeros(2, 4), torch.zeros(2))
    codes = drawn_codes(2, torch.Generator().manual_seed(0))
    first, again, other = (recipe.teacher(batch, each) for each in (codes, codes, -codes))
    assert torch.equal(first, again)
    mask = batch.guides[:, 2:3]
    assert ((first - other).abs() * mask).sum() / mask.sum() / 3 > 0.02
    assert torch.allclose(first * (mask == 0), batch.images * (mask == 0)), "the rest is as it was"
    assert isinstance(recipe.teacher, Teacher) and not any(
        each.requires_grad for each in recipe.teacher.parameters()
    )


def test_a_resumed_run_computes_what_an_uninterrupted_one_does(config: WovenConfig, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    prepare_run(whole, config.as_dict())
    train(WovenRecipe(config, CPU), whole, report=lambda _: None)
    first = WovenRecipe(config, CPU)
    losses = [first.step(index) for index in range(2)]
    shown = {"shown", "shown perceptual"}
    both = {*shown, "recovered", "perceptual", "same"}
    assert losses[0].keys() == shown and losses[1].keys() == both
    second = WovenRecipe(config, CPU)
    second.load_state_dict(first.state_dict())
    losses = [second.step(index) for index in range(2, 4)]
    assert losses[0].keys() == losses[1].keys() == both
    assert all(np.isfinite(list(each.values())).all() for each in losses)
    saved = torch.load(whole / CHECKPOINT, weights_only=True)
    assert not differences({**second.state_dict(), "step": 4}, saved)
    assert (whole / SAMPLES).exists()


def test_the_command_trains(
    config: WovenConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    faces, weights = Path(config.faces[0]).parent, tmp_path / "weights"
    for name, place in (
        ("landmarks", "faces/mediapipe_face_landmark_468.onnx"),
        ("recognizer", "recognisers/mobilefacenet_128_112x112.onnx"),
        ("second_recognizer", "recognisers/mobilefacenet_casia_112x96.fp16.safetensors"),
        ("feature_extractor", "squeezenet1_1_lpips.safetensors"),
    ):
        (weights / place).parent.mkdir(parents=True, exist_ok=True)
        (weights / place).symlink_to(getattr(config, name))
    options = [
        "--faces", faces, "--weights", weights, "--size", 32, "--steps", 1, "--batch", 2,
        "--teacher", TEACHER, "--device", "cpu",
    ]  # fmt: skip
    assert training(monkeypatch, "woven", *options, "--out", tmp_path / "run") == 0
    assert "42 photos, 4 held out, on cpu" in capsys.readouterr().out
