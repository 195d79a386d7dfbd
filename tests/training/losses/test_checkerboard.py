"""The grid term: it sees patterns that stand on the grid, and nothing else."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.smooth_images import HEIGHT, WIDTH, halves, smooth_images
from training.losses.checkerboard import checkerboard_amplitude, phase_power_imbalance
from training.networks.swift import Swift


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def waves(period: float, side: int = 128) -> Tensor:
    """Vertical stripes of amplitude 0.1."""
    stripes = 0.5 + 0.1 * torch.cos(2 * torch.pi * torch.arange(side) / period)
    return stripes.expand(1, 3, side, side)


def test_a_pattern_on_the_grid_is_measured() -> None:
    torch.testing.assert_close(
        checkerboard_amplitude(waves(4), 4), torch.tensor([0.1 / 2**0.5]), rtol=1e-3, atol=0
    )
    torch.testing.assert_close(checkerboard_amplitude(waves(2), 4), torch.tensor([0.1]), rtol=1e-3, atol=0)


@pytest.mark.parametrize("period", [3.3, 5, 7, 32])
def test_strokes_of_another_period_are_left_alone(period: float) -> None:
    assert float(checkerboard_amplitude(waves(period, 640), 4)) < 0.003


def test_noise_and_color_are_left_alone() -> None:
    noise = 0.5 + 0.1 * torch.randn(8, 3, 128, 128, generator=seeded())
    # A mean over 512 cells keeps 0.0044 of the noise in each half, and nothing of it in both.
    assert float(checkerboard_amplitude(noise, 4).mean()) < 0.002
    assert float(checkerboard_amplitude(torch.full((1, 3, 16, 16), 0.7), 4)) == pytest.approx(0.1 / 255)


def test_gradient_is_finite_without_a_grid_and_takes_one_away() -> None:
    flat = torch.full((1, 3, 16, 16), 0.7, requires_grad=True)
    checkerboard_amplitude(flat, 4).sum().backward()
    assert flat.grad is not None and flat.grad.isfinite().all()
    x = waves(4).clone().requires_grad_()
    before = checkerboard_amplitude(x, 4).sum()
    (gradient,) = torch.autograd.grad(before, x)
    assert checkerboard_amplitude(x.detach() - 0.02 * gradient / gradient.abs().max(), 4).sum() < 0.9 * before


def test_fields_are_soft_and_of_two_colors() -> None:
    random = seeded()
    for _ in range(20):
        fields = smooth_images(2, random)
        assert fields.shape == (2, 3, HEIGHT, WIDTH) and fields.min() >= 0 and fields.max() <= 1
        sides = halves(fields)
        assert sides.shape == (4, 3, 144, 120)
        deviation = sides.std((2, 3))
        assert deviation.max() < 24 / 255
        rough = (sides[..., 1:] - sides[..., :-1]).std((2, 3))
        assert (rough < 0.9 * deviation + 1e-3).all()  # White noise has 1.41.
        left, right = sides.mean((2, 3)).chunk(2)
        assert ((left - right).abs().amax(1) > 0.02).all()
    assert torch.equal(smooth_images(2, seeded(3)), smooth_images(2, seeded(3)))


def test_fixed_statistics_come_and_go() -> None:
    swift = Swift().train()
    swift.set_instance_share(0.25)
    x = torch.rand(1, 3, 32, 32, generator=seeded())
    mean = swift.stem.norm.mean.clone()  # type: ignore[operator]
    with swift.fixed_statistics():
        inside = swift(x)
    assert torch.equal(swift.stem.norm.mean, mean)  # type: ignore[arg-type]
    outside = swift(x)
    assert float(swift.stem.norm.instance_share) == 0.25  # type: ignore[arg-type]
    swift.set_instance_share(0.0)
    assert not torch.allclose(inside, outside, atol=1e-3)
    with torch.no_grad():
        swift.stem.norm.mean.copy_(mean)  # type: ignore[operator]
    assert F.mse_loss(swift(x), inside) < F.mse_loss(outside, inside)


def test_dots_of_any_sign_are_uneven_and_noise_is_not() -> None:
    random = torch.Generator().manual_seed(0)
    noise = 0.5 + 0.05 * torch.randn(8, 3, 96, 96, generator=random)
    dots = torch.zeros(8, 3, 96, 96)
    dots[:, :, 1::4, 2::4] = 0.1 * torch.randn(8, 3, 24, 24, generator=random)
    assert float(phase_power_imbalance(noise, 4)) < 0.05
    assert float(phase_power_imbalance(noise + dots, 4)) > 4 * float(phase_power_imbalance(noise, 4))
    # Nothing is what the mean of all cells shows of it.
    assert float(checkerboard_amplitude(noise + dots, 4).mean()) < 0.01
    assert float(phase_power_imbalance(torch.full((1, 3, 32, 32), 0.7), 4)) < 1e-3
