"""The cost of a network: multiply-accumulate operations (MAC) and memory, measured with hooks."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def multiplications(network: nn.Module, side: int = 64) -> float:
    """MAC of the convolutions of ``network`` per pixel of its input, a square RGB image. Fold it first."""
    counts: list[int] = []

    def count(layer: nn.Module, _: Any, output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        counts.append(output.shape[2] * output.shape[3] * layer.weight.numel())

    _run_hooked(network, [each for each in network.modules() if isinstance(each, nn.Conv2d)], count, side)
    return sum(counts) / side**2


def largest_activations(network: nn.Module, side: int = 64) -> float:
    """The largest sum of a layer's input and output values, per pixel of the input, a square RGB image."""
    sizes: list[int] = []

    def measure(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        sizes.append(output.numel() + sum(each.numel() for each in inputs))

    _run_hooked(network, [each for each in network.modules() if not list(each.children())], measure, side)
    return max(sizes) / side**2


@torch.no_grad()
def _run_hooked(network: nn.Module, layers: list[nn.Module], hook: Callable[..., None], side: int) -> None:
    """Runs the network on a black image with a forward hook on each of the layers."""
    handles = [each.register_forward_hook(hook) for each in layers]
    network(torch.zeros(1, 3, side, side))
    for handle in handles:
        handle.remove()
