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
from training.networks.woven import BITS, CodeReader, FaceTransformer, drawn_codes, through_codec
from training.recipes.woven import WovenConfig, WovenRecipe

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> WovenConfig:
    given = deidentify_config(tmp_path_factory.mktemp("faces"))
    known = {each.name for each in fields(WovenConfig)} - {"recipe", "network"}
    settings = {name: value for name, value in given.as_dict().items() if name in known}
    return WovenConfig(**settings | {"size": 32, "plain_steps": 1, "batch": 2})


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
    network, reader = FaceTransformer(), CodeReader(4)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    faces, _ = faces_and_codes(4)
    random = torch.Generator().manual_seed(3)
    recoveries = []
    for _ in range(12):
        codes = drawn_codes(4, random)
        changed = network(faces, codes)
        recovered = (network(changed, -codes) - faces).abs().mean()
        both = torch.cat([faces, changed], 1)
        reading = torch.nn.functional.binary_cross_entropy_with_logits(reader(both), (codes + 1) / 2)
        optimizer.zero_grad()
        (reading + 2 * recovered).backward()
        optimizer.step()
        recoveries.append(float(recovered.detach()))
    assert recoveries[-1] < recoveries[0] / 3
    # What reads the code back tells the network to depend on it.
    optimizer.zero_grad()
    reader(torch.cat([faces, network(faces, codes)], 1)).sum().backward()
    gradient = next(network.code.parameters()).grad
    assert gradient is not None
    assert gradient.abs().max() > 0


def test_a_resumed_run_computes_what_an_uninterrupted_one_does(config: WovenConfig, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    prepare_run(whole, config.as_dict())
    train(WovenRecipe(config, CPU), whole, report=lambda _: None)
    first = WovenRecipe(config, CPU)
    losses = [first.step(index) for index in range(2)]
    assert (
        "adversarial" not in losses[1] and {"recovered", "far", "apart", "same", "code"} <= losses[1].keys()
    )
    second = WovenRecipe(config, CPU)
    second.load_state_dict(first.state_dict())
    losses = [second.step(index) for index in range(2, 4)]
    assert {"adversarial", "discriminator", "reader", "recovered cosine", "wrong cosine"} <= losses[1].keys()
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
        "--discriminator-channels", 4, "--device", "cpu",
    ]  # fmt: skip
    assert training(monkeypatch, "woven", *options, "--out", tmp_path / "run") == 0
    assert "42 photos, 4 held out, on cpu" in capsys.readouterr().out
