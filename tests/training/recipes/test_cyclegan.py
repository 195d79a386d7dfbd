"""CycleGAN: two folders that have nothing to do with each other, and generators there and back."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import URLError

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.support.images import write_noise
from tests.support.training_command import training
from training.cli.bundled import CYCLEGANS, listed_recipes
from training.core.image_pool import ImagePool
from training.core.run_folder import CHECKPOINT, SAMPLES, prepare_run
from training.core.trainer import train
from training.data.domains import ImageDomain, split_domain
from training.evaluation.distribution import (
    FeatureExtractor,
    frechet_distance,
    global_features,
    kernel_distance,
)
from training.evaluation.unpaired import score
from training.networks import build_generator
from training.networks.projected import ProjectedDiscriminator
from training.recipes.adversarial import DISCRIMINATORS
from training.recipes.cyclegan import (
    DIRECTIONS,
    NETWORKS,
    CycleGANConfig,
    CycleGANRecipe,
    opposite,
)

CPU = torch.device("cpu")


def write_flat(path: Path, color: tuple[int, int, int], height: int, width: int) -> None:
    """An image of one RGB color."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), color[::-1], np.uint8))


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Images of all sizes: bright soft noise, and the same kind of it without blue."""
    root = tmp_path_factory.mktemp("domains")
    for number in range(14):
        write_noise(root / "a" / f"{number}.png", 40 + 8 * (number % 3), 64, number)
        path = write_noise(root / "b" / f"{number}.png", 72, 48, 100 + number)
        image = cv2.imread(str(path))
        assert image is not None
        image[..., 0] = 0
        cv2.imwrite(str(path), image)
    return root / "a", root / "b"


@pytest.fixture
def config(folders: tuple[Path, Path]) -> CycleGANConfig:
    """A few steps of the smallest kind, through both phases."""
    return CycleGANConfig(
        a=str(folders[0]),
        b=str(folders[1]),
        discriminator="patch",
        size=40,
        short_side=48,
        batch=2,
        identity_warmup_steps=2,
        steps=4,
        pool_size=3,
        discriminator_channels=4,
    )


def same(a: object, b: object) -> bool:
    """Whether two states are equal, to the bit."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and torch.equal(a, b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b


def test_crops_come_from_everywhere_in_images_of_all_sizes(tmp_path: Path) -> None:
    for number in range(13):
        ramp = np.linspace(0, 255, 96).astype(np.uint8)
        image = np.zeros((48, 96, 3), np.uint8)
        image[..., 2], image[..., 1] = ramp, 10 * number
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    domain = ImageDomain(tmp_path, side=32, short_side=48, device=CPU)
    crops = domain.batch(200, torch.Generator().manual_seed(0))
    assert crops.shape == (200, 3, 32, 32) and crops.min() == 0 and crops.max() == 1
    assert len(domain.photos) == 12 and len({round(float(each)) for each in crops[:, 1, 0, 0] * 25.5}) == 12
    slopes = crops[:, 0, 0, 31] - crops[:, 0, 0, 0]
    assert (slopes > 0).any() and (slopes < 0).any(), "half of them are mirrored"
    for crop in crops:
        assert torch.equal(crop[0, 0], crop[0, 31]), "rows of a crop belong together"


def test_margins_are_cut_off(tmp_path: Path) -> None:
    for number in range(12):
        image = np.zeros((100, 80, 3), np.uint8)
        image[10:-10, 8:-8] = 255
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    framed = ImageDomain(tmp_path, side=32, short_side=32, device=CPU).batch(40, torch.Generator())
    bare = ImageDomain(tmp_path, side=32, short_side=32, trim=0.1, device=CPU).batch(40, torch.Generator())
    assert framed.min() == 0 and bare.min() == 1


def test_what_is_held_out_is_not_trained_on(folders: tuple[Path, Path]) -> None:
    trained, held_out = split_domain(folders[0])
    assert len(held_out) == 1 and len(trained) == 13 and not {*held_out} & {*trained}


def test_a_pool_gives_back_half_of_what_is_new_and_half_of_what_it_kept() -> None:
    pool, random = ImagePool(8), torch.Generator().manual_seed(0)
    new = torch.arange(400.0).view(100, 4, 1, 1, 1)
    given = [pool.query(each, random) for each in new]
    assert torch.equal(torch.stack(given[:2]), new[:2]), "until it is full, what is put in comes out"
    later, put_in = torch.stack(given[10:]).flatten(), new[10:].flatten()
    older = later != put_in
    assert 0.4 < older.float().mean() < 0.6 and (later[older] < put_in[older]).all()
    assert len(later[older].unique()) == int(older.sum()), "what has been given is not kept"


def test_a_pool_of_nothing_gives_what_it_gets() -> None:
    images = torch.rand(3, 3, 4, 4)
    assert ImagePool(0).query(images, torch.Generator()) is images


def test_a_resumed_run_is_the_uninterrupted_one(config: CycleGANConfig) -> None:
    whole_run, first = (CycleGANRecipe(config, CPU) for _ in range(2))
    for index in range(6):
        whole_run.step(index)
    for index in range(4):
        first.step(index)
    assert len(first.pools["a-to-b"].state_dict()["images"]) == 3
    second = CycleGANRecipe(config, CPU)
    second.load_state_dict(first.state_dict())
    for index in range(4, 6):
        second.step(index)
    assert same(second.state_dict(), whole_run.state_dict())


def test_without_the_cycle_nothing_has_to_come_back(config: CycleGANConfig) -> None:
    names = CycleGANRecipe(replace(config, cycle_weight=0.0, identity_warmup_steps=0), CPU).step(0).keys()
    assert not any(name.startswith(("cycle", "identity")) for name in names)
    assert {
        f"{loss} {way}" for loss in ("generator", "temporal", "discriminator") for way in DIRECTIONS
    } <= names


def test_generators_learn_the_colors_of_the_other_kind(config: CycleGANConfig) -> None:
    recipe = CycleGANRecipe(
        replace(config, cycle_loss="mse", cycle_weight=1.0, steps=50, learning_rate=4e-3), CPU
    )
    for index in range(recipe.steps):
        recipe.step(index)
    photos = recipe.domains[0].samples(1)
    translated = recipe.ema_model["a-to-b"](photos)
    assert float(translated[:, 2].mean()) < 0.6 * float(photos[:, 2].mean()), "b has no blue"


def test_a_projected_discriminator_learns_all_but_its_eyes(
    config: CycleGANConfig, feature_extractor: Path
) -> None:
    recipe = CycleGANRecipe(
        replace(
            config,
            identity_warmup_steps=0,
            discriminator="projected",
            feature_extractor=str(feature_extractor),
        ),
        CPU,
    )
    discriminator = recipe.discriminators["a-to-b"]
    before = {name: each.clone() for name, each in discriminator.network.state_dict().items()}
    recipe.step(0)
    after = discriminator.network.state_dict()
    assert all(name.startswith("heads.") and not torch.equal(before[name], after[name]) for name in after)
    assert discriminator.network(torch.rand(2, 3, 32, 32)).shape[:2] == (2, 4)


def test_a_projected_discriminator_sees_contrast(feature_extractor: Path) -> None:
    torch.manual_seed(0)
    network = ProjectedDiscriminator(feature_extractor, base_channels=8, device=CPU)
    middle = 2 * torch.tensor((0.485, 0.456, 0.406))[:, None, None] - 1
    detail = torch.rand(1, 3, 64, 64) - 0.5
    with torch.no_grad():
        empty, weak, strong = (network(middle + contrast * detail) for contrast in (0.0, 0.5, 1.0))
    assert float((strong - empty).abs().mean()) > 1.5 * float((weak - empty).abs().mean()) > 0


def test_eyes_are_squeezenets(tmp_path: Path) -> None:
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "feature_extractor.safetensors")
    with pytest.raises(ValueError, match=r"so it is not SqueezeNet 1\.1"):
        ProjectedDiscriminator(tmp_path / "feature_extractor.safetensors", base_channels=8, device=CPU)


def test_eyes_that_cannot_be_downloaded_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    with pytest.raises(
        OSError, match=r"download https://.*squeezenet.* \(no network\); have .* --feature-extractor FILE"
    ):
        ProjectedDiscriminator(None, base_channels=8, device=CPU)


def test_a_run_leaves_sheets_of_there_and_back_again(config: CycleGANConfig, tmp_path: Path) -> None:
    recipe = CycleGANRecipe(replace(config, steps=1), CPU)
    prepare_run(tmp_path / "run", recipe.config.as_dict())
    train(recipe, tmp_path / "run", report=lambda _: None)
    sheet = cv2.imread(str(tmp_path / "run" / SAMPLES))
    assert sheet is not None and sheet.shape == (6 * 48, 48, 3), "three rows a direction"
    saved = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)
    again = CycleGANRecipe(replace(config, init=str(tmp_path / "run" / CHECKPOINT)), CPU)
    assert same(dict(again.generators.state_dict()), saved["generator"])


@pytest.mark.parametrize("network", NETWORKS)
def test_translators_take_and_give_images(network: str) -> None:
    generator = build_generator(network).eval()
    pixels = torch.randint(256, (2, 32, 48, 3)).byte()
    images = pixels.permute(0, 3, 1, 2).float() / 255
    output = generator(images)
    assert output.shape == images.shape and output.min() >= 0 and output.max() <= 1
    repainted = generator.run_bytes(pixels)
    repainted = repainted[0] if isinstance(repainted, tuple) else repainted
    assert (repainted.permute(0, 3, 1, 2).float() / 255 - output).abs().max() < 0.01


def test_a_translator_begins_with_what_it_is_given_and_tells_dark_from_bright() -> None:
    torch.manual_seed(0)
    translator = build_generator("swift-translator").train()
    image = torch.rand(1, 3, 32, 48)
    assert (translator(image) - image).abs().mean() < 0.1
    dark, bright = torch.full((1, 3, 32, 32), 0.2), torch.full((1, 3, 32, 32), 0.8)
    changed = [translator(each) - each for each in (dark, bright)]
    assert (changed[0] - changed[1]).abs().max() > 1e-3, "not by adding alone"


def test_distances_of_equal_sets_are_nothing_and_those_of_others_grow() -> None:
    random = torch.Generator().manual_seed(0)
    a, b = (torch.randn(60, 16, generator=random) for _ in range(2))
    assert abs(frechet_distance(a, a)) < 1e-9
    assert abs(kernel_distance(a, b)) < 0.1
    for distance in (frechet_distance, kernel_distance):
        assert distance(a, b) < distance(a, b + 0.5) < distance(a, b + 1)
    assert frechet_distance(a, a + 1) == pytest.approx(16), "of moved sets, the square of how far"
    scaled = frechet_distance(torch.tensor([[-1.0], [1.0]]), torch.tensor([[-3.0], [3.0]]))
    assert scaled == pytest.approx((3 - 1) ** 2 * 2), "of normal distributions, by their deviations"


def test_scores_tell_who_forgot_what_went_in(squeezenet_weights: Path, folders: tuple[Path, Path]) -> None:
    extractor = FeatureExtractor(squeezenet_weights, CPU)
    a, b = (ImageDomain(each, side=64, short_side=72, device=CPU) for each in folders)
    random = torch.Generator().manual_seed(0)
    images, real = a.batch(12, random), b.batch(12, random)

    kept = score(lambda x: x, lambda x: x, images, real, extractor)
    assert kept.cycle == 0 and kept.content == 0 and kept.variety == pytest.approx(1)
    assert kept.frechet == pytest.approx(kept.untouched_frechet)
    forgot = score(lambda x: real[:1].expand(len(x), -1, -1, -1), None, images, real, extractor)
    assert forgot.cycle is None and forgot.variety < 1e-6 and forgot.content == pytest.approx(1, abs=0.02)
    recolored = score(lambda x: x * torch.tensor([1, 1, 0.0])[:, None, None], None, images, real, extractor)
    assert recolored.frechet < recolored.untouched_frechet
    assert (
        abs(
            frechet_distance(
                global_features(extractor.local_features(real)),
                global_features(extractor.local_features(real)),
            )
        )
        < 1e-6
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_there_and_back(direction: str) -> None:
    assert opposite(direction) != direction and opposite(opposite(direction)) == direction


def run_of(folders: tuple[Path, Path], out: Path, **changed: object) -> list[object]:
    """``cyclegan`` with the options of a tiny run."""
    options = {
        "a": folders[0], "b": folders[1], "out": out, "size": 40, "short-side": 48, "batch": 1,
        "discriminator": "patch", "steps": 1, "discriminator-channels": 4, "device": "cpu", **changed,
    }  # fmt: skip
    return ["cyclegan", *(part for name, value in options.items() for part in (f"--{name}", value))]


def test_two_folders_on_the_command_line(
    folders: tuple[Path, Path],
    squeezenet_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    assert training(monkeypatch, *run_of(folders, out)) == 0
    said = capsys.readouterr().out
    assert "26 photos, 2 held out, on cpu" in said
    assert said.splitlines()[-2:] == [
        f"the other network: python -m export {out} --direction b-to-a",
        f"done: {out}; next: python -m export {out}",
    ]
    asked = ["evaluate", "cyclegan", out, "--weights", f"squeezenet={squeezenet_weights}", "--side", 64]
    written = ["--json", tmp_path / "report.json", "--sheet", tmp_path / "sheet.png"]
    assert training(monkeypatch, *asked, *written) == 0
    said = capsys.readouterr().out
    assert "14 images of a, 14 of b" in said and "| run a-to-b |" in said and "| run b-to-a |" in said
    assert '"frechet"' in (tmp_path / "report.json").read_text()
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None and sheet.shape == (2 * 64, 6 * 64, 3)
    assert cv2.absdiff(sheet[:64], sheet[64:]).max() > 0, "below an image is its translation"


def test_wrong_folders_are_refused_in_a_line(
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    empty, few, broken = tmp_path / "empty", tmp_path / "few", tmp_path / "broken"
    empty.mkdir()
    write_noise(few / "one.png", 32, 32, 0)
    for number in range(12):
        write_flat(broken / f"{number:02}.png", (9, 9, 9), 8, 8)
    (broken / "03.png").write_bytes(b"no image")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"b": empty}, f"error: no images in {empty}"),
        ({"b": few}, f"error: {few}: 1 images are too few to learn from; give 12 or more"),
        ({"a": broken}, f"error: 1 files are not readable images; remove them: {broken / '03.png'}"),
        (
            {"b": folders[0]},
            f"error: {folders[0]}: given for both domains; they must be two folders",
        ),
        ({"size": 36}, "error: crops of 36 pixels: give a multiple of 8, 40 or more"),
        ({"size": 64}, "error: crops of 64 pixels do not fit a short side of 48"),
        ({"trim": 0.5}, "error: trim 0.5: the share to cut off each side must be from 0 to below 0.5"),
    ]
    for number, (changed, words) in enumerate(wrong):
        assert training(monkeypatch, *run_of(folders, tmp_path / str(number), **changed)) == 1
        assert capsys.readouterr().err.strip() == words


def test_recipes_are_trained_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert training(monkeypatch, "cyclegans", "manet", "--data", tmp_path, "--out", tmp_path) == 2
    assert "no such translator: manet; there are" in capsys.readouterr().err


def test_all_recipes_are_configurations() -> None:
    recipes = listed_recipes(CYCLEGANS, [], kind="translator")
    assert {"monet", "ukiyoe"} <= recipes.keys()
    for name, settings in recipes.items():
        del settings["title"]
        config = CycleGANConfig(**settings)
        assert (config.cycle_weight == 0) == name.endswith("-without-cycle")
        assert config.network in NETWORKS and config.discriminator in DISCRIMINATORS
        assert (config.network == "resnet") == ("resnet" in name)


def test_the_cycle_is_relaxed_when_half_of_the_steps_are_done(config: CycleGANConfig) -> None:
    recipe = CycleGANRecipe(replace(config, cycle_weight_decay=0.0), CPU)
    held = [any(name.startswith("cycle") for name in recipe.step(index)) for index in range(recipe.steps)]
    assert held == [False, False, True, True, False, False], "two first steps, two held tight, two without"
