"""Distance of pictures to a frozen network's eye (Johnson et al. 2016), place by place as LPIPS has it."""

import torch
from torch import Tensor, nn

from training.losses.networks import LossNetworks


class FeatureLoss(nn.Module):
    """Mean over the layers and places of the squared distance of activations of unit length.

    Of unit length (Zhang et al. 2018, "The unreasonable effectiveness of deep features"), because activations
    are of any size, layer by layer, and a few places of strong contrast would count for all.

    Args:
        networks: the frozen loss networks.
    """

    def __init__(self, networks: LossNetworks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, pictures: Tensor, truth: Tensor) -> Tensor:
        """``(N, 3, H, W)`` RGB in [0, 1] each → a scalar in float32; no gradient reaches ``truth``."""
        with torch.no_grad():
            wanted = self.networks(truth)
        seen = self.networks(pictures)
        errors = [(_unit(seen[layer]) - _unit(wanted[layer])).square().sum(1).mean() for layer in wanted]
        return torch.stack(errors).mean()


def _unit(features: Tensor) -> Tensor:
    """Of length 1 at each place, in float32."""
    features = features.float()
    return features * (features.square().sum(1, keepdim=True) + 1e-6).rsqrt()
