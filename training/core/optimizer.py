"""Optimizers of the recipes: Muon for convolution kernels, Adam for the rest; and learning rate schedules."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from training.core.precision import Precision

_MOMENTUM = 0.95
_ADAM_RMS = 0.2
"""Root mean square of Adam's updates, in learning rates. Muon's updates are scaled to it, to share one rate."""
_POLYNOMIAL = 3.4445, -4.7750, 2.0315
"""Coefficients of Jordan's Newton-Schulz iteration; singular values end between 0.7 and 1.2 in five steps."""


def muon_and_adam(module: nn.Module, *, learning_rate: float = 0.0) -> list[torch.optim.Optimizer]:
    """:class:`Muon` for the kernels of ``module`` and Adam for its other parameters."""
    parameters = list(module.parameters())
    kernels = [each for each in parameters if each.ndim == 4]
    others = [each for each in parameters if each.ndim != 4]
    return [Muon(kernels, learning_rate), torch.optim.Adam(others, lr=learning_rate)]


def adam(module: nn.Module) -> list[torch.optim.Optimizer]:
    """Adam with PyTorch's defaults; the learning rate is set at each step."""
    return [torch.optim.Adam(module.parameters())]


def gan_adam_099(module: nn.Module) -> list[torch.optim.Optimizer]:
    """Adam with little momentum and a short memory; the learning rate is set at each step."""
    return [torch.optim.Adam(module.parameters(), betas=(0.5, 0.99))]


def gan_adam(module: nn.Module) -> list[torch.optim.Optimizer]:
    """Adam with the momentum of pix2pix and CycleGAN, β₁ = 0.5; the learning rate is set at each step."""
    return [torch.optim.Adam(module.parameters(), betas=(0.5, 0.999))]


def adamw(module: nn.Module) -> list[torch.optim.Optimizer]:
    """AdamW with PyTorch's defaults; the learning rate is set at each step."""
    return [torch.optim.AdamW(module.parameters())]


def optimizer_step(
    loss: Tensor,
    module: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    precision: Precision,
    learning_rate: float,
) -> None:
    """One step of ``module`` against ``loss`` at that learning rate."""
    set_learning_rate(optimizers, learning_rate)
    module.zero_grad()
    precision.step(loss, optimizers, module)


def set_learning_rate(optimizers: Sequence[torch.optim.Optimizer], learning_rate: float) -> None:
    """Sets the learning rate of all parameter groups, times ``lr_ratio`` where a group has one."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * group.get("lr_ratio", 1.0)


def load_optimizers(optimizers: Sequence[torch.optim.Optimizer], states: Sequence[Any]) -> None:
    """Restores the optimizers from their state dicts."""
    for optimizer, state in zip(optimizers, states, strict=True):
        optimizer.load_state_dict(state)


def linear_decay(step: int, steps: int) -> float:
    """Factor of the learning rate: 1 for the first half, then linear decay to 0, as in CycleGAN."""
    return min(1.0, 2 * (steps - step) / steps)


def cosine_decay(step: int, steps: int, *, warmup: int, floor: float = 0.0) -> float:
    """Factor of the learning rate: linear warm-up, then cosine decay to ``floor``."""
    return min(1.0, (step + 1) / warmup) * max(floor, 0.5 + 0.5 * math.cos(math.pi * step / steps))


class Muon(torch.optim.Optimizer):
    """Momentum SGD with orthogonalized updates for convolution kernels.

    Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks", with the scaling of
    Liu et al. 2025, "Muon is Scalable for LLM Training". A kernel ``(outputs, inputs, k, k)`` counts as a
    matrix ``(outputs, inputs · k · k)``. (torch.optim.Muon accepts matrices only.)
    """

    def __init__(self, kernels: Sequence[Tensor], learning_rate: float) -> None:
        super().__init__(kernels, {"lr": learning_rate})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            kernels = [each for each in group["params"] if each.grad is not None]
            gradients = [each.grad for each in kernels]
            momenta = [self.state[each].setdefault("momentum", torch.zeros_like(each)) for each in kernels]
            torch._foreach_lerp_(momenta, gradients, 1 - _MOMENTUM)
            nesterov = torch._foreach_lerp(gradients, momenta, _MOMENTUM)
            by_shape: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
            for kernel, direction in zip(kernels, nesterov, strict=True):
                matrix = direction.flatten(1)
                by_shape.setdefault(matrix.shape, []).append((kernel, matrix))
            for shape, pairs in by_shape.items():
                scale = _ADAM_RMS * max(shape) ** 0.5
                directions = _orthogonalize(torch.stack([matrix for _, matrix in pairs]))
                for (kernel, _), direction in zip(pairs, directions, strict=True):
                    kernel.sub_(direction.view_as(kernel), alpha=group["lr"] * scale)


def _orthogonalize(matrices: Tensor) -> Tensor:
    """Approximates the nearest orthogonal matrices, ``(N, rows, columns)``, by Newton-Schulz iteration."""
    a, b, c = _POLYNOMIAL
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.mT
