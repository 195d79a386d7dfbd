"""Feature reconstruction loss (Johnson et al. 2016) with unit-normalized features, as in LPIPS."""

import torch
from torch import Tensor, nn

from training.losses.networks import LossNetworks


class FeatureLoss(nn.Module):
    """Mean squared distance of unit-normalized activations, over layers and positions.

    Normalized (Zhang et al. 2018, "The unreasonable effectiveness of deep features"), because the scale of
    activations differs between layers, and a few positions of strong contrast would dominate.

    Args:
        networks: the frozen loss networks.
    """

    def __init__(self, networks: LossNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """``(N, 3, H, W)`` RGB in [0, 1] each → a scalar in float32; ``target`` gets no gradient."""
        with torch.no_grad():
            expected = self.networks(target)
        found = self.networks(output)
        errors = [(_unit(found[layer]) - _unit(expected[layer])).square().sum(1).mean() for layer in expected]
        return torch.stack(errors).mean()


def _unit(features: Tensor) -> Tensor:
    """Normalized to length 1 at each position, in float32."""
    features = features.float()
    return features * (features.square().sum(1, keepdim=True) + 1e-6).rsqrt()
