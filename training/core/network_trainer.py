"""A network in training together with its EMA, which is what is exported."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from training.core.ema import ema_update, make_ema
from training.core.optimizer import load_optimizers, optimizer_step
from training.core.precision import Precision

RECALIBRATION_STEPS = 64
"""Number of last steps in which the EMA recalibrates its batch normalization."""

_N = TypeVar("_N", bound=nn.Module)


class NetworkTrainer(Generic[_N]):
    """A network, its EMA and its optimizers.

    Args:
        network: with fresh or pretrained weights.
        optimizers: builds the optimizers; the learning rate is given at each step.
        precision: of the arithmetic, one of :data:`training.core.precision.PRECISIONS`.
        device: where to train.
        decay: of the EMA. It is lower in the first steps.

    Attributes:
        network, ema_model: on the device, ``channels_last``.
        precision: see :class:`Precision`.
    """

    def __init__(
        self,
        network: _N,
        optimizers: Callable[[nn.Module], list[torch.optim.Optimizer]],
        precision: str,
        device: torch.device,
        *,
        decay: float = 0.999,
    ) -> None:
        self.network: _N = network.to(device).to(memory_format=torch.channels_last)
        self.ema_model = make_ema(self.network)
        self.precision = Precision(precision, device)
        self._optimizers = optimizers(self.network)
        self._decay = decay

    def step(self, losses: Mapping[str, Tensor], learning_rate: float, index: int) -> None:
        """Takes one step against the sum of ``losses`` and updates the EMA; ``index`` counts from 0."""
        total = torch.stack(list(losses.values())).sum()
        optimizer_step(total, self.network, self._optimizers, self.precision, learning_rate)
        ema_update(self.ema_model, self.network, min(self._decay, (index + 1) / (index + 10)))

    @torch.no_grad()
    def recalibrate_batchnorm(self, *inputs: Tensor) -> None:
        """Updates the EMA's batch statistics with a forward pass: those of the trained network do not fit it."""
        self.ema_model.train()
        with self.precision.autocast():
            self.ema_model(*inputs)
        self.ema_model.eval()

    def state_dict(self) -> dict[str, Any]:
        return {
            "generator": self.ema_model.state_dict(),
            "trained": self.network.state_dict(),
            "optimizers": [each.state_dict() for each in self._optimizers],
            "precision": self.precision.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores from a checkpoint; entries of the recipe's own are ignored."""
        self.ema_model.load_state_dict(state["generator"])
        self.network.load_state_dict(state["trained"])
        load_optimizers(self._optimizers, state["optimizers"])
        self.precision.load_state_dict(state["precision"])


def to_floats(losses: Mapping[str, Tensor]) -> dict[str, float]:
    """Scalars by name, copied from the device in one transfer: each transfer waits for the GPU."""
    values = torch.stack([loss.detach().float() for loss in losses.values()]).tolist()
    return dict(zip(losses, values, strict=True))
