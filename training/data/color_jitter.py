"""Differentiable color jitter for discriminators.

With a few hundred images a discriminator memorises them. Augmenting real and generated images alike, by
differentiable operations, prevents that, and the generator does not learn the augmentation (Zhao et al. 2020,
"Differentiable Augmentation for Data-Efficient GAN Training").
"""

import torch
from torch import Tensor


def jitter_colors(images: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """Random brightness, saturation and contrast of each image.

    Args:
        images: ``(N, C, H, W)`` in [-1, 1]; the result may exceed it.
        strength: largest change of brightness, and relative change of saturation and contrast.
        random: on the device of ``images``.
    """
    drawn = 2 * torch.rand(3, len(images), 1, 1, 1, generator=random, device=random.device) - 1
    brightness, saturation, contrast = strength * drawn
    gray = images.mean(1, keepdim=True)
    images = gray + (1 + saturation) * (images - gray)
    middle = images.mean((1, 2, 3), keepdim=True)
    return middle + (1 + contrast) * (images - middle) + brightness
