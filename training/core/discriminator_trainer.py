"""The discriminator's half of adversarial training."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from training.core.optimizer import load_optimizers, optimizer_step
from training.core.precision import Precision
from training.losses.adversarial import ADVERSARIAL_LOSSES

DiscriminatorInput = Tensor | Sequence[Tensor]
"""Images, or features of them, as the discriminator takes them."""


class DiscriminatorTrainer:
    """Trains a discriminator and gives its generator a loss.

    A conditional discriminator takes the condition and the image, concatenated along the channels.

    Args:
        network: maps images ``(N, C, H, W)`` to scores, see :mod:`training.networks.discriminator`.
        gan_mode: the adversarial loss, one of :data:`training.losses.adversarial.ADVERSARIAL_LOSSES`.
        optimizers: builds the optimizers of the network.
        precision: of the arithmetic, one of :data:`training.core.precision.PRECISIONS`.
        device: where to train.
    """

    def __init__(
        self,
        network: nn.Module,
        gan_mode: str,
        optimizers: Callable[[nn.Module], list[torch.optim.Optimizer]],
        precision: str,
        device: torch.device,
    ) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.optimizers = optimizers(self.network)
        self.loss = ADVERSARIAL_LOSSES[gan_mode]
        self.precision = Precision(precision, device)

    def generator_loss(self, fake: DiscriminatorInput) -> Tensor:
        """The generator's adversarial loss; the discriminator's weights get no gradient."""
        self.network.requires_grad_(False)
        return self.loss.generator_loss(self.network(fake))

    def step(self, fake: DiscriminatorInput, real: DiscriminatorInput, learning_rate: float) -> Tensor:
        """Trains on one batch of generated and one of real images; returns the loss."""
        self.network.train().requires_grad_(True)
        with self.precision.autocast():
            loss = self.loss.discriminator_loss(self.network(real), self.network(fake))
        optimizer_step(loss, self.network, self.optimizers, self.precision, learning_rate)
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizers": [each.state_dict() for each in self.optimizers],
            "precision": self.precision.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        load_optimizers(self.optimizers, state["optimizers"])
        self.precision.load_state_dict(state["precision"])
