"""Upscalers: networks, losses, runs, and the figures that others report."""

import json
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn

from tests.support.images import write_noise
from tests.support.places import SHARED
from tests.support.state_dicts import differences
from tests.support.upscalers import random_lpips, small_benchmarks, upscaler_run, upscaling_config
from training.cli import cli
from training.cli.bundled import UPSCALERS as RECIPES
from training.core.ema import ema_update, make_ema
from training.core.run_folder import CHECKPOINT, CONFIG, prepare_run
from training.core.trainer import train
from training.data.images import read_image
from training.evaluation.fidelity import cut, luma, psnr, ssim
from training.evaluation.lpips import Lpips
from training.evaluation.super_resolution import bicubic, score, table
from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.losses.feature import FeatureLoss
from training.losses.networks import LossNetworks
from training.losses.pixel import l1, mse
from training.networks import UPSCALERS, build_upscaler
from training.networks.cost import multiplications
from training.networks.discriminator import PatchDiscriminator
from training.recipes.adversarial import DISCRIMINATORS
from training.recipes.super_resolution import SuperResolutionConfig, SuperResolutionRecipe

CPU = torch.device("cpu")


@pytest.fixture
def sr_config(photos: Path, squeezenet_weights: Path) -> SuperResolutionConfig:
    """Ten small steps with all objectives."""
    return SuperResolutionConfig(
        photos=[str(photos)],
        weights={"squeezenet": str(squeezenet_weights)},
        network="swift-sr",
        scale=2,
        size=16,
        batch=2,
        steps=10,
        photo_scales=[1.0],
        pixel_loss="l1",
        feature_layers=["squeezenet.fire2"],
        feature_weight=0.1,
        color_weight=0.1,
        spectrum_weight=0.1,
        checkerboard_weight=0.1,
        adversarial_weight=1e-3,
    )


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("name", sorted(UPSCALERS))
def test_networks_enlarge_and_fold_without_changing(name: str, scale: int) -> None:
    torch.manual_seed(0)
    network = build_upscaler(name, scale)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 2.0)  # type: ignore[arg-type]
            nn.init.normal_(module.running_mean, std=0.2)  # type: ignore[arg-type]
    network.eval()
    small = torch.rand(2, 3, 12, 20)
    with torch.no_grad():
        before = network(small)
        network.fold()
        after = network(small)
    assert before.shape == (2, 3, 12 * scale, 20 * scale)
    assert torch.allclose(before, after, atol=1e-4)
    assert not [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]


@pytest.mark.parametrize("scale", [2, 4])
def test_swift_begins_as_repeated_pixels(scale: int) -> None:
    torch.manual_seed(0)
    small = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        large = build_upscaler("swift-sr", scale)(small)
    repeated = small.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    assert (large - repeated).abs().mean() < 0.05


def test_costs_are_what_is_promised() -> None:
    reference = multiplications(build_upscaler("srresnet", 4))
    for scale, most in ((2, 60_000), (4, reference / 20)):
        swift = build_upscaler("swift-sr", scale)
        swift.fold()
        assert 0 < multiplications(swift) <= most


@pytest.mark.parametrize("name", sorted(ADVERSARIAL_LOSSES))
def test_both_players_want_the_opposite(name: str) -> None:
    adversarial = ADVERSARIAL_LOSSES[name]
    low, high = torch.full((4, 1), -2.0), torch.full((4, 1), 2.0)
    assert adversarial.discriminator_loss(real=high, fake=low) < adversarial.discriminator_loss(
        real=low, fake=high
    )
    assert adversarial.generator_loss(high) < adversarial.generator_loss(low)


def test_pixel_losses() -> None:
    a, b = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)
    assert float(l1(a, b)) == 0.5 and float(mse(a, b)) == 0.25


def test_feature_loss_is_zero_for_the_target_alone(squeezenet_weights: Path) -> None:
    photos = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    networks = LossNetworks(["squeezenet.conv1", "squeezenet.fire3"], {"squeezenet": squeezenet_weights})
    loss = FeatureLoss(networks)
    blurred = nn.functional.avg_pool2d(photos, 3, 1, 1)
    assert float(loss(photos, photos)) == 0
    assert 0 < float(loss(torch.lerp(photos, blurred, 0.5), photos)) < float(loss(blurred, photos))


def test_features_count_alike_wherever_they_are(squeezenet_weights: Path) -> None:
    networks = LossNetworks(["squeezenet.conv1"], {"squeezenet": squeezenet_weights})
    loss, random = FeatureLoss(networks), torch.Generator().manual_seed(0)
    plain, strong = torch.rand(2, 1, 3, 96, 48, generator=random) - 0.5
    target = 0.5 + torch.cat([0.2 * plain, strong], 3)
    wrong = target.clone()
    wrong[:, :, :, :48] += 0.1 * (torch.rand(1, 3, 96, 48, generator=random) - 0.5)
    weak = target.clone()
    weak[:, :, :, 48:] += 0.5 * (torch.rand(1, 3, 96, 48, generator=random) - 0.5)
    assert float(loss(wrong, target)) == pytest.approx(float(loss(weak, target)), rel=0.5)


def test_a_run_that_starts_from_another_keeps_its_statistics(
    sr_config: SuperResolutionConfig, tmp_path: Path
) -> None:
    fresh = replace(sr_config, network="srresnet", adversarial_weight=0.0)
    first = SuperResolutionRecipe(replace(fresh, steps=1), CPU)
    prepare_run(tmp_path, first.config.as_dict())
    train(first, tmp_path, report=lambda _: None)
    second = SuperResolutionRecipe(replace(fresh, init=str(tmp_path / CHECKPOINT)), CPU)
    learned = {name: each.clone() for name, each in second.generator.named_parameters()}
    second.step(0)
    for before, after in zip(first.ema_model.buffers(), second.ema_model.buffers(), strict=True):
        assert torch.equal(before, after)
    assert all(not torch.equal(learned[name], each) for name, each in second.generator.named_parameters())


def test_the_discriminator_learns_what_is_real() -> None:
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(3, base_channels=16, layers=2)
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=3e-3)
    adversarial = ADVERSARIAL_LOSSES["vanilla"]
    for _ in range(25):
        real = torch.rand(8, 3, 32, 32)
        fake = nn.functional.avg_pool2d(real, 3, 1, 1)
        loss = adversarial.discriminator_loss(discriminator(real), discriminator(fake))
        discriminator.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.1


def test_the_average_follows() -> None:
    module = nn.BatchNorm1d(1)
    average = make_ema(module)
    nn.init.constant_(module.weight, 3.0)
    nn.init.constant_(module.running_mean, 5.0)  # type: ignore[arg-type]
    ema_update(average, module, 0.75)
    assert average.weight.tolist() == [1.5] and not average.weight.requires_grad
    assert average.running_mean is not None and average.running_mean.tolist() == [5.0]


@pytest.mark.parametrize("discriminator", DISCRIMINATORS)
def test_a_resumed_run_computes_what_an_uninterrupted_one_does(
    discriminator: str, sr_config: SuperResolutionConfig, feature_extractor: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    for seed in range(25):
        write_noise(photos / f"{seed}.png", 96, 96, seed)
    sr_config = replace(
        sr_config,
        photos=[str(photos)],
        size=32,
        discriminator=discriminator,
        feature_extractor=str(feature_extractor),
        steps=8,
    )
    straight = SuperResolutionRecipe(sr_config, CPU)
    before = {name: value.clone() for name, value in straight.generator.named_parameters()}
    prepare_run(tmp_path / "straight", sr_config.as_dict())
    train(straight, tmp_path / "straight", report=lambda _: None)
    assert not [n for n, value in straight.generator.named_parameters() if torch.equal(value, before[n])]
    stopped = SuperResolutionRecipe(sr_config, CPU)
    folder = tmp_path / "resumed"
    prepare_run(folder, sr_config.as_dict())
    with pytest.raises(KeyboardInterrupt):
        train(_stopping_at(stopped, 7), folder, checkpoint_every=4, checkpoint_pause=0, report=lambda _: None)
    torch.manual_seed(999)
    resumed = SuperResolutionRecipe(sr_config, CPU)
    train(resumed, folder, report=lambda _: None)
    assert differences(resumed.state_dict(), straight.state_dict()) == []


def _stopping_at(recipe: SuperResolutionRecipe, at: int) -> SuperResolutionRecipe:
    step = recipe.step

    def stopping(index: int) -> dict[str, float]:
        if index == at:
            raise KeyboardInterrupt
        return step(index)

    recipe.step = stopping  # type: ignore[method-assign]
    return recipe


def test_training_beats_repeated_pixels(sr_config: SuperResolutionConfig, tmp_path: Path) -> None:
    pixels_alone: dict[str, Any] = dict.fromkeys(
        ("color_weight", "feature_weight", "spectrum_weight", "checkerboard_weight", "adversarial_weight"),
        0.0,
    )
    config = replace(sr_config, steps=120, learning_rate=3e-3, **pixels_alone)
    recipe = SuperResolutionRecipe(config, CPU)
    losses = [recipe.step(index)["l1"] for index in range(config.steps)]
    assert sum(losses[-20:]) < 0.8 * sum(losses[:20])


def test_a_run_starts_from_another(sr_config: SuperResolutionConfig, tmp_path: Path) -> None:
    recipe = SuperResolutionRecipe(sr_config, CPU)
    torch.save({"generator": recipe.ema_model.state_dict(), "step": 1}, tmp_path / CHECKPOINT)
    begun = SuperResolutionRecipe(replace(sr_config, seed=5, init=str(tmp_path / CHECKPOINT)), CPU)
    assert differences(dict(begun.generator.state_dict()), dict(recipe.ema_model.state_dict())) == []
    with pytest.raises(ValueError, match="not a checkpoint of this network"):
        SuperResolutionRecipe(replace(sr_config, scale=4, init=str(tmp_path / CHECKPOINT)), CPU)


def test_a_recipe_is_plain_json(sr_config: SuperResolutionConfig) -> None:
    assert json.loads(json.dumps(sr_config.as_dict())) == sr_config.as_dict()


def test_ssim_and_psnr_of_known_images() -> None:
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    gray = luma(image)
    assert ssim(gray, gray) == pytest.approx(1)
    assert psnr(gray, gray + 1) == pytest.approx(48.13, abs=0.01)
    assert ssim(gray, gray + 40) > ssim(gray, gray.mean().expand_as(gray))
    assert (float(gray.min()), float(gray.max())) >= (16, 16) and float(gray.max()) <= 235
    assert cut(gray, 4).shape == (56, 56)


@pytest.fixture
def lpips_weights(tmp_path: Path) -> Path:
    return random_lpips(tmp_path / "lpips.safetensors")


def test_lpips_grows_with_the_difference(lpips_weights: Path) -> None:
    distance = Lpips(lpips_weights)
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    blurred = nn.functional.avg_pool2d(image, 3, 1, 1)
    assert distance(image, image).tolist() == [0, 0]
    near, far = distance(torch.lerp(image, blurred, 0.2), image), distance(blurred, image)
    assert near.shape == (2,) and bool((near > 0).all() and (near < far).all())
    (lpips_weights.parent / "other.safetensors").write_bytes(b"")
    save_file({"features.0.weight": torch.zeros(1)}, lpips_weights)
    with pytest.raises(ValueError, match="not LPIPS"):
        Lpips(lpips_weights)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the benchmark images are not beside the checkout")
@pytest.mark.parametrize(("name", "published"), [("Set5", (28.43, 0.8211)), ("Set14", (25.99, 0.7486))])
def test_bicubic_reproduces_published_figures(name: str, published: tuple[float, float]) -> None:
    distance = Lpips(SHARED / "weights" / "squeezenet1_1_lpips.safetensors")
    scores = score(bicubic(4), 4, SHARED / "sr_bench" / name, distance)
    assert scores.psnr == pytest.approx(published[0], abs=0.05)
    assert scores.ssim == pytest.approx(published[1], abs=0.003)
    assert scores.shift < 0.5 and 0.1 < scores.lpips < 0.4
    assert f"{scores.psnr:.2f}" in table({"bicubic": {name: scores}})


def test_the_command_measures_runs_beside_bicubic(tmp_path: Path, photos: Path, lpips_weights: Path) -> None:
    run, report = upscaler_run(tmp_path / "fresh-x2", "swift-sr", 2, photos), tmp_path / "scores.json"
    bench = small_benchmarks(tmp_path / "bench")
    arguments = ["evaluate", "sr", str(run), "--bench", str(bench), "--lpips", str(lpips_weights)]
    done = CliRunner().invoke(cli, [*arguments, "--json", str(report)])
    assert done.exit_code == 0, done.output
    found = json.loads(report.read_text())
    assert list(found["scores"]) == ["bicubic-x2", "fresh-x2"]
    expected = score(bicubic(2), 2, bench / "Set14", Lpips(lpips_weights))
    assert found["scores"]["bicubic-x2"]["Set14"] == pytest.approx(asdict(expected))
    worst = found["scores"]["fresh-x2"]["BSD100"]
    assert worst["psnr"] < found["scores"]["bicubic-x2"]["BSD100"]["psnr"]
    row = next(line for line in done.stdout.splitlines() if line.startswith("| fresh-x2 |"))
    assert row.endswith(f"{worst['psnr']:.2f} / {worst['ssim']:.4f} / {worst['lpips']:.3f} |")
    assert f"fresh-x2: {found['mac_per_pixel']['fresh-x2'] / 1000:.1f}k MAC per input pixel" in done.stdout


@pytest.mark.parametrize("name", tomllib.loads(RECIPES.read_text(encoding="utf-8")))
def test_recipes_are_configurations_and_begin_with_known_ones(name: str) -> None:
    recipes = tomllib.loads(RECIPES.read_text(encoding="utf-8"))
    about = ("title", "init", "hardware", "failures")
    config = SuperResolutionConfig(**{key: value for key, value in recipes[name].items() if key not in about})
    assert recipes[name].get("init", name) in recipes
    begun = recipes[recipes[name].get("init", name)]
    assert (begun.get("network"), begun.get("scale")) == (
        recipes[name].get("network"),
        recipes[name].get("scale"),
    )
    assert config.steps > 0 and config.network in UPSCALERS


def test_details_are_drawn_side_by_side(tmp_path: Path, photos: Path) -> None:
    run = tmp_path / "small"
    run.mkdir()
    (run / CONFIG).write_text(json.dumps(upscaling_config("swift-sr", 2, photos)))
    torch.save({"generator": build_upscaler("swift-sr", 2).state_dict(), "step": 1}, run / CHECKPOINT)
    image, sheet = photos / "00.png", tmp_path / "sheet.png"
    arguments = ["evaluate", "crops", str(run), "--side", "64", "-o", str(sheet), "--image"]
    assert CliRunner().invoke(cli, [*arguments, f"{image}:4,0"]).exit_code == 0
    drawn = read_image(sheet)
    # Bicubic, the run, the target; pixels doubled.
    assert drawn.shape[2] == 3 * 128
    assert torch.equal(drawn[:, :128:2, 256::2], read_image(image)[:, :64, 4:68])
    for place in ("90,0", "here"):
        done = CliRunner().invoke(cli, [*arguments, f"{image}:{place}"])
        assert isinstance(done.exception, ValueError) and str(image) in str(done.exception)
