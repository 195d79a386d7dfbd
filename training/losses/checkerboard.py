"""A generator's own grid: what it prints at the same place of every cell of its stride."""

import torch
import torch.nn.functional as F
from torch import Tensor


def phase_pattern(cells: Tensor) -> Tensor:
    """Mean of each place in a cell, less the mean of all: n cells ``(N, C, n, p, p)`` → ``(N, C, p, p)``.

    A generator with this stride moves its painting along when the input moves by a cell, so in a
    picture without detail of its own every pattern that stands still on the grid shows here.
    """
    means = cells.mean(2)
    return means - means.mean((2, 3), keepdim=True)


def grid_amplitude(pictures: Tensor, period: int) -> Tensor:
    """Root mean square of the pattern, ``(N, C, H, W)`` → ``(N,)``, in units of the pictures.

    The patterns of two halves of the cells are multiplied, like black and white squares of a
    chessboard: what is in both is the grid's; strokes, of which a mean over few cells keeps
    something, are not alike in both and do not count.
    """
    n, c, h, w = pictures.shape
    cells = pictures.reshape(n, c, h // period, period, w // period, period).transpose(3, 4)
    white = (torch.arange(h // period)[:, None] + torch.arange(w // period)) % 2 == 0
    both = phase_pattern(cells[:, :, white]) * phase_pattern(cells[:, :, ~white])
    # The root has no slope at 0: a tenth of a grey level of 256 is below all that matters.
    return torch.sqrt(both.mean((1, 2, 3)).clamp(min=0) + (0.1 / 255) ** 2)


def uneven_detail(pictures: Tensor, period: int) -> Tensor:
    """How unevenly detail lies over the places in a cell, ``(N, C, H, W)`` → a scalar, in nepers of power.

    A generator that draws a dot in every cell, now light and now dark, leaves no pattern in the mean and no
    peak in a spectrum, and yet its dots stand in rows. In photos all places have detail alike.
    """
    detail = (pictures - F.avg_pool2d(pictures, 3, 1, 1)).float()[:, :, period:-period, period:-period]
    n, c, h, w = detail.shape
    powers = detail.square().reshape(n, c, h // period, period, w // period, period).mean((1, 2, 4))
    # A picture full of detail would outweigh all others.
    shares = (powers / (powers.mean((1, 2), keepdim=True) + 1e-8)).mean(0)
    logarithms = (shares + 1e-3).log()
    return (logarithms - logarithms.mean()).abs().mean()
