"""Perceptual losses of Johnson, Alahi and Fei-Fei (2016), in a scale-free form.

The paper's squared errors depend on the scale of activations, which varies between layers and paintings. Here every
term is relative to the same layer's activations for the painting itself. So layers weigh alike, and one default
weight suits all paintings and networks.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.losses.networks import LossNetworks
from training.networks.local_contrast import local_contrast_normalize
from training.networks.pixels import pixel_shuffle, pixel_unshuffle


def gram_matrix(features: Tensor) -> Tensor:
    """Channel correlations averaged over positions: ``(N, C, H, W)`` → ``(N, C, C)`` float32."""
    flat = features.flatten(2).float()
    return flat @ flat.mT / flat.shape[2]


def mean_square(x: Tensor) -> Tensor:
    """Mean square of each image's values: ``(N, …)`` → ``(N,)`` float32."""
    return x.float().square().flatten(1).mean(1)


def total_variation(x: Tensor) -> Tensor:
    """Mean squared difference of neighboring pixels, ``(N, C, H, W)`` → ``(N,)``."""
    vertical = (x[:, :, 1:] - x[:, :, :-1]).square().mean((1, 2, 3))
    return vertical + (x[:, :, :, 1:] - x[:, :, :, :-1]).square().mean((1, 2, 3))


def normalize_contrast(photos: Tensor) -> Tensor:
    """Photos with local contrast normalization, ``(N, 3, H, W)`` RGB in [0, 1], sides multiples of 4.

    As a content target it makes the generator render detail in shadows too.
    """
    muted = torch.lerp(photos, photos.mean(1, keepdim=True), 0.35)
    normalized = local_contrast_normalize(pixel_unshuffle(muted.permute(0, 2, 3, 1), 4), 1.0)
    return (0.5 + 0.22 * pixel_shuffle(normalized, 4).permute(0, 3, 1, 2)).clamp(0, 1)


class ColorMoments(nn.Module):
    """Distance of images' colors from a painting's: mean and covariance of RGB.

    Measured in the painting's standard deviations along its principal axes, so that its few yellows count as much
    as its many blues.

    Args:
        painting: ``(1, 3, H, W)`` RGB in [0, 1].
    """

    mean: Tensor
    whitening: Tensor

    def __init__(self, painting: Tensor) -> None:
        super().__init__()
        colors = painting[0].flatten(1).double()
        variances, axes = torch.linalg.eigh(torch.cov(colors))
        # Two gray levels are the least standard deviation that counts.
        scale = variances.clamp(min=(2 / 256) ** 2).rsqrt()
        self.register_buffer("mean", colors.mean(1, keepdim=True).float())
        self.register_buffer("whitening", (scale[:, None] * axes.T).float())

    def forward(self, images: Tensor) -> Tensor:
        """``(N, 3, H, W)`` → ``(N,)``."""
        colors = self.whitening @ (images.float().flatten(2) - self.mean)
        mean = colors.mean(2, keepdim=True)
        centered = colors - mean
        covariance = centered @ centered.mT / centered.shape[2]
        identity = torch.eye(3, device=covariance.device)
        return mean.square().sum((1, 2)) + (covariance - identity).square().mean((1, 2))


@dataclass(frozen=True, kw_only=True)
class StyleTerms:
    """The terms of the objective, each ``(N,)`` and weighted."""

    content: Tensor
    style: Tensor
    color: Tensor
    variation: Tensor

    @property
    def total(self) -> Tensor:
        """Their sum."""
        return self.content + self.style + self.color + self.variation


class StyleObjective(nn.Module):
    """Feature reconstruction of the photo + style reconstruction of the painting + total variation.

    Args:
        networks: the frozen loss networks; they must have the layers named below.
        painting: RGB in [0, 1], ``(1, 3, H, W)``, at the size that decides the size of strokes.
        content_weights, style_weights: weight by layer name.
        color_weight: weight of :class:`ColorMoments`.
        variation_weight: weight of :func:`total_variation`.
    """

    def __init__(
        self,
        networks: LossNetworks,
        painting: Tensor,
        *,
        content_weights: dict[str, float],
        style_weights: dict[str, float],
        color_weight: float,
        variation_weight: float,
    ) -> None:
        super().__init__()
        self.networks = networks
        self.content_weights = content_weights
        self.style_weights = style_weights
        self.color_weight = color_weight
        self.variation_weight = variation_weight
        self.colors = ColorMoments(painting)
        with torch.no_grad():
            features = networks(painting)
        self.grams = {layer: gram_matrix(features[layer]) for layer in style_weights}
        self.scales = {layer: mean_square(features[layer]) for layer in content_weights}

    def content_features(self, photos: Tensor) -> dict[str, Tensor]:
        """The content target of :meth:`forward`; it has no gradient and can be kept for a photo."""
        with torch.no_grad():
            features = self.networks(normalize_contrast(photos))
        return {layer: features[layer] for layer in self.content_weights}

    def forward(self, images: Tensor, content: dict[str, Tensor]) -> StyleTerms:
        """The terms of stylized images, ``(N, 3, H, W)`` RGB in [0, 1], given their photos' content features."""
        features = self.networks(images)
        zero = images.new_zeros(images.shape[0])
        content_error = (
            weight * mean_square(features[layer].float() - content[layer].float()) / self.scales[layer]
            for layer, weight in self.content_weights.items()
        )
        style_error = (
            weight * mean_square(gram_matrix(features[layer]) - gram) / mean_square(gram)
            for (layer, gram), weight in zip(self.grams.items(), self.style_weights.values(), strict=True)
        )
        return StyleTerms(
            content=sum(content_error, zero),
            style=sum(style_error, zero),
            color=self.color_weight * self.colors(images),
            variation=self.variation_weight * total_variation(images),
        )
