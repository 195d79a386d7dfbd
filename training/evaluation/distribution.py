"""How far two sets of pictures are apart: Fréchet distance and KID, on features of SqueezeNet 1.0.

Both compare clouds of features of an ImageNet network. Papers take Inception's, of tens of thousands of
pictures; with another network and hundreds of pictures the numbers are of another size. They tell better from
worse among sets of the same number of pictures and cannot be set beside published ones.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.losses.networks import LossNetwork

_LAYER = "fire9"
_PLACES = 4
_AT_A_TIME = 8


class Eye:
    """What SqueezeNet 1.0 sees in pictures, before it decides what they show.

    Args:
        weights: safetensors in torchvision's layout; None lets torchvision fetch its own.
        device: where to look.
    """

    def __init__(self, weights: Path | None, device: torch.device) -> None:
        self.network = LossNetwork("squeezenet", [_LAYER], weights).to(device)
        self.device = device

    @torch.no_grad()
    def places(self, pictures: Tensor) -> Tensor:
        """Means over 4×4 parts of each picture, RGB in [0, 1] ``(N, 3, H, W)`` → ``(N, 512, 4, 4)``."""
        seen = [
            F.adaptive_avg_pool2d(self.network(part.to(self.device))[f"squeezenet.{_LAYER}"], _PLACES).cpu()
            for part in pictures.split(_AT_A_TIME)
        ]
        return torch.cat(seen)


def whole(places: Tensor) -> Tensor:
    """Means over whole pictures, ``(N, 512)``, of what :class:`Eye` saw of their parts."""
    return places.mean((2, 3))


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Between normal distributions fitted to two clouds, ``(N, D)`` and ``(M, D)`` (Heusel et al. 2017).

    The trace of the root of the product of the covariances is the sum of singular values of the product of
    the clouds, so it needs no root of a matrix and as many pictures as dimensions neither.
    """
    a, b = a.double(), b.double()
    centred = [(each - each.mean(0)) / (len(each) - 1) ** 0.5 for each in (a, b)]
    spread = sum(float(each.square().sum()) for each in centred)
    common = float(torch.linalg.matrix_norm(centred[0] @ centred[1].mT, "nuc"))
    return float((a.mean(0) - b.mean(0)).square().sum()) + spread - 2 * common


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """KID: the squared maximum mean discrepancy under a cubic kernel, unbiased (Bińkowski et al. 2018)."""
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.mT / x.shape[1] + 1) ** 3

    def among(x: Tensor) -> Tensor:
        values = kernel(x, x)
        return (values.sum() - values.trace()) / (len(x) * (len(x) - 1))

    return float(among(a) + among(b) - 2 * kernel(a, b).mean())


def apart(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances of every one of ``a``, ``(N, …)``, from every one of ``b``: ``(N, M)``."""
    return torch.cdist(a.flatten(1).double(), b.flatten(1).double())


def mean_of_others(distances: Tensor) -> float:
    """Mean of a square matrix without its diagonal."""
    count = len(distances)
    return float((distances.sum() - distances.trace()) / (count * (count - 1)))
