"""Bicubic resizing as MATLAB's ``imresize`` does it, with which super-resolution is trained and compared.

Keys' cubic (a = -1/2), widened by the factor when shrinking, borders mirrored. OpenCV and torch have other
cubics or none that is antialiased, and figures measured with them are not comparable with published ones.
Being linear and separable, it is two matrix products, on any device.
"""

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=512)
def bicubic_matrix(size: int, out: int) -> Tensor:
    """What makes ``out`` samples of ``size``: ``(out, size)`` float64, rows sum to 1."""
    scale = out / size
    stretch = min(scale, 1.0)
    centres = (torch.arange(out, dtype=torch.float64) + 0.5) / scale - 0.5
    reach = int(2 / stretch) + 2
    places = centres.floor().long()[:, None] + torch.arange(-reach, reach + 1)
    weights = _cubic(stretch * (centres[:, None] - places))
    weights /= weights.sum(1, keepdim=True)
    # Mirrored with the border itself repeated: … 1 0 | 0 1 2 …
    folded = places % (2 * size)
    folded = torch.minimum(folded, 2 * size - 1 - folded)
    return torch.zeros(out, size, dtype=torch.float64).scatter_add_(1, folded, weights)


def resize(pictures: Tensor, height: int, width: int) -> Tensor:
    """``(…, H, W)`` → ``(…, height, width)``, not clamped."""
    if pictures.shape[-2:] == (height, width):
        return pictures
    rows, columns = (
        bicubic_matrix(*sizes).to(pictures)
        for sizes in zip(pictures.shape[-2:], (height, width), strict=True)
    )
    return rows @ pictures @ columns.T


def shrink(pictures: Tensor, scale: int) -> Tensor:
    """``(…, H, W)`` → a ``scale``-th of each side, of which the sides must be multiples."""
    return resize(pictures, pictures.shape[-2] // scale, pictures.shape[-1] // scale)


def enlarge(pictures: Tensor, scale: int) -> Tensor:
    """``(…, H, W)`` → sides ``scale`` times as long."""
    return resize(pictures, pictures.shape[-2] * scale, pictures.shape[-1] * scale)


def to_bytes(pictures: Tensor) -> Tensor:
    """Values in [0, 1] as bytes would keep them: clamped and rounded to multiples of 1/255."""
    return (pictures.clamp(0, 1) * 255).round() / 255


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, inner, torch.where(x < 2, outer, 0.0))
