"""What a generator prints at the period of its own steps, seen where it cannot hide: among frequencies."""

import torch
import torch.nn.functional as F
from torch import Tensor

_TILE = 32
_REACH = 4
"""Of the neighbours of a frequency, in 1/32 of a pixel's: as far as halfway to the next multiple of 1/4."""

_LEAST = (0.5 / 255) ** 2
"""Power a pixel below which nothing is seen."""


def spectral_unevenness(pictures: Tensor, truth: Tensor) -> Tensor:
    """How far frequencies stand out of their neighbours in the pictures more than in the truth, in nepers.

    Upsampling prints what it makes up once for every pixel that it enlarges: its power then is at the
    multiples of one frequency and missing between them (Durall et al. 2020, "Watch your up-convolution").
    The level that neighbours share is left to other losses, for it decides how much is made up.

    Args:
        pictures, truth: ``(N, C, H, W)`` in [0, 1], sides of at least 32.

    Returns:
        A scalar: mean over frequencies of the deviation of the ratio's logarithm from its mean nearby.
    """
    made, real = _powers(pictures), _powers(truth)
    # A tile full of detail would outweigh all others.
    share = 1 / (real[:, 1:, 1:].mean((1, 2), keepdim=True) + _LEAST)
    ratio = ((share * (made + _LEAST)).mean(0) / (share * (real + _LEAST)).mean(0)).log()
    nearby = F.avg_pool2d(F.pad(ratio[None, None], [_REACH] * 4, "circular"), 2 * _REACH + 1, 1)[0, 0]
    return (ratio - nearby).abs().mean()


def _powers(pictures: Tensor) -> Tensor:
    """Of all tiles of all channels, overlapping by half: ``(n, 32, 32)``, a pixel's mean power in each."""
    window = torch.hann_window(_TILE, device=pictures.device)
    window = window[:, None] * window
    tiles = pictures.float().unfold(2, _TILE, _TILE // 2).unfold(3, _TILE, _TILE // 2)
    waves = torch.fft.fft2(tiles.flatten(0, 3) * window / window.square().sum().sqrt())
    return waves.abs().square()
