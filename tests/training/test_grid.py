"""The grid term: it sees patterns that stand on the grid, and nothing else."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.fields import soft_noise
from training.losses.grid import grid_amplitude, phase_pattern
from training.networks.swift import Swift


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def waves(period: float, side: int = 128) -> Tensor:
    """Vertical stripes of amplitude 0.1."""
    stripes = 0.5 + 0.1 * torch.cos(2 * torch.pi * torch.arange(side) / period)
    return stripes.expand(1, 3, side, side)


def test_a_pattern_on_the_grid_is_measured() -> None:
    torch.testing.assert_close(grid_amplitude(waves(4), 4), torch.tensor([0.1 / 2**0.5]), rtol=1e-3, atol=0)
    torch.testing.assert_close(grid_amplitude(waves(2), 4), torch.tensor([0.1]), rtol=1e-3, atol=0)
    pattern = phase_pattern(waves(4), 4)
    torch.testing.assert_close(pattern[0, 0], torch.tensor([0.1, 0, -0.1, 0]).expand(4, 4), rtol=0, atol=1e-6)


@pytest.mark.parametrize("period", [3.3, 5, 7, 32])
def test_strokes_of_another_period_are_left_alone(period: float) -> None:
    assert float(grid_amplitude(waves(period, 640), 4)) < 0.003


def test_noise_and_colour_are_left_alone() -> None:
    noise = 0.5 + 0.1 * torch.randn(1, 3, 256, 256, generator=seeded())
    assert float(grid_amplitude(noise, 4)) < 0.004
    assert float(grid_amplitude(torch.full((1, 3, 16, 16), 0.7), 4)) == pytest.approx(0.1 / 255)


def test_gradient_is_finite_without_a_grid_and_takes_one_away() -> None:
    flat = torch.full((1, 3, 16, 16), 0.7, requires_grad=True)
    grid_amplitude(flat, 4).sum().backward()
    assert flat.grad is not None and flat.grad.isfinite().all()
    x = waves(4).clone().requires_grad_()
    before = grid_amplitude(x, 4).sum()
    (gradient,) = torch.autograd.grad(before, x)
    assert grid_amplitude(x.detach() - 0.02 * gradient / gradient.abs().max(), 4).sum() < 0.9 * before


def test_fields_are_soft_and_of_one_colour() -> None:
    random = seeded()
    for _ in range(20):
        fields = soft_noise(2, 64, random)
        assert fields.shape == (2, 3, 64, 64) and fields.min() >= 0 and fields.max() <= 1
        deviation = fields.std((2, 3))
        assert deviation.max() < 20 / 255
        rough = (fields[..., 1:] - fields[..., :-1]).std((2, 3))
        assert (rough < 0.8 * deviation + 1e-6).all()  # White noise has 1.41.
    assert torch.equal(soft_noise(2, 64, seeded(3)), soft_noise(2, 64, seeded(3)))


def test_fixed_statistics_come_and_go() -> None:
    swift = Swift().train()
    swift.set_instance_share(0.25)
    x = torch.rand(1, 3, 32, 32, generator=seeded())
    mean = swift.stem.norm.mean.clone()  # type: ignore[operator, union-attr]
    with swift.fixed_statistics():
        inside = swift(x)
    assert torch.equal(swift.stem.norm.mean, mean)  # type: ignore[arg-type]
    outside = swift(x)
    assert float(swift.stem.norm.instance_share) == 0.25  # type: ignore[arg-type]
    swift.set_instance_share(0.0)
    assert not torch.allclose(inside, outside, atol=1e-3)
    with torch.no_grad():
        swift.stem.norm.mean.copy_(mean)  # type: ignore[operator, union-attr]
    assert F.mse_loss(swift(x), inside) < F.mse_loss(outside, inside)
