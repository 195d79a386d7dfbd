"""What a network costs: multiplications with weights, counted where they happen, and memory."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def multiplications(network: nn.Module, side: int = 64) -> float:
    """Multiply-accumulates of ``network``'s convolutions per pixel of its input, a square RGB picture.

    For the network as it is: whatever can be folded should have been.
    """
    counts: list[int] = []

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        positions = output.shape[2] * output.shape[3]
        counts.append(positions * layer.weight.numel())

    hooks = [each.register_forward_hook(count) for each in network.modules() if isinstance(each, nn.Conv2d)]
    network(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return sum(counts) / side**2


@torch.no_grad()
def largest_activations(network: nn.Module, side: int = 64) -> float:
    """Most values that a layer takes and gives at a time, per pixel of its input, a square RGB picture."""
    sizes: list[int] = []

    def measure(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        sizes.append(output.numel() + sum(each.numel() for each in inputs))

    layers = [each for each in network.modules() if not list(each.children())]
    hooks = [each.register_forward_hook(measure) for each in layers]
    network(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return max(sizes) / side**2
