"""Distance of pictures to a frozen network (Johnson et al. 2016; Ledig et al. 2017's content loss)."""

import torch
from torch import Tensor, nn

from training.losses.networks import LossNetworks
from training.losses.perceptual import mean_square


class FeatureLoss(nn.Module):
    """Mean over the layers of the squared difference of activations, relative to how large they usually are.

    Relative, because networks' activations are of any size, layer by layer, and some filters are dead.

    Args:
        networks: the frozen loss networks.
        photos: ``(N, 3, H, W)`` RGB in [0, 1], to learn from how large activations are.
    """

    def __init__(self, networks: LossNetworks, photos: Tensor) -> None:
        super().__init__()
        self.networks = networks
        with torch.no_grad():
            features = networks(photos)
        self.scales = {layer: mean_square(each).mean() for layer, each in features.items()}

    def forward(self, pictures: Tensor, truth: Tensor) -> Tensor:
        """``(N, 3, H, W)`` RGB in [0, 1] each → a scalar in float32; no gradient reaches ``truth``."""
        with torch.no_grad():
            wanted = self.networks(truth)
        seen = self.networks(pictures)
        errors = [
            mean_square(seen[layer].float() - wanted[layer].float()).mean() / scale
            for layer, scale in self.scales.items()
        ]
        return torch.stack(errors).mean()
