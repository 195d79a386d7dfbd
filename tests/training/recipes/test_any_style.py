"""One generator for all paintings: what a style vector decides, and how it is learned."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.support.images import write_noise
from tests.support.state_dicts import differences
from tests.support.training_command import training
from training.core.run_folder import CHECKPOINT, CONFIG
from training.core.trainer import train
from training.core.weights import load_weights
from training.data import paintings
from training.data.paintings import Paintings, held_out_paintings, hue_rotation, recolored
from training.losses.any_style import AnyStyleObjective, gram
from training.losses.networks import LossNetworks
from training.losses.perceptual import gram_matrix
from training.networks.any_style import StyledSwift
from training.networks.colors import COLORS, color_matrix
from training.networks.style_target import color_statistics
from training.networks.swift import Swift
from training.recipes import any_style
from training.recipes.any_style import AnyStyleConfig, AnyStyleRecipe, schedule
from vidgan.models.registry import BUNDLED

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three paintings, and one that is held out."""
    for number in range(3):
        write_noise(tmp_path / "paintings" / f"{number}.png", 96, 80, 40 + number)
    write_noise(tmp_path / "paintings" / held_out_paintings()[0], 96, 80, 50)
    return tmp_path / "paintings"


@pytest.fixture
def tiny(
    folder: Path, photos: Path, squeezenet_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> AnyStyleConfig:
    monkeypatch.setattr(any_style, "_SEEN_FIRST", 4)
    return AnyStyleConfig(
        paintings={str(folder): 1.0},
        photos=[str(photos)],
        weights={"squeezenet": str(squeezenet_weights)},
        experts=2,
        size=48,
        painting_size=48,
        steps=4,
    )


@pytest.fixture(scope="module")
def styled() -> StyledSwift:
    torch.manual_seed(3)
    return StyledSwift(experts=3).eval()


def vector_of(styled: StyledSwift, matrix: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    vector = 0.2 * torch.randn(styled.vector_size)
    vector[-COLORS:] = torch.cat([matrix.flatten(), mean])
    return vector


def test_a_style_is_a_plain_folded_swift(styled: StyledSwift) -> None:
    vector = vector_of(styled, 0.2 * torch.eye(3), torch.full((3,), 0.5))
    photos = torch.rand(2, 3, 64, 48)
    folded = styled.for_style(vector)
    with torch.no_grad():
        assert torch.allclose(folded(photos), styled(photos, vector), atol=1e-5)
    kinds = {type(module).__name__ for module in folded.modules()}
    assert kinds <= {
        "Swift",
        "FoldedPatchFeatures",
        "ConvNorm",
        "Conv2d",
        "Identity",
        "Sequential",
        "ResidualBlock",
    }


def test_every_number_of_a_style_vector_counts(styled: StyledSwift) -> None:
    vector = vector_of(styled, 0.1 * torch.eye(3), torch.full((3,), 0.5)).requires_grad_()
    styled(torch.rand(1, 3, 64, 64), vector).square().sum().backward()
    assert vector.grad is not None
    # What comes before a ReLU that is shut at all places may have no slope.
    assert (vector.grad != 0).float().mean() > 0.95


def test_the_last_colors_of_the_vector_map_colors(styled: StyledSwift) -> None:
    torch.manual_seed(1)
    photos = torch.rand(1, 3, 64, 64)
    plain = vector_of(styled, 0.001 * torch.eye(3), torch.full((3,), 0.5))
    gray = plain.clone()
    gray[-COLORS:] = torch.cat([torch.full((9,), 0.0003), torch.tensor([0.2, 0.5, 0.7])])
    with torch.no_grad():
        a, b = styled(photos, plain), styled(photos, gray)
    mixed = 0.3 * (a - 0.5).sum(1, keepdim=True) + torch.tensor([0.2, 0.5, 0.7])[:, None, None]
    assert torch.allclose(b, mixed, atol=1e-4)


def test_it_begins_as_the_style_that_it_is_given() -> None:
    styles = []
    for name in ("wave", "starry"):
        swift = Swift()
        load_weights(swift, BUNDLED / name / "float32.onnx")
        styles.append(swift.eval())
    colors = (torch.diag(torch.tensor([0.2, 0.1, 0.3])), torch.tensor([0.4, 0.5, 0.6]))
    photos = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        wanted = [swift(photos) for swift in styles]
    styled = StyledSwift(experts=2).eval()
    styled.start_from(styles, [colors, colors])
    vector = torch.zeros(styled.vector_size)
    vector[-COLORS:] = torch.cat([colors[0].flatten(), colors[1]])
    with torch.no_grad():
        assert torch.allclose(styled(photos, vector), wanted[0], atol=1e-4)
        for name, places in styled.slices.items():
            # Kernels keep the length of the first style's.
            vector[places.experts.start] = 1.0
            difference = styles[1].get_parameter(f"{name}.bias") - styles[0].get_parameter(f"{name}.bias")
            if name == "up_full":
                difference = difference / torch.tensor([0.2, 0.1, 0.3])
            vector[places.shift] = difference
        other = styled.for_style(vector)
    kernel = styles[1].blocks[0].first.conv.weight  # type: ignore[union-attr]
    ours = other.blocks[0].first.conv.weight  # type: ignore[union-attr]
    assert F.cosine_similarity(ours.flatten(1), kernel.flatten(1)).min() > 0.999  # type: ignore[operator]


def test_the_matrix_of_colors_is_the_root_of_their_covariance() -> None:
    torch.manual_seed(0)
    painting = torch.rand(1, 3, 40, 40) * torch.tensor([1.0, 0.5, 0.05])[:, None, None]
    _, covariance = color_statistics(painting)
    root = color_matrix(covariance)
    assert torch.allclose(root, root.mT, atol=1e-5)
    assert torch.allclose(root @ root, covariance, atol=3e-4)


def test_gram_matrices_and_their_slopes_are_the_usual_ones() -> None:
    x = torch.rand(2, 5, 6, 7, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    weights = torch.rand(2, 5, 5)
    (gram(x) * weights).sum().backward()
    (gram_matrix(y) * weights).sum().backward()
    assert torch.allclose(gram(x), gram_matrix(y))
    assert x.grad is not None and y.grad is not None and torch.allclose(x.grad, y.grad, atol=1e-6)


def test_gram_matrices_stay_float32_in_mixed_precision() -> None:
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = gram(x)
    assert found.dtype == torch.float32
    assert torch.equal(found, gram(x))
    found.sum().backward()
    assert x.grad is not None and x.grad.dtype == torch.float32


def test_no_training_sees_what_is_held_out(folder: Path) -> None:
    assert len(held_out_paintings()) >= 12
    found = Paintings({folder: 1.0})
    assert [path.name for path in found.files[0]] == ["0.png", "1.png", "2.png"]


def test_crops_of_paintings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Paintings({folder: 1.0})
    random = torch.Generator().manual_seed(0)
    crops = torch.cat([found.crop(40, random) for _ in range(6)])
    assert crops.shape == (6, 3, 40, 40) and crops.min() >= 0 and crops.max() <= 1
    assert len({float(each.mean()) for each in crops}) == 6
    # As it is, a crop is within what its painting holds.
    monkeypatch.setattr(paintings, "_RECOLORED", 0.0)
    monkeypatch.setattr(paintings, "_STRETCHED", 1e-9)
    plain = recolored(crops[:1], random)
    assert torch.equal(plain, crops[:1])


def test_hues_turn_and_grays_stay() -> None:
    matrix = hue_rotation(2 * math.pi / 3)
    assert torch.allclose(matrix @ torch.eye(3)[0], torch.roll(torch.eye(3)[0], 1), atol=1e-6)
    assert torch.allclose(hue_rotation(1.0) @ torch.ones(3), torch.ones(3), atol=1e-6)


@pytest.fixture
def objective(squeezenet_weights: Path) -> AnyStyleObjective:
    layers = ["squeezenet.conv1", "squeezenet.fire4"]
    return AnyStyleObjective(
        LossNetworks(layers, {"squeezenet": squeezenet_weights}),
        LossNetworks(layers[1:], {"squeezenet": squeezenet_weights}),
        content_layers=["squeezenet.fire4"], style_layers=layers, style_weight=1.0, color_weight=1.0,
        variation_weight=0.0,
    )  # fmt: skip


def test_the_objective_is_least_for_the_painting_itself(objective: AnyStyleObjective) -> None:
    torch.manual_seed(0)
    painting, other = torch.rand(1, 3, 48, 48), torch.rand(1, 3, 48, 48) ** 2
    target = objective.target(painting)
    content = objective.content_features(painting)
    same, far = (objective(each, content, target, 1.0) for each in (painting, other))
    assert float(same.style) < 1e-9 < float(far.style)
    assert float(same.color) < 1e-3 < float(far.color)


def test_a_little_color_of_a_painting_asks_for_little(objective: AnyStyleObjective) -> None:
    """A drawing costs less without its tint than with half as much contrast again."""
    torch.manual_seed(0)
    light, tint = 0.2 * torch.randn(2, 1, 1, 48, 48)
    drawing = 0.5 + light + 0.15 * tint * torch.tensor([1.0, 0.0, -1.0])[:, None, None]
    gray = 0.5 + light.expand(1, 3, 48, 48)
    target, content = objective.target(drawing), objective.content_features(drawing)

    def color_error(image: torch.Tensor) -> float:
        return float(objective(image, content, target, 1.0).color)

    assert color_error(drawing) < 1e-3
    assert color_error(gray) < 0.03 < color_error(0.5 + 1.5 * (drawing - 0.5))


def state_after(recipe: AnyStyleRecipe, folder: Path, every: int = 2) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    train(recipe, folder, checkpoint_every=every, checkpoint_pause=0, report=lambda _: None)
    return torch.load(folder / CHECKPOINT, weights_only=True)


def test_a_resumed_run_computes_what_an_uninterrupted_one_does(tiny: AnyStyleConfig, tmp_path: Path) -> None:
    whole = state_after(AnyStyleRecipe(tiny, CPU), tmp_path / "whole")
    stopped = AnyStyleRecipe(tiny, CPU)
    stopped.step, whole_step = _stop_before(2, stopped.step), stopped.step  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        state_after(stopped, tmp_path / "stopped")
    assert whole_step is not stopped.step
    assert not differences(whole, state_after(AnyStyleRecipe(tiny, CPU), tmp_path / "stopped"))


def _stop_before(at: int, step: Any) -> Any:
    def stopping(index: int) -> dict[str, float]:
        if index == at:
            raise KeyboardInterrupt
        losses: dict[str, float] = step(index)
        return losses

    return stopping


def test_it_learns(tiny: AnyStyleConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """One style, over and over: the objective falls."""
    monkeypatch.setattr(any_style, "_WARM_UP", 1)
    # The lattice term, which images of noise excite, is no part of the objective.
    config = replace(
        tiny, steps=100, batch=1, content_weights=[0.1, 0.1], learning_rate=2e-3, lattice_weight=0.0
    )
    recipe = AnyStyleRecipe(config, CPU)
    recipe.paintings.crop = _always(recipe.paintings.crop(48, recipe.random))  # type: ignore[method-assign]
    styles = [recipe.step(index)["style"] for index in range(30)]
    assert sum(styles[-5:]) < 0.8 * sum(styles[:5])


def _always(crop: torch.Tensor) -> Any:
    return lambda side, random: crop


def test_the_rate_warms_up_stays_and_cools_down() -> None:
    rates = [schedule(step, 1000) for step in (0, 99, 500, 790, 900, 999)]
    assert rates == pytest.approx([0.01, 1, 1, 1, 0.5, 0.02], abs=0.005)


def test_the_command(
    tiny: AnyStyleConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder,) = tiny.paintings
    out = tmp_path / "run"
    options = [
        "any-style", "--paintings", f"{folder}=2", "--photos", tiny.photos[0], "--weights",
        f"squeezenet={tiny.weights['squeezenet']}", "--out", out, "--size", 48, "--painting-size", 48,
        "--experts", 2, "--steps", 2, "--device", "cpu",
    ]  # fmt: skip
    assert training(monkeypatch, *options) == 0
    assert json.loads((out / CONFIG).read_text())["paintings"] == {folder: 2.0}
    assert (out / CHECKPOINT).is_file() and "done" in capsys.readouterr().out
