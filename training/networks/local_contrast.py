"""Local contrast normalization of images: what instance normalization does in a network, done on the input.

Half of the local mean luminance is subtracted, and half of the contrast that is divided by is local (within 68
pixels). So detail in shadow is rendered too, while a sky stays lighter than the street. The statistics are the
same for all three channels, which keeps the relation of colors.

Images come as space-to-depth blocks, ``(N, H, W, 3·k)``: k pixels per block, colors last.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_LOCAL = 0.5
"""Share of mean and contrast that is normalized locally instead of over the whole image."""
UNKNOWN_STAT = -1e6
"""A statistic that is to be computed; below all images' values. (NaN is no choice: int8 calibration averages it.)"""

_WINDOW = 17
"""Side of the local window, in blocks of 4×4 pixels."""


def local_contrast_normalize(blocks: Tensor, white: float) -> Tensor:
    """``(N, H, W, 48)``, blocks of 4×4 pixels → the same with mean about 0 and contrast about 1.

    Args:
        white: the value of a white pixel. A tenth of it is the least contrast, so that the noise of a flat or
            nearly black image is not amplified.
    """
    centered = blocks - _tile(_color(blocks), blocks)
    rows = F.avg_pool2d(_moments(centered), (_WINDOW, 1), 1, (_WINDOW // 2, 0), count_include_pad=False)
    local = F.avg_pool2d(rows, (1, _WINDOW), 1, (0, _WINDOW // 2), count_include_pad=False)
    mean, power = _mean_and_power(local)
    gain = _gain(power, power.mean((1, 2), keepdim=True), white)
    return (centered - _LOCAL * mean[..., None]) * gain[..., None]


class ImageStats(NamedTuple):
    """Statistics of an image, by block.

    Attributes:
        color: mean color, ``(N, 1, 1, 3)``.
        local_mean: the luminance to subtract, ``(N, H, W, 1)``.
        gain: the factor after that, ``(N, H, W, 1)``.
        of_image: the statistics that depend on the whole image, ``(N, 4)``: the mean color, and the mean power
            that is left when half of the local mean is subtracted.
    """

    color: Tensor
    local_mean: Tensor
    gain: Tensor
    of_image: Tensor


def image_stats(blocks: Tensor, white: float, given_stats: Tensor | None = None) -> ImageStats:
    """The statistics of :func:`local_contrast_normalize` at a tenth of the cost, from 2×2 averages of pixels.

    Args:
        blocks: ``(N, H, W, 12)``, of 4×4 pixels, H and W even.
        white: as above.
        given_stats: ``of_image`` of the image that the blocks are a tile of, ``(1, 4)``; :data:`UNKNOWN_STAT` for
            those to be computed.
    """
    color = _color(blocks)
    if given_stats is not None:
        stats = given_stats[:, None, None, :3]
        color = torch.where(stats > UNKNOWN_STAT / 2, stats, color)
    pairs = F.avg_pool2d(_moments(blocks - _tile(color, blocks)), 2)
    side, pad = _WINDOW // 2 + 1, _WINDOW // 4
    rows = F.avg_pool2d(pairs, (side, 1), 1, (pad, 0), count_include_pad=False)
    local = F.avg_pool2d(rows, (1, side), 1, (0, pad), count_include_pad=False)
    mean, power = _mean_and_power(local)
    overall = power.mean((1, 2), keepdim=True)
    if given_stats is not None:
        stats = given_stats[:, 3:, None]
        overall = torch.where(stats > UNKNOWN_STAT / 2, stats, overall)
    both = torch.stack([_LOCAL * mean, _gain(power, overall, white)], 1)
    local_mean, gain = F.interpolate(both, scale_factor=2.0, mode="bilinear").unbind(1)
    of_image = torch.cat([color.flatten(1), overall.flatten(1)], 1)
    return ImageStats(color, local_mean[..., None], gain[..., None], of_image)


def _color(blocks: Tensor) -> Tensor:
    return blocks.mean(dim=(1, 2), keepdim=True).unflatten(3, (-1, 3)).mean(3)


def _tile(color: Tensor, blocks: Tensor) -> Tensor:
    return color.repeat(1, 1, 1, blocks.shape[3] // 3)


def _moments(centered: Tensor) -> Tensor:
    """Mean and mean square of every block, ``(N, 2, H, W)``."""
    return torch.stack([centered.mean(3), centered.square().mean(3)], 1)


def _mean_and_power(local: Tensor) -> tuple[Tensor, Tensor]:
    mean, power = local.unbind(1)
    # Power that is left when a share s of the mean m is subtracted: E(x - s·m)² = E x² - (2s - s²)·m².
    return mean, power - (2 * _LOCAL - _LOCAL**2) * mean.square()


def _gain(power: Tensor, overall: Tensor, white: float) -> Tensor:
    return torch.rsqrt(torch.lerp(overall, power, _LOCAL) + (0.1 * white) ** 2)
