"""Exponential moving average (EMA) of a generator's weights, which is what adversarial training exports.

A generator that is trained against a discriminator circles round the optimum; the average of its weights comes
closer (Yazıcı et al. 2019, "The unusual effectiveness of averaging in GAN training").
"""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

_N = TypeVar("_N", bound=nn.Module)


def make_ema(module: _N) -> _N:
    """Returns a copy of ``module`` in evaluation mode and without gradients, to hold the average."""
    return copy.deepcopy(module).eval().requires_grad_(False)


@torch.no_grad()
def ema_update(ema_model: nn.Module, module: nn.Module, decay: float) -> None:
    """Moves the parameters of ``ema_model`` towards those of ``module`` by ``1 - decay``; copies the buffers."""
    averages: list[Tensor] = [*ema_model.parameters()]
    torch._foreach_lerp_(averages, [*module.parameters()], 1 - decay)
    for average, buffer in zip(ema_model.buffers(), module.buffers(), strict=True):
        average.copy_(buffer)
