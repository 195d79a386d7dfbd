"""What a discriminator sees, each time in a little other light.

With some hundred pictures a discriminator soon knows them all, and tells what it remembers from what it does
not. What is changed in real and made pictures alike, and can be differentiated, is nothing that a generator
would learn to make (Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training").
"""

import torch
from torch import Tensor


def jittered(pictures: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """Brighter or darker, with more or less of colour and of contrast.

    Args:
        pictures: ``(N, C, H, W)`` in [-1, 1]; what comes out may lie beyond.
        strength: the largest change of brightness, and of the other two as a share.
        random: on the device of ``pictures``; draws are a picture's own.
    """
    drawn = 2 * torch.rand(3, len(pictures), 1, 1, 1, generator=random, device=random.device) - 1
    brightness, colour, contrast = strength * drawn
    grey = pictures.mean(1, keepdim=True)
    pictures = grey + (1 + colour) * (pictures - grey)
    middle = pictures.mean((1, 2, 3), keepdim=True)
    return middle + (1 + contrast) * (pictures - middle) + brightness
