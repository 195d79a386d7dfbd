"""Bicubic resizing as MATLAB's ``imresize`` does it, which super-resolution is trained and compared with.

Keys' cubic (a = -1/2), widened by the factor when downscaling, with symmetric borders. The cubics of OpenCV and
torch differ or are not antialiased, and figures measured with them are not comparable with published ones. The
resizing is linear and separable: two matrix products, on any device.
"""

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=512)
def bicubic_matrix(size: int, out: int) -> Tensor:
    """The matrix that resizes ``size`` samples to ``out``: ``(out, size)`` float64, rows sum to 1."""
    scale = out / size
    stretch = min(scale, 1.0)
    centers = (torch.arange(out, dtype=torch.float64) + 0.5) / scale - 0.5
    radius = int(2 / stretch) + 2
    places = centers.floor().long()[:, None] + torch.arange(-radius, radius + 1)
    weights = _cubic(stretch * (centers[:, None] - places))
    weights /= weights.sum(1, keepdim=True)
    # Symmetric, with the border itself repeated: … 1 0 | 0 1 2 …
    folded = places % (2 * size)
    folded = torch.minimum(folded, 2 * size - 1 - folded)
    return torch.zeros(out, size, dtype=torch.float64).scatter_add_(1, folded, weights)


def resize(images: Tensor, height: int, width: int) -> Tensor:
    """``(…, H, W)`` → ``(…, height, width)``, not clamped."""
    if images.shape[-2:] == (height, width):
        return images
    rows, columns = (
        bicubic_matrix(*sizes).to(images) for sizes in zip(images.shape[-2:], (height, width), strict=True)
    )
    return rows @ images @ columns.T


def downscale(images: Tensor, scale: int) -> Tensor:
    """``(…, H, W)`` → ``(…, H / scale, W / scale)``; the sides must be multiples of ``scale``."""
    return resize(images, images.shape[-2] // scale, images.shape[-1] // scale)


def upscale(images: Tensor, scale: int) -> Tensor:
    """``(…, H, W)`` → ``(…, scale · H, scale · W)``."""
    return resize(images, images.shape[-2] * scale, images.shape[-1] * scale)


def round_to_bytes(images: Tensor) -> Tensor:
    """Values in [0, 1], clamped and rounded to multiples of 1/255, as in uint8."""
    return (images.clamp(0, 1) * 255).round() / 255


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, inner, torch.where(x < 2, outer, 0.0))
