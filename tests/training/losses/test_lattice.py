"""The lattice term measures waves at the highest frequency of the coarsest grid, and leaves other strokes alone."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from training.losses.lattice import lattice_amplitude, lattice_excess


def waves(vertical: float, horizontal: float, *, flip: bool = False) -> Tensor:
    """Waves of amplitude 0.1, cycles a pixel; with their sign turned in one half."""
    rows, columns = torch.arange(128)[:, None], torch.arange(160)
    wave = 0.1 * torch.cos(2 * math.pi * (vertical * rows + horizontal * columns))
    if flip:
        wave = torch.where(columns < 80, wave, -wave)
    return (0.5 + wave).expand(1, 3, 128, 160)


@pytest.mark.parametrize("frequency", [(1 / 16, 1 / 16), (1 / 16, -1 / 16), (1 / 16, 0), (0, 1 / 16)])
def test_waves_that_alternate_from_cell_to_cell_are_measured(frequency: tuple[float, float]) -> None:
    # A window of 32 pixels lets some of a wave into its neighbors, with which it is compared.
    assert 0.07 < float(lattice_amplitude(waves(*frequency), 8)) < 0.11
    assert float(lattice_amplitude(waves(*frequency, flip=True), 8)) > 0.06


@pytest.mark.parametrize("frequency", [(0.03, 0.085), (0.011, 0.02), (0.2, 0.2), (0.11, 0.0)])
def test_other_waves_are_left_alone(frequency: tuple[float, float]) -> None:
    assert float(lattice_amplitude(waves(*frequency), 8)) < 0.02


def test_noise_of_all_directions_is_left_alone() -> None:
    noise = 0.5 + 0.1 * torch.randn(4, 3, 128, 160, generator=torch.Generator().manual_seed(0))
    whole = noise.std()
    assert float(lattice_amplitude(noise, 8).max()) < 0.04 * float(whole) / 0.1


def textured(cell: Tensor, *, alternating: bool) -> Tensor:
    """Noise, with a pattern of a cell in all cells of a smooth half."""
    rows, columns = torch.arange(192) // 8, torch.arange(192) // 8
    signs = torch.where((rows[:, None] + columns) % 2 == 0, 1.0, -1.0 if alternating else 1.0)
    signs = torch.kron(signs[::8, ::8], torch.ones(8, 8)) * cell.repeat(24, 24)
    noise = torch.randn(3, 192, 192, generator=torch.Generator().manual_seed(0))
    shares = torch.linspace(0.002, 0.1, 192)
    return (0.5 + 0.02 * signs + shares * noise)[None]


@pytest.mark.parametrize("alternating", [False, True])
def test_patterns_of_cells_are_found_beside_strong_texture(alternating: bool) -> None:
    cell = torch.randn(8, 8, generator=torch.Generator().manual_seed(1))
    found = float(lattice_excess(textured(cell - cell.mean(), alternating=alternating), 8))
    without = float(lattice_excess(textured(torch.zeros(8, 8), alternating=alternating), 8))
    assert found > 0.1 and without < 0.002


@pytest.mark.parametrize("measure", [lattice_amplitude, lattice_excess])
def test_the_gradient_takes_away_what_is_measured(measure: Callable[[Tensor, int], Tensor]) -> None:
    cell = torch.randn(8, 8, generator=torch.Generator().manual_seed(1))
    pattern = textured(cell - cell.mean(), alternating=True)
    start, length = (waves(1 / 16, 1 / 16), 0.02) if measure is lattice_amplitude else (pattern, 0.01)
    x = start.clone().requires_grad_()
    before = measure(x, 8).sum()
    (gradient,) = torch.autograd.grad(before, x)
    after = measure(x.detach() - length * gradient / gradient.abs().max(), 8).sum()
    assert after < 0.9 * before
    flat = torch.full((1, 3, 64, 64), 0.5, requires_grad=True)
    measure(flat, 8).sum().backward()
    assert flat.grad is not None and flat.grad.isfinite().all()
