"""Pictures without detail: what sky and wall, or fog, are to a camera."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

HEIGHT, WIDTH = 160, 304
_SEAM = 24
_REACH = 12


def soft_fields(count: int, random: torch.Generator) -> Tensor:
    """Two colours side by side, soft noise on both: ``(count, 3, HEIGHT, WIDTH)`` RGB in [0, 1].

    Two, because a generator that looks at contrast sees a single colour as grey; the left one is drawn
    towards the dark and the right one towards the bright, since grids like shadow beside light best. The
    noise is blurred by 1 to 4 pixels and has a deviation of 1 to 16 grey levels, both drawn evenly on a
    logarithmic scale. They are on the device of ``random``.
    """

    def drawn(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, device=random.device)

    dark, bright = drawn(count, 3, 1, 2).split(1, 3)
    nearness = 0.2 + 0.8 * drawn(count, 1, 1, 1)
    pair = torch.cat([dark * nearness, 1 - (1 - bright) * nearness], 3)
    colours = pair.repeat_interleave(WIDTH // 2, 3)
    sigma = torch.exp(drawn(1) * math.log(4))
    deviation = torch.exp(drawn(count, 1, 1, 1) * math.log(16)) / 255
    size = count, 3, HEIGHT + 2 * _REACH, WIDTH + 2 * _REACH
    noise = torch.randn(size, generator=random, device=random.device)
    offsets = torch.arange(-_REACH, _REACH + 1, device=random.device)
    kernel = torch.exp(-offsets.square() / (2 * sigma**2)).expand(3, 1, 1, -1)
    noise = F.conv2d(F.conv2d(noise, kernel, groups=3), kernel.mT, groups=3)
    return (colours + deviation * noise / noise.std()).clamp(0, 1)


def halves(fields: Tensor) -> Tensor:
    """The two colours without border and seam: ``(N, C, HEIGHT, WIDTH)`` → ``(2·N, C, 144, 120)``."""
    side = WIDTH // 2 - _SEAM
    rows = slice(8, HEIGHT - 8)
    return torch.cat([fields[:, :, rows, 8:side], fields[:, :, rows, WIDTH - side : WIDTH - 8]])
