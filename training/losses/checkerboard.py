"""Checkerboard artifacts: patterns that a generator repeats with the period of its stride (Odena et al. 2016)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.smooth_images import halves, smooth_images
from training.losses.lattice import lattice_amplitude

_PERIODS = 4, 8
"""Strides of the generators' layers. Blocks of 4 pixels lie within those of 8, and there are more of them."""

_LATTICE_SHARE = 0.25
"""Waves that turn from cell to cell are less conspicuous than a pattern that stands on the grid."""


def checkerboard_loss(
    generate: Callable[[Tensor], Tensor], count: int, random: torch.Generator, device: torch.device
) -> Tensor:
    """Root mean square of the artifacts that a generator makes of images without detail, a scalar.

    The mean square weighs the worst colors most. Patterns that repeat from cell to cell count, and waves that turn
    from cell to cell (:mod:`training.losses.lattice`).

    Args:
        generate: maps RGB in [0, 1], ``(N, 3, H, W)``, to the same.
        count: of images.
        random: source of the images.
        device: of the generator.
    """
    outputs = halves(generate(smooth_images(count, random).to(device))).float()
    amplitudes = torch.stack(
        [
            *(checkerboard_amplitude(outputs, period) for period in _PERIODS),
            _LATTICE_SHARE * lattice_amplitude(outputs, _PERIODS[-1]),
        ]
    )
    return amplitudes.square().sum(0).mean().sqrt()


def phase_pattern(blocks: Tensor) -> Tensor:
    """Mean of each position in a block, less the mean of all: n blocks ``(N, C, n, p, p)`` → ``(N, C, p, p)``.

    A generator with this stride is equivariant to shifts by a block, so in an image without detail of its own
    every pattern that repeats from block to block shows here.
    """
    means = blocks.mean(2)
    return means - means.mean((2, 3), keepdim=True)


def checkerboard_amplitude(images: Tensor, period: int) -> Tensor:
    """Root mean square of the repeated pattern, ``(N, C, H, W)`` → ``(N,)``, in the images' units.

    The patterns of two halves of the blocks, black and white squares of a chessboard, are multiplied: only what both
    have in common counts. Strokes, of which an average over few blocks keeps something, differ between them.
    """
    n, c, h, w = images.shape
    blocks = images.reshape(n, c, h // period, period, w // period, period).transpose(3, 4)
    white = (torch.arange(h // period)[:, None] + torch.arange(w // period)) % 2 == 0
    common = phase_pattern(blocks[:, :, white]) * phase_pattern(blocks[:, :, ~white])
    # The root has no gradient at 0; a tenth of a gray level is negligible.
    return torch.sqrt(common.mean((1, 2, 3)).clamp(min=0) + (0.1 / 255) ** 2)


def phase_power_imbalance(images: Tensor, period: int) -> Tensor:
    """How unequally the power of detail is distributed over positions in a block, in nepers.

    A generator that draws a dot in every block, sometimes light and sometimes dark, has no pattern in the mean and
    no peak in the spectrum, but its dots stand in rows. In photos all positions have equal power.

    Args:
        images: ``(N, C, H, W)``.

    Returns:
        A scalar: mean absolute deviation of the logarithm of power.
    """
    detail = (images - F.avg_pool2d(images, 3, 1, 1)).float()[:, :, period:-period, period:-period]
    n, c, h, w = detail.shape
    powers = detail.square().reshape(n, c, h // period, period, w // period, period).mean((1, 2, 4))
    # An image full of detail would outweigh all others.
    shares = (powers / (powers.mean((1, 2), keepdim=True) + 1e-8)).mean(0)
    logarithms = (shares + 1e-3).log()
    return (logarithms - logarithms.mean()).abs().mean()
