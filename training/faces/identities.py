"""Identities of nobody: embeddings drawn from the distribution of many people's."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_KEPT = 0.98
"""Share of the variance; what is beyond is noise of single images."""
_FARTHEST = 2.5


class Identities(nn.Module):
    """A normal distribution in the space of embeddings, which holds no person.

    An identity is ``(2, 128)``: a unit vector for each of two recognizers, drawn together, so that
    they agree.

    Args:
        mean: ``(256,)``.
        basis: ``(256, k)``, the principal axes, each as long as its standard deviation.
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, mean: Tensor, basis: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("basis", basis)

    @classmethod
    def of(cls, embeddings: Tensor) -> "Identities":
        """The distribution of the embeddings of many people, ``(N, 2, 128)``."""
        flat = embeddings.flatten(1).double()
        mean = flat.mean(0)
        variances, axes = torch.linalg.eigh(torch.cov((flat - mean).T))
        variances, axes = variances.flip(0).clamp(min=0), axes.flip(1)
        count = int((variances.cumsum(0) < _KEPT * variances.sum()).sum()) + 1
        # The sign of an axis is anybody's choice; it shall be the same on every machine.
        signs = torch.sign(axes[axes.abs().argmax(0), torch.arange(axes.shape[1])])
        return cls(mean.float(), (axes * signs * variances.sqrt())[:, :count].float())

    @classmethod
    def load(cls, state: Mapping[str, Tensor]) -> "Identities":
        """The distribution in a checkpoint."""
        return cls(state["mean"], state["basis"])

    @property
    def count(self) -> int:
        """Numbers of a code."""
        return self.basis.shape[1]

    def at(self, codes: Tensor) -> Tensor:
        """Identities of codes ``(N, k)``, standard normal → ``(N, 2, 128)``."""
        flat = self.mean + codes.clamp(-_FARTHEST, _FARTHEST) @ self.basis.T
        return F.normalize(flat.unflatten(1, (2, -1)), dim=2)

    def codes_of(self, identities: Tensor) -> Tensor:
        """The nearest codes of ``(N, 2, 128)``."""
        return (identities.flatten(1) - self.mean) @ self.basis / self.basis.square().sum(0)

    def drawn(self, count: int, random: torch.Generator) -> Tensor:
        """Codes ``(count, k)``."""
        return torch.randn(count, self.count, generator=random)
