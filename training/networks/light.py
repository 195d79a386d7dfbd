"""Light and shadow brought closer, as instance normalisation does inside a network, but on the picture.

Half of the local mean lightness is taken away and half of the contrast that is divided by is local
(within 68 pixels), so that what stands in shadow is drawn too, and yet a sky stays lighter than the
street. One number for all three channels, so that colours keep their relation.

Pictures come folded: ``(N, H, W, 3·k)``, cells of k pixels, colours last.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_LOCAL = 0.5
"""Share of lightness and contrast that is evened out locally rather than over the whole picture."""
_WINDOW = 17
"""Side of what is local, in cells of 4×4 pixels."""


def even_lightness(folded: Tensor, white: float) -> Tensor:
    """``(N, H, W, 48)``, 4×4 pixels a cell → the same, mean about 0, contrast about 1.

    Args:
        white: the value of a white pixel. The contrast is floored at a tenth of it, lest a flat or
            nearly black picture be blown up into noise.
    """
    centred = folded - _tile(_colour(folded), folded)
    rows = F.avg_pool2d(_moments(centred), (_WINDOW, 1), 1, (_WINDOW // 2, 0), count_include_pad=False)
    local = F.avg_pool2d(rows, (1, _WINDOW), 1, (0, _WINDOW // 2), count_include_pad=False)
    mean, gain = _mean_and_gain(local, white)
    return (centred - _LOCAL * mean[..., None]) * gain[..., None]


def light(cells: Tensor, white: float) -> tuple[Tensor, Tensor, Tensor]:
    """The light that :func:`even_lightness` evens out, at a tenth of the cost, from pixels averaged 2×2.

    Args:
        cells: ``(N, H, W, 12)``, of 4×4 pixels, H and W even.
        white: as above.

    Returns:
        The mean colour ``(N, 1, 1, 3)``, and of every cell the lightness to take away and the gain to
        multiply what is left with, both ``(N, H, W, 1)``.
    """
    colour = _colour(cells)
    pairs = F.avg_pool2d(_moments(cells - _tile(colour, cells)), 2)
    side, pad = _WINDOW // 2 + 1, _WINDOW // 4
    rows = F.avg_pool2d(pairs, (side, 1), 1, (pad, 0), count_include_pad=False)
    local = F.avg_pool2d(rows, (1, side), 1, (0, pad), count_include_pad=False)
    mean, gain = _mean_and_gain(local, white)
    both = torch.stack([_LOCAL * mean, gain], 1)
    shade, gain = F.interpolate(both, scale_factor=2.0, mode="bilinear").unbind(1)
    return colour, shade[..., None], gain[..., None]


def _colour(folded: Tensor) -> Tensor:
    return folded.mean(dim=(1, 2), keepdim=True).unflatten(3, (-1, 3)).mean(3)


def _tile(colour: Tensor, folded: Tensor) -> Tensor:
    return colour.repeat(1, 1, 1, folded.shape[3] // 3)


def _moments(centred: Tensor) -> Tensor:
    """Mean and mean square of every cell, ``(N, 2, H, W)``."""
    return torch.stack([centred.mean(3), centred.square().mean(3)], 1)


def _mean_and_gain(local: Tensor, white: float) -> tuple[Tensor, Tensor]:
    mean, power = local.unbind(1)
    # Power of what is left when a share s of the mean m is taken away: E(x - s·m)² = E x² - (2s - s²)·m².
    power = power - (2 * _LOCAL - _LOCAL**2) * mean.square()
    power = torch.lerp(power.mean((1, 2), keepdim=True), power, _LOCAL)
    return mean, torch.rsqrt(power + (0.1 * white) ** 2)
