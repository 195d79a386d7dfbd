"""The perceptual objective for any painting: targets are worked out of each painting that comes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from training.losses.networks import LossNetworks
from training.losses.perceptual import StyleTerms, mean_square, normalize_contrast, total_variation
from training.networks.style_target import StyleTarget, color_statistics

_SHARE_OF_FOUND = 0.1
_LEAST_DEVIATION = 6 / 256
"""Least standard deviation of colors along an axis: less is not seen, and few grays of a drawing would dominate."""
_LEAST_SHARE = 0.1
"""Least variance along an axis, relative to the largest. Without it, a painting with a little color here and there
asks for as much of each hue as of light and dark, which slopes of brightness then bring as a rainbow."""


class _Gram(torch.autograd.Function):
    """Gram matrix of ``(N, C, HW)``; the product is symmetric, so one product is enough on the way back as well."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor) -> Tensor:
        ctx.save_for_backward(flat)
        # Squares of features need the range and the digits of float32.
        with torch.autocast(flat.device.type, enabled=False):
            return flat @ flat.mT / flat.shape[2]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (flat,) = ctx.saved_tensors
        return (gradient + gradient.mT) @ flat / flat.shape[2]


def gram(features: Tensor) -> Tensor:
    """:func:`training.losses.perceptual.gram_matrix`, in two thirds of the time."""
    result: Tensor = _Gram.apply(features.flatten(2).float())
    return result


class AnyStyleObjective(nn.Module):
    """As :class:`training.losses.perceptual.StyleObjective`, but of a painting that is given each time.

    Args:
        networks: the frozen loss networks, with the style layers and the content layers.
        content_networks: the same with the content layers alone, which are less deep.
        content_layers, style_layers: names.
        style_weight: of each style layer. Content is weighted a step at a time.
        color_weight, variation_weight: of the colors' mean and covariance, and of the total variation.
    """

    def __init__(
        self,
        networks: LossNetworks,
        content_networks: LossNetworks,
        *,
        content_layers: list[str],
        style_layers: list[str],
        style_weight: float,
        color_weight: float,
        variation_weight: float,
    ) -> None:
        super().__init__()
        self.networks = networks
        self.content_networks = content_networks
        self.content_layers = content_layers
        self.style_layers = style_layers
        self.style_weight = style_weight
        self.color_weight = color_weight
        self.variation_weight = variation_weight

    @torch.no_grad()
    def target(self, painting: Tensor) -> StyleTarget:
        """The target of a painting, ``(1, 3, H, W)`` RGB in [0, 1]."""
        features = self.networks(painting)
        mean, covariance = color_statistics(painting)
        variances, axes = torch.linalg.eigh(covariance)
        least = (_LEAST_SHARE * variances.amax(1, keepdim=True)).clamp(min=_LEAST_DEVIATION**2)
        whitening = torch.maximum(variances, least).rsqrt()[..., None] * axes.mT
        means = {layer: features[layer].mean((2, 3)) for layer in self.style_layers}
        grams = {layer: gram(features[layer]) for layer in self.style_layers}
        return StyleTarget(means=means, grams=grams, mean=mean, covariance=covariance, whitening=whitening)

    @torch.no_grad()
    def content_features(self, photos: Tensor) -> dict[str, Tensor]:
        """As :meth:`training.losses.perceptual.StyleObjective.content_features`."""
        features: dict[str, Tensor] = self.content_networks(normalize_contrast(photos))
        return features

    def forward(
        self, images: Tensor, content: Mapping[str, Tensor], target: StyleTarget, content_weight: float
    ) -> StyleTerms:
        """The terms of images ``(N, 3, H, W)`` that paint the N photos of ``content`` in the style of ``target``."""
        features = self.networks(images)
        zero = images.new_zeros(len(images))
        content_error = (
            mean_square(features[layer] - content[layer]) / mean_square(content[layer])
            for layer in self.content_layers
        )
        style_error = (
            _relative_error(gram(features[layer]), wanted) for layer, wanted in target.grams.items()
        )
        return StyleTerms(
            content=content_weight * sum((_damped(each) for each in content_error), zero),
            style=self.style_weight * sum((_damped(each) for each in style_error), zero),
            color=self.color_weight * _damped(_color_error(images, target)),
            variation=self.variation_weight * total_variation(images),
        )


def _relative_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Error of Gram matrices; that of a crop without any detail is nearly 0, and no measure for itself alone."""
    size = mean_square(wanted) + _SHARE_OF_FOUND * mean_square(found.detach())
    return mean_square(found - wanted) / size


def _color_error(images: Tensor, target: StyleTarget) -> Tensor:
    mean, covariance = color_statistics(images)
    shift = target.whitening @ (mean - target.mean)
    whitened = target.whitening @ covariance @ target.whitening.mT
    wanted = target.whitening @ target.covariance @ target.whitening.mT
    return shift.square().sum((1, 2)) + (whitened - wanted).square().mean((1, 2))


def _damped(error: Tensor) -> Tensor:
    """About the same where it is small; a painting that is far from all others does not drown them."""
    return 2 * torch.log1p(error / 2)
