"""Light and shadow brought closer, as instance normalisation does inside a network, but on the picture.

Half of the local mean lightness is taken away and half of the contrast that is divided by is local
(within 68 pixels), so that what stands in shadow is drawn too, and yet a sky stays lighter than the
street. One number for all three channels, so that colours keep their relation.

Pictures come folded: ``(N, H, W, 3·k)``, cells of k pixels, colours last.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_LOCAL = 0.5
"""Share of lightness and contrast that is evened out locally rather than over the whole picture."""
UNKNOWN = -1e6
"""Below all light. (NaN would be clearer, but calibration for int8 takes means of it.)"""

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
    mean, power = _mean_and_power(local)
    gain = _gain(power, power.mean((1, 2), keepdim=True), white)
    return (centred - _LOCAL * mean[..., None]) * gain[..., None]


class Light(NamedTuple):
    """The light of a picture, in its cells.

    Attributes:
        colour: its mean, ``(N, 1, 1, 3)``.
        shade: the lightness to take away, ``(N, H, W, 1)``.
        gain: to multiply what is left with, ``(N, H, W, 1)``.
        whole: what of it depends on the whole picture, ``(N, 4)``: the colour, and the mean power of what is
            left when half of the local mean is taken away.
    """

    colour: Tensor
    shade: Tensor
    gain: Tensor
    whole: Tensor


def light(cells: Tensor, white: float, known: Tensor | None = None) -> Light:
    """What :func:`even_lightness` evens out, at a tenth of the cost, from pixels averaged 2×2.

    Args:
        cells: ``(N, H, W, 12)``, of 4×4 pixels, H and W even.
        white: as above.
        known: ``whole`` of the picture that the cells are a part of, ``(1, 4)``; :data:`UNKNOWN` for what is
            to be found out.
    """
    colour = _colour(cells)
    if known is not None:
        given = known[:, None, None, :3]
        colour = torch.where(given > UNKNOWN / 2, given, colour)
    pairs = F.avg_pool2d(_moments(cells - _tile(colour, cells)), 2)
    side, pad = _WINDOW // 2 + 1, _WINDOW // 4
    rows = F.avg_pool2d(pairs, (side, 1), 1, (pad, 0), count_include_pad=False)
    local = F.avg_pool2d(rows, (1, side), 1, (0, pad), count_include_pad=False)
    mean, power = _mean_and_power(local)
    overall = power.mean((1, 2), keepdim=True)
    if known is not None:
        given = known[:, 3:, None]
        overall = torch.where(given > UNKNOWN / 2, given, overall)
    both = torch.stack([_LOCAL * mean, _gain(power, overall, white)], 1)
    shade, gain = F.interpolate(both, scale_factor=2.0, mode="bilinear").unbind(1)
    whole = torch.cat([colour.flatten(1), overall.flatten(1)], 1)
    return Light(colour, shade[..., None], gain[..., None], whole)


def _colour(folded: Tensor) -> Tensor:
    return folded.mean(dim=(1, 2), keepdim=True).unflatten(3, (-1, 3)).mean(3)


def _tile(colour: Tensor, folded: Tensor) -> Tensor:
    return colour.repeat(1, 1, 1, folded.shape[3] // 3)


def _moments(centred: Tensor) -> Tensor:
    """Mean and mean square of every cell, ``(N, 2, H, W)``."""
    return torch.stack([centred.mean(3), centred.square().mean(3)], 1)


def _mean_and_power(local: Tensor) -> tuple[Tensor, Tensor]:
    mean, power = local.unbind(1)
    # Power of what is left when a share s of the mean m is taken away: E(x - s·m)² = E x² - (2s - s²)·m².
    return mean, power - (2 * _LOCAL - _LOCAL**2) * mean.square()


def _gain(power: Tensor, overall: Tensor, white: float) -> Tensor:
    return torch.rsqrt(torch.lerp(overall, power, _LOCAL) + (0.1 * white) ** 2)
