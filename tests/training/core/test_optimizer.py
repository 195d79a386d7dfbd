"""The optimizers between them train every parameter, kernels by orthogonal steps."""

import pytest
import torch

from training.core.optimizer import Muon, muon_and_adam


def test_every_parameter_is_held_once() -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 4, 1, bias=False))
    held = [
        id(parameter)
        for optimizer in muon_and_adam(module, learning_rate=1e-3)
        for group in optimizer.param_groups
        for parameter in group["params"]
    ]
    assert sorted(held) == sorted(id(each) for each in module.parameters())


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (64, 2, 3, 3)])
def test_a_step_is_equally_long_in_all_directions(shape: tuple[int, ...]) -> None:
    kernel = torch.nn.Parameter(torch.zeros(shape))
    random = torch.Generator().manual_seed(1)
    gradient = torch.randn(shape, generator=random).flatten(1)
    common = torch.logspace(0, -1.5, min(gradient.shape))
    if gradient.shape[0] < gradient.shape[1]:
        common = common[:, None]
    kernel.grad = (common * gradient).view(shape)
    Muon([kernel], 1e-2).step()
    lengths = torch.linalg.svdvals(kernel.detach().flatten(1))
    steepest = torch.linalg.svdvals(kernel.grad.flatten(1))
    assert steepest[0] > 15 * steepest[-1]
    assert lengths[0] < 3 * lengths[-1]
    assert float((kernel.detach() * kernel.grad).sum()) < 0
    assert float(kernel.detach().square().mean().sqrt()) == pytest.approx(0.2 * 1e-2, rel=0.35)


def test_a_convolution_is_learned() -> None:
    random = torch.Generator().manual_seed(2)
    expected, found = (torch.nn.Conv2d(3, 5, 3, padding=1) for _ in range(2))
    optimizers = muon_and_adam(found, learning_rate=1e-2)
    losses = []
    for _ in range(200):
        images = torch.randn(4, 3, 12, 12, generator=random)
        loss = (found(images) - expected(images).detach()).square().mean()
        found.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.05 * losses[0]
