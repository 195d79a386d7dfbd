"""Pose transfer: warping by parts, learning, and resuming."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.support.doll import DOLL
from tests.support.people import moved_doll, pose_transfer_config
from tests.support.state_dicts import differences
from tests.support.training_command import training
from training.core.run_folder import CHECKPOINT, SAMPLES, prepare_run
from training.core.trainer import train
from training.networks.pose_transfer import (
    PoseInput,
    PoseTransfer,
    PoseTransferByConcatenation,
    blended,
    sample,
)
from training.recipes.pose_transfer import PoseTransferConfig, PoseTransferRecipe
from vidgan.media.body_parts import part_affines, part_guides

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> PoseTransferConfig:
    return pose_transfer_config(tmp_path_factory.mktemp("dolls"))


def test_a_place_is_sampled_where_it_is() -> None:
    images = torch.arange(64.0).view(1, 1, 1, 64).expand(1, 1, 64, 64)
    steps = torch.arange(64.0)
    places = torch.stack(torch.meshgrid(steps + 5, steps, indexing="xy"))[None]
    assert torch.allclose(sample(images, places, 64)[..., :59], images[..., 5:], atol=1e-3)
    halved = F.avg_pool2d(images, 2)
    assert torch.allclose(sample(halved, places, 64)[..., 1:28], halved[..., 1:28] + 5, atol=1e-3)


def test_affine_maps_and_shares_move_an_arm() -> None:
    target = moved_doll(70)
    affines = torch.from_numpy(part_affines(DOLL, target))[None]
    shares = torch.from_numpy(part_guides(target, 64, 32)[1])[None]
    places = blended(affines, shares, 64)
    for joints in ((3, 5), (5, 7), (13, 15)):
        column, row = ((target[list(joints), :2].mean(0) + 0.5) / 2).astype(int)
        found = places[0, :, row, column].numpy()
        assert np.linalg.norm(found - DOLL[list(joints), :2].mean(0)) < 2.5


def test_a_image_in_its_own_pose_is_warped_to_itself() -> None:
    guides, shares = part_guides(DOLL, 64, 32)
    given = PoseInput(
        sources=torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1,
        source_guides=torch.from_numpy(guides)[None],
        guides=torch.from_numpy(guides)[None],
        shares=torch.from_numpy(shares)[None],
        affines=torch.from_numpy(part_affines(DOLL, DOLL))[None],
    )
    network = PoseTransfer().eval()
    torch.nn.init.zeros_(network.motion.last.weight)
    with torch.no_grad():
        made = network(given)
    assert made.images.shape == (1, 3, 64, 64) and made.masks.shape == (1, 1, 64, 64)
    assert made.parts.shape == made.source_parts.shape == (1, 15, 32, 32)
    inside = np.s_[:, :, 2:-2, 2:-2]
    assert torch.allclose(made.warped[inside], given.sources[inside], atol=0.02)
    assert made.masks.min() >= 0 and made.masks.max() <= 1


def test_the_ablation_does_not_warp(config: PoseTransferConfig) -> None:
    """With the same weights, only the way of the source differs: its places say nothing to the generator."""
    recipe = PoseTransferRecipe(replace(config, network="by-concatenation"), CPU)
    assert all(np.isfinite(each) for each in recipe.step(0).values())
    ablated, whole = PoseTransferByConcatenation().eval(), PoseTransfer().eval()
    ablated.load_state_dict(whole.state_dict())
    guides, shares = part_guides(moved_doll(70), 64, 32)
    given = PoseInput(
        sources=torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1,
        source_guides=torch.from_numpy(part_guides(DOLL, 64, 32)[0])[None],
        guides=torch.from_numpy(guides)[None],
        shares=torch.from_numpy(shares)[None],
        affines=torch.from_numpy(part_affines(DOLL, moved_doll(70)))[None],
    )
    with torch.no_grad():
        one, other = ablated(given), whole(given)
        carried, features = ablated.carried(
            given.sources, one.warped, [given.sources], one.places, one.visible
        )
    assert torch.equal(one.places, other.places) and torch.equal(one.warped, other.warped)
    assert not torch.allclose(one.images, other.images, atol=1e-3)
    assert carried is given.sources and features[0] is given.sources


def test_part_maps_as_large_as_the_image_begin_as_the_others(
    config: PoseTransferConfig, tmp_path: Path
) -> None:
    plain = PoseTransferRecipe(config, CPU)
    torch.save(plain.state_dict(), tmp_path / CHECKPOINT)
    fine = PoseTransferRecipe(replace(config, network="fine-parts", init=str(tmp_path / CHECKPOINT)), CPU)
    batch = plain.people.batch(2, 0, 64, torch.Generator().manual_seed(3), held_out=True)
    given = PoseInput(batch.sources, batch.source_guides, batch.guides, batch.shares, batch.affines)
    with torch.no_grad():
        one, other = (each.trainer.ema_model.eval()(given) for each in (plain, fine))
    assert one.parts.shape == (2, 15, 32, 32) and other.parts.shape == (2, 15, 64, 64)
    assert torch.equal(one.images, other.images) and torch.equal(one.places, other.places)
    assert float((one.masks - other.masks).abs().max()) < 0.1
    before = fine.trainer.network.fine.weight.clone()
    assert all(np.isfinite(each) for each in fine.step(0).values())
    assert not torch.equal(before, fine.trainer.network.fine.weight)


def test_it_learns_where_dolls_are(config: PoseTransferConfig) -> None:
    recipe = PoseTransferRecipe(replace(config, steps=200, quiet_steps=200, learning_rate=4e-3), CPU)
    losses = [recipe.step(index) for index in range(60)]
    first, last = (
        {name: np.mean([each[name] for each in some]) for name in losses[0]}
        for some in (losses[:6], losses[-6:])
    )
    assert last["parts"] < 0.5 * first["parts"]
    assert last["pixels"] < 0.75 * first["pixels"]
    assert last["mask"] < 0.6 * first["mask"]


def test_a_resumed_run_computes_what_an_uninterrupted_one_does(
    config: PoseTransferConfig, tmp_path: Path
) -> None:
    prepare_run(tmp_path, config.as_dict())
    train(PoseTransferRecipe(config, CPU), tmp_path, report=lambda _: None)
    first = PoseTransferRecipe(config, CPU)
    losses = [first.step(index) for index in range(2)]
    assert "adversarial" not in losses[1] and "discriminator" in losses[1]
    second = PoseTransferRecipe(config, CPU)
    second.load_state_dict(first.state_dict())
    losses = [second.step(index) for index in range(2, 4)]
    assert {"adversarial", "discriminator", "temporal", "flow"} <= losses[1].keys()
    assert all(np.isfinite(list(each.values())).all() for each in losses)
    saved = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert not differences({**second.state_dict(), "step": 4}, saved)
    assert (tmp_path / SAMPLES).exists()


def test_a_run_begins_where_another_ended(config: PoseTransferConfig, tmp_path: Path) -> None:
    recipe = PoseTransferRecipe(config, CPU)
    torch.save(recipe.state_dict(), tmp_path / CHECKPOINT)
    begun = PoseTransferRecipe(replace(config, init=str(tmp_path / CHECKPOINT), seed=5), CPU)
    assert not differences(
        dict(begun.trainer.network.state_dict()), dict(recipe.trainer.ema_model.state_dict())
    )


def test_the_command_trains_and_says_what_is_wrong(
    config: PoseTransferConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [
        "--people", config.people, "--photos", config.photos[0],
        "--feature-extractor", config.feature_extractor, "--count", 4, "--held-out", 1, "--size", 64,
        "--steps", 1, "--discriminator-channels", 4, "--device", "cpu",
    ]  # fmt: skip
    assert training(monkeypatch, "pose-transfer", *options, "--out", tmp_path / "run") == 0
    assert "1 held out, on cpu" in capsys.readouterr().out
    assert training(monkeypatch, "pose-transfer", *options, "--count", 9, "--out", tmp_path / "more") == 1
    assert "4 people are there, 9 are asked for" in capsys.readouterr().err
