"""The running mean of a generator's weights, which is what adversarial training is exported as.

A generator that plays against a discriminator goes round the best answer and never rests there; its mean does
(Yazıcı et al. 2019, "The unusual effectiveness of averaging in GAN training").
"""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

_N = TypeVar("_N", bound=nn.Module)


def average_of(module: _N) -> _N:
    """A copy to hold the mean, which is not trained."""
    return copy.deepcopy(module).eval().requires_grad_(False)


@torch.no_grad()
def follow(average: nn.Module, module: nn.Module, decay: float) -> None:
    """Moves ``average`` towards ``module`` by ``1 - decay``; its statistics become those of now."""
    mean: list[Tensor] = [*average.parameters()]
    torch._foreach_lerp_(mean, [*module.parameters()], 1 - decay)
    for statistic, now in zip(average.buffers(), module.buffers(), strict=True):
        statistic.copy_(now)
