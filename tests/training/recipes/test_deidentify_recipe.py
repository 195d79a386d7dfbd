"""De-identification: what a generator is told of a face, what it must not see, and how it is trained."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest
import torch

from tests.support.faces import (
    LEFT_EYE,
    RIGHT_EYE,
    deidentify_config,
    mesh,
    write_landmarks,
    write_recognizer,
)
from tests.support.places import SHARED
from tests.support.state_dicts import differences
from tests.support.training_command import training
from training.core.run_folder import CHECKPOINT, SAMPLES, prepare_run
from training.core.trainer import train
from training.data.image_crops import read_all
from training.data.photos import list_photos
from training.faces.dataset import RECOGNIZED, FaceBatch, Faces, Jitter, placements
from training.faces.identities import Identities
from training.faces.looks import regressed_looks
from training.faces.swaps import nearest_shape, swapped_face
from training.networks.face_generator import FaceGenerator, composed, hidden
from training.networks.onnx_module import OnnxModule
from training.networks.recognizer import Recognizers
from training.recipes.deidentify import DeidentifyConfig, DeidentifyRecipe
from vidgan.media.face_guides import (
    EYES,
    GAZE,
    INNER,
    LINES,
    LIPS,
    MASK,
    POINTS,
    Shape,
    draw_guides,
    eye_distance,
    find_gaze,
    hull_mask,
)

CPU = torch.device("cpu")
WEIGHTS = SHARED / "weights"
with_shared = pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the networks are not beside the checkout")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> DeidentifyConfig:
    return deidentify_config(tmp_path_factory.mktemp("faces"))


def compared(path: Path, shape: tuple[int, ...]) -> None:
    """A torch module and onnxruntime agree about noise, one image at a time and several at once."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = OnnxModule(path)(x)
    for number in range(3):
        wanted = session.run(None, {session.get_inputs()[0].name: x[number : number + 1].numpy()})
        for a, b in zip(made, wanted, strict=True):
            assert np.allclose(a[number].detach().numpy().ravel(), b.ravel(), atol=1e-3, rtol=1e-3)


def test_a_graph_becomes_a_module(tmp_path: Path) -> None:
    compared(write_recognizer(tmp_path / "recognizer.onnx"), (3, 112, 112))
    compared(write_landmarks(tmp_path / "landmarks.onnx"), (192, 192, 3))


@with_shared
def test_published_networks_become_modules() -> None:
    compared(WEIGHTS / "faces" / "mediapipe_face_landmark_468.onnx", (192, 192, 3))
    compared(WEIGHTS / "recognisers" / "mobilefacenet_128_112x112.onnx", (3, 112, 112))
    with pytest.raises(ValueError, match="is none of Add, Clip"):
        OnnxModule(WEIGHTS / "faces" / "yunet_n_dynamic.onnx")


@with_shared
def test_recognizers_know_people_again() -> None:
    folder = WEIGHTS / "recognisers"
    recognizers = Recognizers(
        folder / "mobilefacenet_128_112x112.onnx", folder / "mobilefacenet_casia_112x96.fp16.safetensors"
    )
    paths = list_photos([SHARED / "faces" / "lfw_eval"])[:30]
    crops = torch.stack(read_all(paths))[:, :, 12:124, 16:128].float() / 127.5 - 1
    people = np.array([path.stem[:-5] for path in paths])
    with torch.no_grad():
        found = recognizers(crops)
    assert torch.allclose(found.norm(dim=2), torch.ones(30, 2))
    for which in range(2):
        alike = (found[:, which] @ found[:, which].T).numpy()
        same_person = (people[:, None] == people) & ~np.eye(30, dtype=bool)
        strangers = people[:, None] != people
        assert alike[same_person].mean() > 0.5 and alike[strangers].mean() < 0.1


def test_lines_lie_at_the_points_and_the_mask_covers_all() -> None:
    points = mesh()
    guides = draw_guides(points, points, np.zeros((2, 2), np.float32), 144)
    assert guides.shape == (144, 144, 3) and guides.dtype == np.uint8
    columns, rows = points[list(INNER)].round().astype(int).T
    assert (guides[rows, columns, LINES] > 60).all()
    assert (guides[rows, columns, MASK] > 250).all()
    assert guides[:16, :, MASK].max() == 0, "above the face nothing is hidden"
    rim = guides[75, :, MASK]
    assert ((rim > 0) & (rim < 255)).sum() >= 6, "its rim is soft"
    for column, row in (LEFT_EYE, RIGHT_EYE):
        assert guides[round(row), round(column), GAZE] == 255


def test_a_look_aside_is_found() -> None:
    points = mesh()
    for offset in (-4, 0, 4):
        image = np.full((144, 144, 3), 200, np.uint8)
        for column, row in (LEFT_EYE, RIGHT_EYE):
            image[
                round(row) - 4 : round(row) + 5, round(column) + offset - 3 : round(column) + offset + 3
            ] = 20
        gaze = find_gaze(image, points)
        assert np.allclose(gaze[:, 0], (offset - 0.5) / 10, atol=0.1) and np.abs(gaze[:, 1]).max() < 0.15
    shut = find_gaze(image, mesh(opening=0.5))
    assert np.isnan(shut).all()
    assert draw_guides(points, points, shut, 144)[..., GAZE].max() == 0


def test_a_shape_is_alike_on_both_sides_and_turns_with_the_face() -> None:
    points = mesh()
    assert np.allclose(Shape.of(np.zeros(40, np.float32), 0.1).applied(points), points, atol=1e-4)
    shape = Shape.of(np.random.default_rng(0).standard_normal(40).astype(np.float32), 0.02)
    moved = shape.applied(points) - points
    length = np.linalg.norm(moved, axis=1).max() / eye_distance(points)
    assert 0.01 < length < 0.1
    left, right = moved[33], moved[263]
    assert np.allclose(left, right * [-1, 1], atol=1e-3), "the outer corners of the eyes"
    for feature in (*EYES, [*LIPS[0], *LIPS[1]]):
        assert np.ptp(moved[list(feature)], axis=0).max() < 1e-4, "neither opened nor shut"
    assert np.linalg.norm(moved[33] - moved[61]) > 0.5, "eyes and mouth have other places"
    turn = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
    assert np.allclose(shape.applied(2 * points @ turn.T), 2 * shape.applied(points) @ turn.T, atol=1e-3)


def test_identities_are_distributed_as_people_are() -> None:
    random = torch.Generator().manual_seed(0)
    axes = torch.randn(20, 256, generator=random)
    people = torch.randn(3000, 20, generator=random) @ axes + 0.5
    people = torch.nn.functional.normalize(people.view(-1, 2, 128), dim=2)
    identities = Identities.of(people)
    assert 15 <= identities.count <= 40
    drawn = identities.at(identities.drawn(3000, random))
    assert torch.allclose(drawn.norm(dim=2), torch.ones(3000, 2), atol=1e-5)
    for which in range(2):
        alike = [(each[:1500, which] * each[1500:, which]).sum(1) for each in (people, drawn)]
        assert alike[0].mean() == pytest.approx(float(alike[1].mean()), abs=0.03)
        assert alike[0].std() == pytest.approx(float(alike[1].std()), abs=0.03)
    codes = identities.codes_of(people[:50])
    assert (identities.at(codes) * people[:50]).sum(2).min() > 0.9


def test_a_regression_finds_the_look_that_goes_with_an_embedding() -> None:
    random = torch.Generator().manual_seed(0)
    embeddings = torch.nn.functional.normalize(torch.randn(400, 2, 128, generator=random), dim=2)
    # Brows as dark as the first number says, on skin of any color.
    images = torch.randint(90, 200, (400, 1, 1, 3), generator=random).expand(-1, 128, 128, -1).clone()
    dark = 40 * embeddings[:, 0, 0] / embeddings[:, 0, 0].std()
    images[:, 36:40, 30:60] = (images[:, 36:40, 30:60] - 40 - dark[:, None, None, None]).clamp(0, 255).long()
    mean, weights = regressed_looks(images.byte().numpy(), embeddings)
    asked = torch.zeros(3, 2, 128)
    asked[:, 0, 0] = torch.tensor([-0.1, 0.0, 0.1])
    looks = (mean + asked.flatten(1) @ weights.T).view(3, 3, 32, 32)
    brows, cheek = looks[:, :, 9, 8:15].mean((1, 2)), looks[:, :, 22, 8:15].mean((1, 2))
    assert (brows < -0.02).all() and (brows.diff() < -0.02).all(), "darker and darker than the cells' mean"
    assert cheek.abs().max() < 0.02


def test_a_swapped_face_lies_at_the_points_in_the_light_of_the_image() -> None:
    random = np.random.default_rng(0)
    # A coarse pattern of other colors, whose place is found again.
    small = random.integers(60, 160, (24, 24, 3), np.uint8)
    face = cv2.resize(small, (144, 144), interpolation=cv2.INTER_CUBIC)
    image = np.full((144, 144, 3), (150, 90, 60), np.uint8)
    points = mesh()
    turn = np.array([[0.99, -0.1], [0.1, 0.99]], np.float32)
    there = ((points - 72) @ turn.T + 72 + [4, -3]).astype(np.float32)
    mask = np.asarray(hull_mask(there, eye_distance(there), 144) / 255, np.float32)
    swapped = swapped_face(image, there, face, points, mask).astype(np.float32)
    assert np.array_equal(swapped[mask == 0], image[mask == 0].astype(np.float32))
    inside = mask > 0.99
    assert np.allclose(swapped[inside].mean(0), image[0, 0], atol=10), "its light"
    # What is at a point of the face is at that point of the image, but for the light.
    matrix = np.concatenate([turn, (72 + np.array([[4], [-3]]) - turn @ np.full((2, 1), 72))], 1)
    moved = cv2.warpAffine(face, matrix, (144, 144)).astype(np.float32)
    core = cv2.erode(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    for channel in range(3):
        assert np.corrcoef(swapped[core][:, channel], moved[core][:, channel])[0, 1] > 0.9


def test_partners_have_features_in_the_same_places(config: DeidentifyConfig) -> None:
    assert nearest_shape(mesh(), np.stack([mesh(opening=1.0), mesh() + 3, mesh(opening=6.0)])) == 1
    faces = faces_of(config)
    picks = faces.picks(6, torch.Generator().manual_seed(0))
    partners = faces.partners(picks, torch.Generator().manual_seed(1))
    assert (partners != picks).all() and partners.max() < len(faces.photos)
    still = torch.zeros(6, POINTS, 2)
    placed = placements(torch.zeros(6, 4), 48)
    batch = faces.batch(picks, placed, torch.zeros(6), [None] * 6, 48, still, [None, *partners[1:].tolist()])
    assert torch.equal(batch.targets[0], batch.images[0])
    outside = batch.guides[:, MASK : MASK + 1].expand(-1, 3, -1, -1) == 0
    assert torch.allclose(batch.targets[outside], batch.images[outside], atol=0.05)
    assert ((batch.targets - batch.images)[1:].abs().amax((1, 2, 3)) > 0.1).all()


def test_aligned_images_come_back_from_where_they_were_put(config: DeidentifyConfig) -> None:
    numbers = Jitter().drawn(3, torch.Generator().manual_seed(0))
    assert numbers.abs().min() > 0
    placed = placements(numbers, 96)
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    pixels = torch.stack([columns, rows], 2).reshape(-1, 2)
    images = []
    for linear, shift in zip(placed[:, :, :2], placed[:, :, 2], strict=True):
        # Each pixel shows where it comes from.
        images.append(((pixels - shift) @ torch.linalg.inv(linear).T).T.reshape(2, 96, 96))
    batch = FaceBatch(torch.stack(images), torch.zeros(0), torch.zeros(0), torch.zeros(0), placed)
    found = batch.aligned(batch.images, RECOGNIZED)
    wanted = torch.stack(torch.meshgrid(torch.arange(16.0, 128), torch.arange(12.0, 124), indexing="xy"))
    inside = slice(16, -16)
    assert torch.allclose(
        found[:, :, inside, inside], wanted[:, inside, inside].expand(3, -1, -1, -1), atol=0.02
    )


def inputs(count: int, side: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, side, side, generator=random) * 2 - 1
    guides = torch.zeros(count, 3, side, side)
    guides[:, MASK, 8:-8, 8:-8] = 1
    identities = torch.nn.functional.normalize(torch.randn(count, 2, 128, generator=random), dim=2)
    return images, guides, identities


@torch.no_grad()
def test_a_generator_sees_nothing_of_a_face_but_its_shading() -> None:
    torch.manual_seed(0)
    generator = FaceGenerator().eval()
    images, guides, identities = inputs(2, 64)
    # Another face of the same shading: what is added has no mean and no slope.
    rows = torch.linspace(-1, 1, 48)
    features = torch.sin(9 * rows) - 0.3 * torch.sin(4 * rows)
    features = features - (features @ rows) / (rows @ rows) * rows
    other = images.clone()
    other[:, :, 8:-8, 8:-8] += features[:, None] * features
    assert (other - images).abs().max() > 0.5
    assert torch.allclose(hidden(images, guides), hidden(other, guides), atol=1e-6)
    assert torch.allclose(
        generator(images, guides, identities), generator(other, guides, identities), atol=1e-5
    )
    made = generator(images, guides, identities)
    assert not torch.allclose(made, generator(images, guides, identities.flip(0)), atol=1e-3)
    outside = guides[:, MASK : MASK + 1].expand(-1, 3, -1, -1) == 0
    assert torch.equal(composed(images, guides, made)[outside], images[outside])


@torch.no_grad()
def test_folding_changes_nothing() -> None:
    torch.manual_seed(0)
    generator = FaceGenerator().eval()
    given = inputs(2, 32)
    before = generator(*given)
    generator.fold()
    assert torch.allclose(generator(*given), before, atol=1e-6)


def faces_of(config: DeidentifyConfig) -> Faces:
    return DeidentifyRecipe(config, CPU).faces


def test_only_shown_faces_are_held_out_and_what_was_found_is_kept(config: DeidentifyConfig) -> None:
    faces = faces_of(config)
    assert len(faces.photos) + len(faces.held_out) == 46
    assert {path.parent.name for path in faces.held_out} == {"nobody"}
    picks = faces.picks(400, torch.Generator().manual_seed(0))
    from_nobody = [faces.photos[pick].parent.name == "nobody" for pick in picks.tolist()]
    assert 0.3 < np.mean(from_nobody) < 0.5
    cache = Path(config.cache)
    written = cache.stat().st_mtime_ns
    assert torch.equal(faces_of(config).embeddings, faces.embeddings) and cache.stat().st_mtime_ns == written
    (Path(config.faces[0]) / "00.png").rename(Path(config.faces[0]) / "30.png")
    assert len(faces_of(config).photos) == len(faces.photos) and cache.stat().st_mtime_ns > written
    (Path(config.faces[0]) / "30.png").rename(Path(config.faces[0]) / "00.png")


def test_a_resumed_run_computes_what_an_uninterrupted_one_does(
    config: DeidentifyConfig, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    prepare_run(whole, config.as_dict())
    recipe = DeidentifyRecipe(config, CPU)
    train(recipe, whole, report=lambda _: None)
    first = DeidentifyRecipe(config, CPU)
    losses = [first.step(index) for index in range(2)]
    assert losses[0].keys() == {"pixels", "perceptual", "colors"}
    assert losses[1].keys().isdisjoint({"landmarks", "attract", "temporal", "adversarial pixels"})
    second = DeidentifyRecipe(config, CPU)
    second.load_state_dict(first.state_dict())
    losses = [second.step(index) for index in range(2, 4)]
    assert "landmarks" not in losses[0]
    assert {
        "adversarial pixels", "discriminator features", "given cosine", "source cosine", "temporal", "landmarks",
    } <= losses[1].keys()  # fmt: skip
    assert all(np.isfinite(list(each.values())).all() for each in losses)
    saved = torch.load(whole / CHECKPOINT, weights_only=True)
    assert not differences({**second.state_dict(), "step": 4}, saved)
    assert (whole / SAMPLES).exists()


def test_a_run_begins_where_another_ended(config: DeidentifyConfig, tmp_path: Path) -> None:
    recipe = DeidentifyRecipe(config, CPU)
    torch.save(recipe.state_dict(), tmp_path / CHECKPOINT)
    begun = DeidentifyRecipe(replace(config, init=str(tmp_path / CHECKPOINT), seed=5), CPU)
    assert not differences(
        dict(begun.trainer.network.state_dict()), dict(recipe.trainer.ema_model.state_dict())
    )


def test_the_command_trains_and_says_what_is_wrong(
    config: DeidentifyConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    faces, weights = Path(config.faces[0]).parent, tmp_path / "weights"
    for field, place in (
        ("landmarks", "faces/mediapipe_face_landmark_468.onnx"),
        ("recognizer", "recognisers/mobilefacenet_128_112x112.onnx"),
        ("second_recognizer", "recognisers/mobilefacenet_casia_112x96.fp16.safetensors"),
        ("feature_extractor", "squeezenet1_1_lpips.safetensors"),
    ):
        (weights / place).parent.mkdir(parents=True, exist_ok=True)
        (weights / place).symlink_to(getattr(config, field))
    options = [
        "--faces", faces, "--weights", weights, "--size", 32, "--coarse-size", 32, "--steps", 1,
        "--batch", 4, "--discriminator-channels", 4, "--device", "cpu",
    ]  # fmt: skip
    assert training(monkeypatch, "deidentify", *options, "--out", tmp_path / "run") == 0
    assert "42 photos, 4 held out, on cpu" in capsys.readouterr().out
    assert training(monkeypatch, "deidentify", *options, "--out", tmp_path / "odd", "--batch", 5) == 1
    assert "batch 5: an even number of at least 4 is needed" in capsys.readouterr().err
    options[1] = weights
    assert training(monkeypatch, "deidentify", *options, "--out", tmp_path / "none") == 2
    assert "none of lfw_train, congress, nobody is in it" in capsys.readouterr().err
