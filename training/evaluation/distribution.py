"""Distances between two sets of images: Fréchet distance and KID, on features of SqueezeNet 1.0.

Papers use features of Inception of tens of thousands of images. With another network and hundreds of images the
values are on another scale. They rank sets of the same number of images, and are not comparable with published ones.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.losses.networks import LossNetwork

_LAYER = "fire9"
_POOLED = 4
_BATCH = 8


class FeatureExtractor:
    """Features of SqueezeNet 1.0's last fire module.

    Args:
        weights: safetensors in torchvision's layout; None to download torchvision's.
        device: where to run.
    """

    def __init__(self, weights: Path | None, device: torch.device) -> None:
        self.network = LossNetwork("squeezenet", [_LAYER], weights).to(device)
        self.device = device

    @torch.no_grad()
    def local_features(self, images: Tensor) -> Tensor:
        """Means over 4×4 parts of each image, RGB in [0, 1] ``(N, 3, H, W)`` → ``(N, 512, 4, 4)``."""
        pooled = [
            F.adaptive_avg_pool2d(self.network(part.to(self.device))[f"squeezenet.{_LAYER}"], _POOLED).cpu()
            for part in images.split(_BATCH)
        ]
        return torch.cat(pooled)


def global_features(local_features: Tensor) -> Tensor:
    """Means over whole images, ``(N, 512)``."""
    return local_features.mean((2, 3))


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Between normal distributions fitted to two sets, ``(N, D)`` and ``(M, D)`` (Heusel et al. 2017).

    The trace of the square root of the product of the covariances is the nuclear norm of the product of the centered
    sets. So no matrix square root is needed, and fewer images than dimensions suffice.
    """
    a, b = a.double(), b.double()
    centered = [(each - each.mean(0)) / (len(each) - 1) ** 0.5 for each in (a, b)]
    variances = sum(float(each.square().sum()) for each in centered)
    common = float(torch.linalg.matrix_norm(centered[0] @ centered[1].mT, "nuc"))
    return float((a.mean(0) - b.mean(0)).square().sum()) + variances - 2 * common


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """KID: the unbiased squared maximum mean discrepancy with a cubic kernel (Bińkowski et al. 2018)."""
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.mT / x.shape[1] + 1) ** 3

    def within(x: Tensor) -> Tensor:
        values = kernel(x, x)
        return (values.sum() - values.trace()) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())


def pairwise_distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances between all of ``a``, ``(N, …)``, and all of ``b``, ``(M, …)``: ``(N, M)``."""
    return torch.cdist(a.flatten(1).double(), b.flatten(1).double())


def off_diagonal_mean(distances: Tensor) -> float:
    """Mean of a square matrix without its diagonal."""
    count = len(distances)
    return float((distances.sum() - distances.trace()) / (count * (count - 1)))
