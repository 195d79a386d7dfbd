"""A generator's own grid: what it prints at the same place of every cell of its stride."""

import torch
from torch import Tensor


def phase_pattern(pictures: Tensor, period: int) -> Tensor:
    """Mean of the pixels at each place of a cell, less their mean: ``(N, C, H, W)`` → ``(N, C, p, p)``.

    A generator with this stride moves its painting along when the input moves by a period, so in a
    picture without detail of its own every pattern that stands still on the grid shows here.
    """
    n, c, h, w = pictures.shape
    means = pictures.reshape(n, c, h // period, period, w // period, period).mean((2, 4))
    return means - means.mean((2, 3), keepdim=True)


def grid_amplitude(pictures: Tensor, period: int) -> Tensor:
    """Root mean square of the pattern, ``(N, 3, H, W)`` → ``(N,)``, in units of the pictures."""
    # The root has no slope at 0: a tenth of a grey level of 256 is below all that matters.
    floor = (0.1 / 255) ** 2
    return torch.sqrt(phase_pattern(pictures, period).square().mean((1, 2, 3)) + floor)
