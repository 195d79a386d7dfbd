"""The other player of adversarial training: a discriminator, with what trains it."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.precision import Precision

Shown = Tensor | Sequence[Tensor]
"""Pictures, or what some network saw in them, as a discriminator takes it."""


class Judge:
    """A discriminator in training.

    Conditional where what it is shown is the condition and the picture, one behind the other.

    Args:
        network: maps what it is shown to scores, see :mod:`training.networks.discriminator`.
        game: the form of the game, one of :data:`training.losses.adversarial.ADVERSARIAL_LOSSES`.
        optimizers: makes what changes the network's weights.
        precision: of the arithmetic, one of :data:`training.precision.PRECISIONS`.
        device: where.
    """

    def __init__(
        self,
        network: nn.Module,
        game: str,
        optimizers: Callable[[nn.Module], list[torch.optim.Optimizer]],
        precision: str,
        device: torch.device,
    ) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.optimizers = optimizers(self.network)
        self.game = ADVERSARIAL_LOSSES[game]
        self.precision = Precision(precision, device)

    def fooled(self, fake: Shown) -> Tensor:
        """What a generator minimises; its gradient stays out of the discriminator."""
        self.network.requires_grad_(False)
        return self.game.generator_loss(self.network(fake))

    def step(self, fake: Shown, real: Shown, rate: float) -> Tensor:
        """Learns from one batch each, at that learning rate; returns the loss."""
        self.network.train().requires_grad_(True)
        with self.precision.autocast():
            loss = self.game.discriminator_loss(self.network(real), self.network(fake))
        step_at(rate, self.precision, loss, self.network, self.optimizers)
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizers": [each.state_dict() for each in self.optimizers],
            "precision": self.precision.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.precision.load_state_dict(state["precision"])


def step_at(
    rate: float,
    precision: Precision,
    loss: Tensor,
    network: nn.Module,
    optimizers: list[torch.optim.Optimizer],
) -> None:
    """One step of ``network`` against ``loss`` at that learning rate."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
    network.zero_grad()
    precision.step(loss, optimizers, network)
