"""The colors of a style: a matrix and a mean."""

import torch
from torch import Tensor

COLORS = 12
"""Numbers at the end of a style vector: a matrix of colors, ``(3, 3)``, and the mean."""

_LEAST_VARIANCE = (3 / 256) ** 2
_ROUNDS = 18


def color_matrix(covariance: Tensor) -> Tensor:
    """The symmetric square root of ``(N, 3, 3)``, by Newton and Schulz's iteration, which any runtime has."""
    identity = torch.eye(3, device=covariance.device)
    covariance = covariance + _LEAST_VARIANCE * identity
    size = covariance.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]
    root, inverse = covariance / size, identity.expand_as(covariance)
    for _ in range(_ROUNDS):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return root * size.sqrt()
