"""pix2pix, segmentation and vid2vid: pairs, networks, runs, and what they are measured by."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests.support.state_dicts import differences
from tests.support.streets import CAR, ROAD, SKY, VOID, classes_file, street, street_labels
from training.cli import cli
from training.cli.bundled import TRANSLATORS, listed_config, listed_recipes
from training.core.optimizer import set_learning_rate
from training.core.run_folder import prepare_run
from training.core.trainer import train
from training.data.color_jitter import jitter_colors
from training.data.color_space import lab_from_rgb, rgb_from_lab
from training.data.labels import Classes, read_labels
from training.data.pairs import GrayToColor, ImagePairs, LabelsToPhotos
from training.data.sequences import LabeledVideos
from training.evaluation.colorization import ColorScores, classifier_accuracy, color_scores, colorfulness
from training.evaluation.fcn_score import PHOTOS, fcn_scores
from training.evaluation.segmentation import Confusion
from training.networks.discriminator import MultiScaleDiscriminator, PatchDiscriminator
from training.networks.resnet import ResNetGenerator
from training.networks.translators import Segmenter, run_padded
from training.networks.unet import UNet
from training.networks.vid2vid import SequentialGenerator, warp
from training.recipes.colorization import ColorizationConfig, ColorizationRecipe
from training.recipes.pix2pix import Pix2PixConfig, Pix2PixRecipe
from training.recipes.runs import load_network, read_run
from training.recipes.segmentation import SegmentationConfig, SegmentationRecipe
from training.recipes.vid2vid import Vid2VidConfig, Vid2VidRecipe

CPU = torch.device("cpu")
SIZE: dict[str, Any] = {"image_height": 32, "image_width": 48, "base_channels": 8, "depth": 3}


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels, photos and classes."""
    folder = tmp_path_factory.mktemp("town")
    street(folder)
    classes_file(folder)
    return folder


@pytest.fixture
def pairs_config(town: Path) -> Pix2PixConfig:
    return Pix2PixConfig(
        inputs=str(town / "labels"), targets=str(town / "photos"), classes=str(town / "classes.txt"),
        discriminator_channels=8, batch=2, steps=6, input_noise=True, **SIZE,
    )  # fmt: skip


@pytest.fixture
def videos_config(town: Path) -> Vid2VidConfig:
    labels, photos = str(town / "labels"), str(town / "photos")
    return Vid2VidConfig(
        video_labels=labels, video_photos=photos, still_labels=labels, still_photos=photos, train_frames=8,
        classes=str(town / "classes.txt"), discriminator_channels=8, batch=2, sequence_length=4, steps=6, **SIZE,
    )  # fmt: skip


@pytest.fixture
def segmentation_config(town: Path) -> SegmentationConfig:
    return SegmentationConfig(
        photos=str(town / "photos"), labels=str(town / "labels"), classes=str(town / "classes.txt"),
        batch=2, steps=60, learning_rate=5e-3, **SIZE,
    )  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["pairs", "gray", "classified", "videos", "segmentation", "light segmentation"]
)
def test_a_resumed_run_computes_what_an_uninterrupted_one_does(
    kind: str,
    pairs_config: Pix2PixConfig,
    videos_config: Vid2VidConfig,
    segmentation_config: SegmentationConfig,
    photos: Path,
    tmp_path: Path,
) -> None:
    build: Callable[[], Any] = {
        "pairs": lambda: Pix2PixRecipe(pairs_config, CPU),
        "gray": lambda: Pix2PixRecipe(
            replace(pairs_config, photos=[str(photos)], classes="", input_noise=False), CPU
        ),
        "classified": lambda: ColorizationRecipe(
            ColorizationConfig(photos=[str(photos)], side=32, batch=2, steps=6), CPU
        ),
        "videos": lambda: Vid2VidRecipe(videos_config, CPU),
        "segmentation": lambda: SegmentationRecipe(replace(segmentation_config, steps=6), CPU),
        "light segmentation": lambda: SegmentationRecipe(
            replace(segmentation_config, steps=6, network="light-segmenter", image_width=64, zoom=1.25), CPU
        ),
    }[kind]
    straight, interrupted, resumed = build(), build(), build()
    for index in range(6):
        straight.step(index)
    for index in range(3):
        interrupted.step(index)
    torch.save(interrupted.state_dict(), tmp_path / "state.pt")
    interrupted.step(3)  # Lost with the interruption.
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for index in range(3, 6):
        resumed.step(index)
    assert not differences(straight.state_dict(), resumed.state_dict())


@pytest.mark.parametrize("network", ["segmentation-unet", "light-segmenter"])
def test_a_zoomed_segmentation_shows_samples_of_whole_blocks(
    segmentation_config: SegmentationConfig, network: str
) -> None:
    recipe = SegmentationRecipe(
        replace(segmentation_config, network=network, image_width=64, image_height=64, zoom=1.55), CPU
    )
    held_out = recipe.pairs.samples(6)[1]
    assert held_out.shape[2:] == (99, 99)
    assert recipe.sample_sheet().shape[1] // 96 == 3


def test_pix2pix_learns_what_labels_look_like(pairs_config: Pix2PixConfig, tmp_path: Path) -> None:
    config = replace(pairs_config, steps=150, learning_rate=2e-3)
    prepare_run(tmp_path, config.as_dict())
    train(Pix2PixRecipe(config, CPU), tmp_path, checkpoint_every=100, report=lambda line: None)
    generator = load_network(read_run(tmp_path))
    labels = torch.from_numpy(street_labels(3, (35, 50)))[None]
    output = run_padded(generator, labels)[0].float()  # type: ignore[arg-type]
    assert output.shape == (35, 50, 3)
    means = {each: output[labels[0] == each].mean(0) for each in (SKY, ROAD, CAR)}
    assert means[SKY][2] > means[SKY][0] + 20, "the sky is blue"
    assert means[CAR][0] > means[CAR][2] + 60, "the car is red"
    assert (means[ROAD].max() - means[ROAD].min()) < 40, "the road is gray"


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, {"l1", "adversarial", "discriminator"}),
        ({"adversarial_weight": 0.0}, {"l1"}),
        ({"pixel_weight": 0.0}, {"adversarial", "discriminator"}),
        (
            {"conditional": False, "gan_mode": "hinge", "pixel_loss": "mse"},
            {"mse", "adversarial", "discriminator"},
        ),
        (
            {"network": "resnet", "depth": 1, "norm": "instance", "input_noise": False},
            {"l1", "adversarial", "discriminator"},
        ),
        ({"color_jitter": 0.3, "discriminator_lr_ratio": 0.25}, {"l1", "adversarial", "discriminator"}),
    ],
    ids=["both", "l1", "cgan", "unconditional", "resnet", "careful"],
)
def test_objectives_are_what_weights_say(
    pairs_config: Pix2PixConfig, changed: dict[str, Any], names: set[str]
) -> None:
    recipe = Pix2PixRecipe(replace(pairs_config, **changed), CPU)
    losses = recipe.step(0)
    assert losses.keys() == names and all(np.isfinite(list(losses.values())))
    assert recipe.sample_sheet(3).shape == (3, 3 * 32, 3 * 48)


def test_coarse_steps_see_half_of_the_size(pairs_config: Pix2PixConfig) -> None:
    recipe = Pix2PixRecipe(replace(pairs_config, coarse_steps=1, image_height=64, image_width=96), CPU)
    sizes: list[tuple[int, ...]] = []
    recipe.trainer.network.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape[2:]))
    recipe.step(0)
    recipe.step(1)
    assert sizes == [(32, 48), (64, 96)]


def test_jitter_changes_the_light_and_nothing_else() -> None:
    images = torch.rand(4, 3, 16, 16) - 0.5
    random = torch.Generator().manual_seed(3)
    changed = jitter_colors(images, 0.3, random)
    shift = (changed.mean((1, 2, 3)) - images.mean((1, 2, 3))).abs()
    assert 0.02 < shift.max() <= 0.3 and shift.std() > 0.01, "each image's own"
    lightness, others = images.mean(1).flatten(1), changed.mean(1).flatten(1)
    assert all(
        torch.corrcoef(torch.stack(pair))[0, 1] > 0.999 for pair in zip(lightness, others, strict=True)
    )


def test_half_of_a_video_is_the_same_video(videos_config: Vid2VidConfig) -> None:
    videos = Vid2VidRecipe(videos_config, CPU).videos.batch(2, 3, torch.Generator().manual_seed(0))
    half = videos.half_size(8)
    uneven = videos.half_size(16)
    assert uneven.photos.shape[3:] == uneven.labels.shape[2:] == uneven.flow.shape[3:] == (16, 16)
    assert half.photos.shape == (3, 2, 3, 16, 24) and half.labels.shape == (3, 2, 16, 24)
    assert torch.equal(half.flow.isnan().all(2), videos.flow.isnan().all(2)[..., ::2, ::2])
    known = half.flow.isfinite()
    assert torch.equal(half.flow[known], videos.flow[..., ::2, ::2][known] / 2)
    assert (half.photos.mean((2, 3, 4)) - videos.photos.mean((2, 3, 4))).abs().max() < 1e-5


def test_a_discriminator_that_sees_no_condition_has_no_channels_for_it(pairs_config: Pix2PixConfig) -> None:
    def inputs(conditional: bool) -> int:
        discriminator = Pix2PixRecipe(replace(pairs_config, conditional=conditional), CPU).discriminator
        assert discriminator is not None
        return next(discriminator.network.parameters()).shape[1]

    assert (inputs(True), inputs(False)) == (7, 3)


def test_pix2pix_learns_which_labels_photos_have(
    pairs_config: Pix2PixConfig, town: Path, tmp_path: Path
) -> None:
    config = replace(
        pairs_config, inputs=str(town / "photos"), targets=str(town / "labels"), classes="", input_noise=False,
        target_classes=str(town / "classes.txt"), steps=120, learning_rate=2e-3,
    )  # fmt: skip
    prepare_run(tmp_path, config.as_dict())
    recipe = Pix2PixRecipe(config, CPU)
    train(recipe, tmp_path, checkpoint_every=100, report=lambda line: None)
    assert recipe.sample_sheet(2).shape == (3, 3 * 32, 2 * 48)
    segmenter = load_network(read_run(tmp_path))
    assert isinstance(segmenter, Segmenter)
    scores = fcn_scores(
        {}, segmenter, town / "labels", town / "photos", size=(32, 48), report=lambda line: None
    )
    assert scores[PHOTOS].pixels > 0.9


def test_classes_of_both_sides_are_too_many(pairs_config: Pix2PixConfig) -> None:
    with pytest.raises(ValueError, match="label maps on both sides"):
        Pix2PixRecipe(replace(pairs_config, target_classes=pairs_config.classes), CPU)


def test_a_discriminator_sees_patches_of_70_pixels() -> None:
    network = PatchDiscriminator(3, base_channels=8).eval()
    image = torch.rand(1, 3, 160, 160, requires_grad=True)
    scores = network(image)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert image.grad is not None
    seen = image.grad.abs().sum((0, 1)) > 0
    assert (int(seen.any(0).sum()), int(seen.any(1).sum())) == (70, 70)


def test_coarse_discriminators_weigh_as_much_as_fine_ones() -> None:
    network = MultiScaleDiscriminator(3, scales=2, base_channels=8)
    scores = network(torch.rand(2, 3, 128, 128))
    assert scores.shape == (2, 2, 14, 14)
    assert len(network.features(torch.rand(2, 3, 128, 128))) == 8


@pytest.mark.parametrize(
    "network", [UNet(4, 3, base_channels=8, depth=4), ResNetGenerator(4, 3, base_channels=8, blocks=2)]
)
def test_generators_keep_the_size(network: torch.nn.Module) -> None:
    assert network(torch.rand(2, 4, 32, 48)).shape == (2, 3, 32, 48)


def test_input_noise_makes_places_of_a_label_different() -> None:
    torch.manual_seed(0)
    flat = torch.ones(1, 4, 128, 128)
    plain, grained = (
        UNet(4, 3, base_channels=8, depth=3, input_noise=input_noise).eval() for input_noise in (False, True)
    )
    middle = slice(56, 72)
    assert plain(flat)[:, :, middle, middle].std((2, 3)).max() < 1e-3
    assert grained(flat)[:, :, middle, middle].std((2, 3)).min() > 1e-2


def test_labels_are_read_from_indices_and_from_colors(town: Path, tmp_path: Path) -> None:
    classes = Classes.read(str(town / "classes.txt"))
    expected = torch.from_numpy(street_labels(2))
    assert torch.equal(read_labels(town / "labels" / "002.png", classes), expected)
    drawn = (classes.render(expected[None])[0] * 255).round().byte().permute(1, 2, 0).numpy()
    cv2.imwrite(str(tmp_path / "drawn.png"), drawn[:, :, ::-1])
    assert torch.equal(read_labels(tmp_path / "drawn.png", classes), expected)
    assert torch.equal(classes.one_hot(expected[None]).argmax(1)[0].byte(), expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("sky 1 2\n", "is not: name red green blue"),
        ("sky 1 2 300\n", "is not: name red green blue"),
        ("a 1 2 3\nb 1 2 3\n", "one name or one color"),
    ],
)
def test_files_of_classes_that_are_none(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "classes.txt").write_text(content)
    with pytest.raises(ValueError, match=words):
        Classes.read(str(tmp_path / "classes.txt"))


def test_camvid_is_known() -> None:
    classes = Classes.read("camvid")
    assert len(classes) == 12 and classes.names[11] == "void" and classes.counted == list(range(11))


def test_labels_that_are_none(town: Path, tmp_path: Path) -> None:
    classes = Classes.read(str(town / "classes.txt"))
    cv2.imwrite(str(tmp_path / "large.png"), np.full((4, 4), 9, np.uint8))
    with pytest.raises(ValueError, match="has class 9; there are 4, 0 to 3"):
        read_labels(tmp_path / "large.png", classes)
    with pytest.raises(ValueError, match="is of no class"):
        read_labels(town / "photos" / "000.png", classes)


def test_pairs_belong_together(town: Path) -> None:
    classes = Classes.read(str(town / "classes.txt"))
    pairs = LabelsToPhotos(town / "labels", town / "photos", classes, size=(32, 48), device=CPU)
    condition, target = pairs.batch(16, torch.Generator().manual_seed(0))
    assert condition.shape == (16, 4, 32, 48) and target.shape == (16, 3, 32, 48)
    car = condition[:, CAR] > 0
    red = (target[:, 0] > 0.3) & (target[:, 2] < -0.3)
    assert (car & red).sum() > 0.85 * car.sum()
    assert set(pairs.photos).isdisjoint(pairs.held_out) and len(pairs.photos) + len(pairs.held_out) == 12


def test_pairs_side_by_side_are_those_of_two_folders(town: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    both = tmp_path / "both"
    for folder in (before, after, both):
        folder.mkdir()
    for number in range(12):
        photo: Any = cv2.imread(str(town / "photos" / f"{number:03}.png"))
        negative = 255 - photo
        cv2.imwrite(str(before / f"{number}.png"), photo)
        cv2.imwrite(str(after / f"{number}.png"), negative)
        cv2.imwrite(str(both / f"{number}.png"), np.hstack([photo, negative]))
    apart = ImagePairs(before, after, size=(32, 48), device=CPU)
    together = ImagePairs(both, both, size=(32, 48), device=CPU)
    for one, other in zip(apart.samples(4), together.samples(4), strict=True):
        assert torch.allclose(one, other)
    condition, target = apart.samples(4)
    assert (condition + target).abs().max() < 0.02


def test_a_photo_without_labels_is_named(town: Path, tmp_path: Path) -> None:
    labels, photos = street(tmp_path / "some", 10)
    (labels / "004.png").unlink()
    with pytest.raises(ValueError, match=r"004\.png: there is no 004 in .*labels"):
        LabelsToPhotos(labels, photos, Classes.read(str(town / "classes.txt")), size=(32, 48), device=CPU)


def test_too_few_pairs_are_said(town: Path, tmp_path: Path) -> None:
    labels, photos = street(tmp_path / "few", 8)
    with pytest.raises(ValueError, match="8 pairs are too few: 8 are held out"):
        LabelsToPhotos(labels, photos, Classes.read(str(town / "classes.txt")), size=(32, 48), device=CPU)
    with pytest.raises(ValueError, match="8 pairs are too few"):
        ImagePairs(photos, photos, size=(32, 48), device=CPU)


def test_a_drive_that_is_too_short_is_said(videos_config: Vid2VidConfig) -> None:
    with pytest.raises(ValueError, match="3 frames to train on are fewer than a sequence has, 4"):
        Vid2VidRecipe(replace(videos_config, train_frames=3), CPU)


def test_lab_there_and_back() -> None:
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(rgb_from_lab(lab_from_rgb(images)), images, atol=1e-4)


def test_lab_is_that_of_others() -> None:
    pixels = np.random.default_rng(0).uniform(0, 1, (4, 5, 3)).astype(np.float32)
    theirs = cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)
    ours = lab_from_rgb(torch.from_numpy(pixels).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    assert np.abs((ours + np.array([1, 0, 0])) * [50, 110, 110] - theirs).max() < 0.3, "theirs goes by tables"


def test_gray_photos_keep_their_lightness(photos: Path) -> None:
    pairs = GrayToColor([photos], side=32, device=CPU)
    condition, target = pairs.batch(3, torch.Generator().manual_seed(0))
    gray = lab_from_rgb(pairs.show_condition(condition))
    assert torch.allclose(gray[:, :1], condition, atol=2e-3) and gray[:, 1:].abs().max() < 2e-3
    assert target.shape == (3, 2, 32, 32) and target.abs().max() <= 1


def test_known_motion_is_where_pixels_were(town: Path) -> None:
    classes = Classes.read(str(town / "classes.txt"))
    place = town / "labels", town / "photos"
    videos = LabeledVideos(place, 8, place, classes, size=(48, 64), device=CPU)
    labels, photos, flow = videos.batch(4, 5, torch.Generator().manual_seed(1))
    assert labels.shape == (5, 4, 48, 64) and photos.shape == (5, 4, 3, 48, 64)
    assert flow[:, ::2].isnan().all() and flow[0].isnan().all() and flow[1:, 1::2].isfinite().all()
    for frame in range(1, 5):
        here, before = photos[frame, 1::2], photos[frame - 1, 1::2]
        warped = warp(before, flow[frame, 1::2])
        inside = (slice(None), slice(None), slice(6, -6), slice(6, -6))
        assert (warped - here)[inside].abs().mean() < 0.5 * (before - here)[inside].abs().mean()


def test_warping_along_a_flow() -> None:
    image = torch.arange(20.0).reshape(1, 1, 4, 5)
    flow = torch.zeros(1, 2, 4, 5)
    flow[:, 0] = 1
    assert torch.allclose(warp(image, flow)[..., :4], image[..., 1:])


def test_without_a_past_nothing_of_it_is_seen() -> None:
    torch.manual_seed(0)
    generator = SequentialGenerator(4, base_channels=8, depth=3).eval()
    now = torch.rand(1, 4, 32, 32)
    nothing = torch.zeros(1, 1, 32, 32)
    one, other = (
        generator(now, torch.rand(1, 4, 32, 32), torch.rand(1, 3, 32, 32), nothing) for _ in range(2)
    )
    assert torch.equal(one.image, other.image) and torch.equal(one.image, one.synthesized)


def test_videos_start_from_images(
    pairs_config: Pix2PixConfig, videos_config: Vid2VidConfig, tmp_path: Path
) -> None:
    prepare_run(tmp_path, pairs_config.as_dict())
    train(Pix2PixRecipe(pairs_config, CPU), tmp_path, report=lambda line: None)
    generator = load_network(read_run(tmp_path))
    recipe = Vid2VidRecipe(replace(videos_config, init=str(tmp_path / "checkpoint.pt")), CPU)
    labels = torch.from_numpy(street_labels(1, (32, 48)))[None]
    now = recipe.classes.one_hot(labels)
    zeros = torch.zeros_like(now)
    output = recipe.trainer.ema_model(now, zeros, zeros[:, :3], zeros[:, :1]).image
    expected = generator(labels).permute(0, 3, 1, 2) / 127.5 - 1
    assert (output - expected).abs().max() < 0.01


def test_confusion_is_counted_as_in_papers() -> None:
    table = Confusion(3, [0, 1])
    target, found = torch.tensor([0, 0, 0, 1, 1, 2, 2]), torch.tensor([0, 0, 1, 1, 0, 0, 2])
    table.add(target, found)
    scores = table.scores()
    assert scores.pixels == pytest.approx(3 / 5)
    assert scores.classes == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert scores.iou == pytest.approx((2 / 4 + 1 / 3) / 2)


def test_a_group_of_parameters_may_learn_at_a_share_of_the_rate() -> None:
    encoder, decoder = (torch.nn.Parameter(torch.zeros(3)) for _ in range(2))
    groups: list[dict[str, Any]] = [{"params": [encoder], "lr_ratio": 0.2}, {"params": [decoder]}]
    optimizer = torch.optim.AdamW(groups)
    set_learning_rate([optimizer], 1e-3)
    (encoder.sum() + decoder.sum()).backward()
    optimizer.step()
    # Adam's first step is as long as the rate.
    assert encoder.tolist() == pytest.approx([-2e-4] * 3, rel=1e-3)
    assert decoder.tolist() == pytest.approx([-1e-3] * 3, rel=1e-3)


def test_enlarged_crops_keep_labels_on_what_they_are_of(segmentation_config: SegmentationConfig) -> None:
    recipe = SegmentationRecipe(replace(segmentation_config, zoom=2.0), CPU)
    maps, photos = recipe.pairs.batch(8, torch.Generator().manual_seed(0))
    assert photos.shape[2:] == (64, 96)
    cut, target = recipe._zoomed(maps, maps.argmax(1))
    assert cut.shape[2:] == target.shape[1:] == (32, 48) and target.dtype == torch.int64
    # Label maps as photos: antialiased, the class of most pixels stays the same.
    assert float((cut.argmax(1) == target).float().mean()) > 0.95


def test_segmentation_finds_what_is_there_and_scores_generators(
    segmentation_config: SegmentationConfig, town: Path, tmp_path: Path
) -> None:
    prepare_run(tmp_path, segmentation_config.as_dict())
    train(SegmentationRecipe(segmentation_config, CPU), tmp_path, report=lambda line: None)
    segmenter = load_network(read_run(tmp_path))
    assert isinstance(segmenter, Segmenter)
    colors = torch.tensor([[160, 200, 230], [80, 80, 80], [200, 30, 30], [0, 0, 0]], dtype=torch.uint8)
    rows = fcn_scores(
        {"right": lambda labels: colors[labels.long()], "gray": lambda labels: colors[labels.long() * 0 + 1]},
        segmenter, town / "labels", town / "photos", size=(32, 48), report=lambda line: None,
    )  # fmt: skip
    assert rows[PHOTOS].pixels > 0.9 and rows["right"].pixels > 0.85
    assert rows["gray"].pixels < 0.7 and rows["gray"].iou < rows["right"].iou
    found = run_padded(segmenter, torch.full((1, 33, 49, 3), 80, dtype=torch.uint8))
    assert found.shape == (1, 33, 49) and VOID not in found


def test_colorfulness_is_that_of_the_paper() -> None:
    assert float(colorfulness(torch.full((1, 3, 8, 8), 0.4))) == pytest.approx(0, abs=1e-4)
    halves = torch.zeros(1, 3, 2, 2)
    halves[0, 0, 0], halves[0, 2, 1] = 1, 1
    # Red and blue: rg is 255 and 0, yb 127.5 and -255.
    spread = (255 / 2) ** 2 * 4 / 3 + (382.5 / 2) ** 2 * 4 / 3
    assert float(colorfulness(halves)) == pytest.approx(
        spread**0.5 + 0.3 * (127.5**2 + 63.75**2) ** 0.5, rel=1e-4
    )


def test_colors_are_scored_beside_the_target(photos: Path) -> None:
    files = sorted(photos.iterdir())[:10]
    gray: Callable[[torch.Tensor], torch.Tensor] = lambda lightness: torch.full(  # noqa: E731
        (*lightness.shape, 2), 128, dtype=torch.uint8
    )
    scores = color_scores({"gray": gray}, files)["gray"]
    assert isinstance(scores, ColorScores) and scores.colorfulness < 0.02 and scores.error > 5
    assert scores.told > 0.9


def test_a_probe_cannot_tell_what_is_the_same() -> None:
    real = torch.rand(40, 6, generator=torch.Generator().manual_seed(0))
    assert classifier_accuracy(real, real.clone()) == pytest.approx(0.5, abs=0.15)
    assert classifier_accuracy(real, real + 1) > 0.95


def test_bundled_recipes_are_of_known_kinds() -> None:
    for name, settings in listed_recipes(TRANSLATORS, [], kind="translator").items():
        assert settings["title"]
        config = listed_config(settings, recipe="pix2pix", data=Path("data"), out=Path("runs"))
        assert config.recipe == settings["recipe"], name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pix2pix", "--pairs", "{town}", "--input", "labels", "--target", "photos", "--classes", "nowhere"],
         "no such file of classes"),
        (["segmentation", "--photos", "{town}/photos", "--labels", "{town}/photos",
          "--classes", "{town}/classes.txt"], "is of no class"),
        (["pix2pix", "--pairs", "{empty}"], "no images in"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_on_is_said(
    arguments: list[str], words: str, town: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    filled = [each.format(town=town, empty=tmp_path / "empty") for each in arguments]
    result = CliRunner().invoke(cli, [*filled, "--out", str(tmp_path / "out"), "--device", "cpu"])
    assert isinstance(result.exception, ValueError | OSError) and words in str(result.exception)
