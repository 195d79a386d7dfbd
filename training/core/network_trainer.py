"""A network in training, with the mean of its weights, which is what is exported."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from training.core.discriminator_trainer import step_at
from training.core.ema import average_of, follow
from training.core.precision import Precision

_N = TypeVar("_N", bound=nn.Module)


class Learner(Generic[_N]):
    """A network, its mean, and what changes it.

    Args:
        network: with fresh weights, or others to start from.
        optimizers: makes what changes them; rates are given at each step.
        precision: of the arithmetic, one of :data:`training.core.precision.PRECISIONS`.
        device: where.
        decay: of the mean, once there were many steps.

    Attributes:
        network, average: on the device, ``channels_last``.
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
        self.average = average_of(self.network)
        self.precision = Precision(precision, device)
        self._optimizers = optimizers(self.network)
        self._decay = decay

    def step(self, losses: Mapping[str, Tensor], rate: float, index: int) -> None:
        """Learns from the sum of the losses at that learning rate; ``index`` counts from 0."""
        step_at(
            rate, self.precision, torch.stack(list(losses.values())).sum(), self.network, self._optimizers
        )
        follow(self.average, self.network, min(self._decay, (index + 1) / (index + 10)))

    @torch.no_grad()
    def settle(self, *inputs: Tensor) -> None:
        """Batch normalisation is to know what averaged weights make, not what those of a moment made."""
        self.average.train()
        with self.precision.autocast():
            self.average(*inputs)
        self.average.eval()

    def state_dict(self) -> dict[str, Any]:
        return {
            "generator": self.average.state_dict(),
            "trained": self.network.state_dict(),
            "optimizers": [each.state_dict() for each in self._optimizers],
            "precision": self.precision.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Of all that a run keeps, what is the learner's."""
        self.average.load_state_dict(state["generator"])
        self.network.load_state_dict(state["trained"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.precision.load_state_dict(state["precision"])


def as_numbers(losses: Mapping[str, Tensor]) -> dict[str, float]:
    """Scalars by name, fetched all at once: whoever asks a GPU for each of them waits as often."""
    values = torch.stack([loss.detach().float() for loss in losses.values()]).tolist()
    return dict(zip(losses, values, strict=True))
