"""How generators are trained: kernels by orthogonalised momentum (Muon), the rest by Adam."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_MOMENTUM = 0.95
_AS_ADAM = 0.2
"""Root mean square of Adam's updates, in learning rates; Muon's are scaled to it, to share one rate."""
_POLYNOMIAL = 3.4445, -4.7750, 2.0315
"""Of Jordan's Newton-Schulz iteration: singular values end between 0.7 and 1.2 after five steps."""


def optimizers_of(module: nn.Module, *, learning_rate: float) -> list[torch.optim.Optimizer]:
    """Optimizers that between them hold every parameter of ``module`` once."""
    parameters = list(module.parameters())
    kernels = [each for each in parameters if each.ndim == 4]
    others = [each for each in parameters if each.ndim != 4]
    return [Muon(kernels, learning_rate), torch.optim.Adam(others, lr=learning_rate)]


class Muon(torch.optim.Optimizer):
    """Momentum whose singular values are made equal: rare directions are learned as well as common ones.

    Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks", with the scaling of
    Liu et al. 2025, "Muon is Scalable for LLM Training". A kernel ``(outputs, inputs, k, k)`` is
    taken as a matrix ``(outputs, inputs · k · k)``. (torch.optim.Muon refuses kernels.)
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
            ahead = torch._foreach_lerp(gradients, momenta, _MOMENTUM)
            alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
            for kernel, direction in zip(kernels, ahead, strict=True):
                matrix = direction.flatten(1)
                alike.setdefault(matrix.shape, []).append((kernel, matrix))
            for shape, pairs in alike.items():
                scale = _AS_ADAM * max(shape) ** 0.5
                directions = _orthogonal(torch.stack([matrix for _, matrix in pairs]))
                for (kernel, _), direction in zip(pairs, directions, strict=True):
                    kernel.sub_(direction.view_as(kernel), alpha=group["lr"] * scale)


def _orthogonal(matrices: Tensor) -> Tensor:
    """Nearly the orthogonal matrices nearest to ``matrices``, ``(N, rows, columns)``, all at once."""
    a, b, c = _POLYNOMIAL
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.mT
