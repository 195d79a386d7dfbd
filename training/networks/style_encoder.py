"""From a painting to its style vector: a frozen ImageNet trunk, statistics of its features, a small head."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.colors import COLORS, color_matrix
from training.networks.style_target import StyleTarget

_PROJECTED = 16
_LEAST = 1e-3
_LEAK = 0.1
_COMPONENTS = 64
"""Principal ones of the statistics. Thousands of numbers that say much the same are slow to learn from."""
_STRANGE, _FURTHEST = 4.0, 1.25 * _COMPONENTS**0.5
"""How far from the mean a statistic can be, and all components together: beyond, no painting is stranger."""


class StyleEncoder(nn.Module):
    """Features of a painting → style vectors, ``(1, vector_size)``.

    What it looks at is what a style is measured by: of each layer the channels' mean and root mean square,
    and the Gram matrix of the channels' principal components, beside mean and covariance of the colors.

    Args:
        channels: of each layer of the trunk, by name.
        reach: of each number of a style vector but the colors, see
            :meth:`training.networks.any_style.StyledSwift.reach`.
        width: of the hidden layer.
    """

    mean: Tensor
    deviation: Tensor
    components: Tensor
    reach: Tensor

    def __init__(self, channels: Mapping[str, int], reach: Tensor, width: int = 128) -> None:
        super().__init__()
        self.layers = list(channels)
        count = sum(2 * each + _PROJECTED**2 for each in channels.values()) + COLORS
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("deviation", torch.ones(count))
        self.register_buffer("components", torch.zeros(count, _COMPONENTS))
        for name, size in channels.items():
            self.register_buffer(size_of(name), torch.ones(size))
            self.register_buffer(f"mixture_{_key(name)}", torch.eye(size)[:, :_PROJECTED].clone())
        self.hidden = nn.Linear(_COMPONENTS + 1, width)
        self.last = nn.Linear(_COMPONENTS + 1 + width, len(reach))
        self.register_buffer("reach", reach, persistent=False)
        nn.init.normal_(self.last.weight, std=1e-3)
        nn.init.zeros_(self.last.bias)

    def forward(self, target: StyleTarget, fidelity: Tensor) -> Tensor:
        """The style vector for what is to be matched of one painting.

        Args:
            fidelity: how much of the photo is to be kept, 0 to 1, ``(1, 1)``.
        """
        standardized = ((self.statistics(target) - self.mean) / self.deviation).clamp(-_STRANGE, _STRANGE)
        found = standardized @ self.components
        # Usual ones are as far from the mean as there are components, squared.
        found = found * (_FURTHEST / found.square().sum(1, keepdim=True).add(_LEAST).sqrt()).clamp(max=1)
        told = torch.cat([found, 2 * fidelity - 1], 1)
        both = torch.cat([told, F.leaky_relu(self.hidden(told), _LEAK)], 1)
        decided = self.reach * torch.tanh(self.last(both))
        colors = color_matrix(target.covariance).flatten(1)
        return torch.cat([decided, colors, target.mean.flatten(1)], 1)

    def statistics(self, target: StyleTarget) -> Tensor:
        """``(1, count)``, not yet brought to one scale."""
        parts = []
        for name in self.layers:
            mixture, size = getattr(self, f"mixture_{_key(name)}"), getattr(self, size_of(name))
            correlations = target.grams[name] / size[:, None] / size
            rms = correlations.diagonal(dim1=1, dim2=2).add(_LEAST**2).sqrt()
            mixed = mixture.T @ correlations @ mixture
            parts += [target.means[name] / (size * rms), rms.add(0.1).log(), _signed_root(mixed).flatten(1)]
        colors = color_matrix(target.covariance).flatten(1)
        return torch.cat([*parts, target.mean.flatten(1), colors], 1)

    @torch.no_grad()
    def standardize(self, targets: Sequence[StyleTarget]) -> None:
        """Brings what is seen of paintings to mean 0 and deviation 1 over some of them.

        Mixtures of channels, and then of statistics, become principal components.
        """
        for name in self.layers:
            mean = torch.cat([target.grams[name] for target in targets]).mean(0)
            size = mean.diagonal().sqrt().clamp(min=_LEAST)
            getattr(self, size_of(name)).copy_(size)
            components = torch.linalg.eigh(mean / (size[:, None] * size)).eigenvectors
            getattr(self, f"mixture_{_key(name)}").copy_(components[:, -_PROJECTED:])
        found = torch.cat([self.statistics(each) for each in targets])
        self.mean.copy_(found.mean(0))
        self.deviation.copy_(found.std(0).clamp(min=_LEAST))
        even = ((found - self.mean) / self.deviation).clamp(-_STRANGE, _STRANGE)
        _, sizes, axes = torch.linalg.svd(even - even.mean(0), full_matrices=False)
        count = min(_COMPONENTS, len(targets) - 1)
        self.components[:, :count] = axes[:count].T / sizes[:count] * len(targets) ** 0.5


def size_of(layer: str) -> str:
    """Name of the buffer with the size of a layer's features."""
    return f"size_{_key(layer)}"


def _signed_root(x: Tensor) -> Tensor:
    return x.sign() * x.abs().add(_LEAST**2).sqrt()


def _key(name: str) -> str:
    return name.replace(".", "_")
