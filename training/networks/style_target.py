"""Statistics of a painting's features and colors, which are to be matched."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class StyleTarget:
    """Statistics of one painting that are to be matched.

    Attributes:
        means, grams: of features, by layer, ``(1, C)`` and ``(1, C, C)``.
        mean, covariance: of RGB, ``(1, 3, 1)`` and ``(1, 3, 3)``.
        whitening: turns and scales colors so that their errors count alike, ``(1, 3, 3)``: by the inverse of the
            deviation along each axis of the covariance, if that is not too small.
    """

    means: Mapping[str, Tensor]
    grams: Mapping[str, Tensor]
    mean: Tensor
    covariance: Tensor
    whitening: Tensor


def color_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, ``(N, 3, 1)``, and covariance, ``(N, 3, 3)``, of RGB."""
    colors = images.float().flatten(2)
    mean = colors.mean(2, keepdim=True)
    centered = colors - mean
    return mean, centered @ centered.mT / centered.shape[2]
