"""Perceptual losses against their definitions."""

from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.models import squeezenet1_0

from training.losses.networks import LossNetwork, LossNetworks
from training.losses.perceptual import (
    ColorMoments,
    StyleObjective,
    gram_matrix,
    mean_square,
    normalize_contrast,
    total_variation,
)


class Fake(nn.Module):
    """Two layers of features, made larger by ``gain``."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.gain = gain
        generator = torch.Generator().manual_seed(1)
        self.kernel = torch.randn(5, 3, 3, 3, generator=generator)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = torch.relu(nn.functional.conv2d(x, self.kernel))
        return {"a": self.gain * features, "b": self.gain * features[:, :2, ::2, ::2]}


def objective(gain: float = 1.0, variation: float = 0.0, color: float = 0.0) -> StyleObjective:
    painting = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(2))
    return StyleObjective(
        cast(LossNetworks, Fake(gain)),
        painting,
        content_weights={"b": 1.5},
        style_weights={"a": 1.0, "b": 0.5},
        color_weight=color,
        variation_weight=variation,
    )


def images(count: int = 2, seed: int = 3) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


def test_gram_matrix_is_the_mean_product_of_channels() -> None:
    features = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    expected = torch.zeros(2, 3, 3)
    for n in range(2):
        for i in range(3):
            for j in range(3):
                for y in range(4):
                    for x in range(5):
                        expected[n, i, j] += features[n, i, y, x] * features[n, j, y, x] / 20
    torch.testing.assert_close(gram_matrix(features), expected)


def test_gram_matrix_of_half_precision_is_float32() -> None:
    assert gram_matrix(torch.full((1, 2, 300, 300), 8.0, dtype=torch.float16)).tolist() == [[[64.0] * 2] * 2]


def test_mean_square_is_of_each_image() -> None:
    assert mean_square(torch.tensor([[[1.0, 2.0]], [[3.0, 5.0]]])).tolist() == [2.5, 17.0]


def test_total_variation_of_a_slope_and_of_a_flat_image() -> None:
    slope = torch.arange(6.0).expand(1, 3, 4, 6)
    assert total_variation(slope).tolist() == [1.0]
    assert total_variation(slope.mT * 2).tolist() == [4.0]
    assert total_variation(torch.ones(2, 3, 4, 4)).tolist() == [0.0, 0.0]


def test_the_painting_itself_has_no_style_error_and_the_evened_photo_no_content_error() -> None:
    measure = objective(color=1.0)
    painting = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(2))
    terms = measure(painting, measure.content_features(painting))
    assert float(terms.style) == pytest.approx(0, abs=1e-9)
    assert float(terms.color) == pytest.approx(0, abs=1e-5)
    assert float(measure(normalize_contrast(painting), measure.content_features(painting)).content) == 0
    other = measure(images(), measure.content_features(images(seed=4)))
    assert (other.style > 1e-3).all() and (other.content > 0.01).all() and (other.color > 1e-3).all()


def test_content_is_drawn_in_shadow_as_in_light() -> None:
    x = torch.rand(1, 1, 128, 256, generator=torch.Generator().manual_seed(0)).repeat(1, 3, 1, 1)
    lit = 0.3 + 0.7 * x
    half = lit.clone()
    half[..., 128:] *= 0.2
    even = normalize_contrast(half)
    assert even.min() >= 0 and even.max() <= 1
    contrast = [float(each[..., 8:-8].std() / each[..., 8:-8].mean()) for each in (even.chunk(2, 3))]
    assert contrast[1] > 0.3 * contrast[0]
    # A fifth of the light, and more than half of the contrast between them is left.
    means = [float(each.mean()) for each in even.chunk(2, 3)]
    assert means[0] > means[1] + 0.1


def test_muted_colors_keep_their_hue() -> None:
    red = torch.tensor([0.8, 0.2, 0.2])[:, None, None].expand(1, 3, 16, 16)
    gray = torch.full((1, 3, 16, 16), 0.4)
    even = normalize_contrast(torch.cat([red, gray], 3))
    r, g, b = (float(each.mean()) for each in even[0, :, :, :16])
    assert r > g + 0.1 and g == pytest.approx(b, abs=1e-5)


def test_color_is_measured_in_the_paintings_own_deviations() -> None:
    """A shift by one deviation costs the same along the painting's strongest and weakest color."""
    generator = torch.Generator().manual_seed(0)
    axes, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator))
    spread = torch.tensor([0.15, 0.05, 0.02])
    independent = torch.randn(3, 64 * 64, generator=generator)
    painting = (0.5 + axes @ (spread[:, None] * independent)).reshape(1, 3, 64, 64)
    moments = ColorMoments(painting)
    assert float(moments(painting)) == pytest.approx(0, abs=1e-5)
    for axis, deviation in zip(axes.T, spread, strict=True):
        shifted = painting + (deviation * axis)[:, None, None]
        assert float(moments(shifted)) == pytest.approx(1, rel=0.1)
    flat = painting.mean((2, 3), keepdim=True).expand_as(painting)
    assert float(moments(flat)) == pytest.approx(1 / 3, rel=0.01)  # An identity matrix is missing.


def test_a_painting_of_one_color_is_no_division_by_zero() -> None:
    moments = ColorMoments(torch.full((1, 3, 8, 8), 0.5))
    assert torch.isfinite(moments(images())).all()


def test_terms_are_relative_errors() -> None:
    measure, network = objective(variation=7.0), Fake()
    painting = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(2))
    x, photo = images(1), images(1, seed=4)
    terms = measure(x, measure.content_features(photo))
    ours, theirs, photos = network(x), network(painting), network(normalize_contrast(photo))
    content = 1.5 * ((ours["b"] - photos["b"]) ** 2).mean() / (theirs["b"] ** 2).mean()
    style = 0.0
    for layer, weight in (("a", 1.0), ("b", 0.5)):
        a, b = gram_matrix(ours[layer]), gram_matrix(theirs[layer])
        style += weight * float(((a - b) ** 2).sum() / (b**2).sum())
    assert float(terms.content) == pytest.approx(float(content), rel=1e-5)
    assert float(terms.style) == pytest.approx(style, rel=1e-5)
    assert float(terms.total) == pytest.approx(
        float(content) + style + 7 * float(total_variation(x)), rel=1e-5
    )


def test_how_large_activations_are_does_not_matter() -> None:
    x, photo = images(), images(seed=4)
    small, large = objective(0.01), objective(100.0)
    a, b = small(x, small.content_features(photo)), large(x, large.content_features(photo))
    torch.testing.assert_close(a.style, b.style)
    torch.testing.assert_close(a.content, b.content)


def test_each_image_has_its_own_terms() -> None:
    measure, x, photo = objective(variation=1.0), images(), images(seed=4)
    both = measure(x, measure.content_features(photo)).total
    alone = [measure(x[i : i + 1], measure.content_features(photo[i : i + 1])).total for i in range(2)]
    torch.testing.assert_close(both, torch.cat(alone))


def test_gradient_reaches_the_image_and_following_it_helps() -> None:
    measure, photo = objective(variation=0.1), images(seed=4)
    x = images().requires_grad_()
    content = measure.content_features(photo)
    assert not any(each.requires_grad for each in content.values())
    before = measure(x, content).total.sum()
    (gradient,) = torch.autograd.grad(before, x)
    assert (gradient.flatten(1).norm(dim=1) > 0).all()
    after = measure(x.detach() - 1e-3 * gradient / gradient.abs().max(), content).total.sum()
    assert after < before


def test_loss_network_gives_torchvisions_activations(squeezenet_weights: Path) -> None:
    layers = ["squeezenet.conv1", "squeezenet.fire4", "squeezenet.fire6"]
    networks = LossNetworks(layers, {"squeezenet": squeezenet_weights})
    x = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    features = squeezenet1_0(weights=None).features.eval()
    features.load_state_dict(
        {k.removeprefix("features."): v for k, v in load_file(squeezenet_weights).items()}
    )
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    y = (x - mean[:, None, None]) / std[:, None, None]
    with torch.no_grad():
        got = networks(x)
        for index, layer in enumerate(features[:9]):
            y = layer(y)
            if index in (1, 5, 8):
                torch.testing.assert_close(got[layers[(1, 5, 8).index(index)]], y, rtol=1e-4, atol=1e-5)
    assert sorted(got) == sorted(layers)


def test_loss_network_is_frozen_and_goes_no_deeper_than_asked(squeezenet_weights: Path) -> None:
    network = LossNetwork("squeezenet", ["conv1", "fire2"], squeezenet_weights)
    assert len(network.features) == 4
    assert not network.features.training and not any(each.requires_grad for each in network.parameters())


def test_weights_without_the_deep_layers_will_do(squeezenet_weights: Path, tmp_path: Path) -> None:
    few = {k: v for k, v in load_file(squeezenet_weights).items() if k.startswith("features.0.")}
    save_file(few, tmp_path / "few.safetensors")
    LossNetwork("squeezenet", ["conv1"], tmp_path / "few.safetensors")
    with pytest.raises(ValueError, match=r"few\.safetensors: no tensors for .*3\.expand1x1"):
        LossNetwork("squeezenet", ["fire2"], tmp_path / "few.safetensors")


@pytest.mark.parametrize("layer", ["squeezenet.fire99", "vgg19.relu1_2", "fire4"])
def test_an_unknown_layer_is_named(layer: str) -> None:
    with pytest.raises(ValueError, match=rf"no layer '{layer}'; known: vgg16\.relu1_1"):
        LossNetworks([layer], {})
