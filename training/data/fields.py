"""Pictures without detail: what a sky, a wall or fog is to a camera."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_REACH = 12


def soft_noise(count: int, side: int, random: torch.Generator) -> Tensor:
    """One colour each, with soft noise on it: ``(count, 3, side, side)`` RGB in [0, 1].

    The noise is blurred by 1 to 4 pixels and has a deviation of 1 to 16 grey levels, both drawn
    evenly on a logarithmic scale.
    """

    def drawn(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random)

    sigma = math.exp(float(drawn(1)) * math.log(4))
    deviation = torch.exp(drawn(count, 1, 1, 1) * math.log(16)) / 255
    noise = torch.randn(count, 3, side + 2 * _REACH, side + 2 * _REACH, generator=random)
    offsets = torch.arange(-_REACH, _REACH + 1)
    kernel = torch.exp(-offsets.square() / (2 * sigma**2)).expand(3, 1, 1, -1)
    noise = F.conv2d(F.conv2d(noise, kernel, groups=3), kernel.mT, groups=3)
    return (drawn(count, 3, 1, 1) + deviation * noise / noise.std()).clamp(0, 1)
