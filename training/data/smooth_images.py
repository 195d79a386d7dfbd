"""Synthetic images without detail, like sky, walls or fog, in which checkerboard artifacts can be measured."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

HEIGHT, WIDTH = 160, 304
_SEAM = 24
_RADIUS = 12


def smooth_images(count: int, random: torch.Generator) -> Tensor:
    """Two colors side by side with smooth noise: ``(count, 3, HEIGHT, WIDTH)`` RGB in [0, 1].

    There are two, because contrast normalization makes a single color gray. The left one is dark and the right
    one bright, since artifacts are strongest where shadow meets light. The noise is blurred by 1 to 4 pixels and
    has a standard deviation of 1 to 16 gray levels, both log-uniform. The images are on the device of ``random``.
    """

    def drawn(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, device=random.device)

    dark, bright = drawn(count, 3, 1, 2).split(1, 3)
    nearness = 0.2 + 0.8 * drawn(count, 1, 1, 1)
    pair = torch.cat([dark * nearness, 1 - (1 - bright) * nearness], 3)
    colors = pair.repeat_interleave(WIDTH // 2, 3)
    sigma = torch.exp(drawn(1) * math.log(4))
    deviation = torch.exp(drawn(count, 1, 1, 1) * math.log(16)) / 255
    size = count, 3, HEIGHT + 2 * _RADIUS, WIDTH + 2 * _RADIUS
    noise = torch.randn(size, generator=random, device=random.device)
    offsets = torch.arange(-_RADIUS, _RADIUS + 1, device=random.device)
    kernel = torch.exp(-offsets.square() / (2 * sigma**2)).expand(3, 1, 1, -1)
    noise = F.conv2d(F.conv2d(noise, kernel, groups=3), kernel.mT, groups=3)
    return (colors + deviation * noise / noise.std()).clamp(0, 1)


def halves(images: Tensor) -> Tensor:
    """The areas of the two colors, without borders: ``(N, C, HEIGHT, WIDTH)`` → ``(2·N, C, 144, 120)``."""
    side = WIDTH // 2 - _SEAM
    rows = slice(8, HEIGHT - 8)
    return torch.cat([images[:, :, rows, 8:side], images[:, :, rows, WIDTH - side : WIDTH - 8]])
