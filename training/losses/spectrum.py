"""Loss on spectral peaks, which upsampling layers cause at multiples of their sampling frequency."""

import torch
import torch.nn.functional as F
from torch import Tensor

_TILE = 32
_RADIUS = 4
"""Radius of a frequency's neighborhood, in 1/32 cycles per pixel: half the way to the next multiple of 1/4."""

_MIN_POWER = (0.5 / 255) ** 2
"""Power per pixel that is below visibility."""


def spectral_peak_loss(images: Tensor, target: Tensor) -> Tensor:
    """How much more frequencies exceed their neighbors in the images than in the target, in nepers.

    Upsampling repeats the detail that it adds for every input pixel, so that power concentrates at the multiples of
    one frequency (Durall et al. 2020, "Watch your up-convolution"). The level that neighbors have in common is left
    to other losses.

    Args:
        images, target: ``(N, C, H, W)`` in [0, 1], sides of at least 32.

    Returns:
        A scalar: mean absolute deviation of the log power ratio from its local mean, over frequencies.
    """
    output_power, target_power = _powers(images), _powers(target)
    # A tile full of detail would outweigh all others.
    weight = 1 / (target_power[:, 1:, 1:].mean((1, 2), keepdim=True) + _MIN_POWER)
    ratio = (
        (weight * (output_power + _MIN_POWER)).mean(0) / (weight * (target_power + _MIN_POWER)).mean(0)
    ).log()
    nearby = F.avg_pool2d(F.pad(ratio[None, None], [_RADIUS] * 4, "circular"), 2 * _RADIUS + 1, 1)[0, 0]
    return (ratio - nearby).abs().mean()


def _powers(images: Tensor) -> Tensor:
    """Power spectra of tiles of all channels, which overlap by half: ``(n, 32, 32)``, mean power per pixel."""
    window = torch.hann_window(_TILE, device=images.device)
    window = window[:, None] * window
    tiles = images.float().unfold(2, _TILE, _TILE // 2).unfold(3, _TILE, _TILE // 2)
    spectra = torch.fft.fft2(tiles.flatten(0, 3) * window / window.square().sum().sqrt())
    return spectra.abs().square()
