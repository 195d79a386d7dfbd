"""CIE Lab of sRGB under D65: lightness apart from colour (IEC 61966-2-1; CIE 15)."""

import torch
from torch import Tensor

_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.950456, 1.0, 1.088754)
_KINK = (6 / 29) ** 3
_WIDEST = 110.0
"""Of a and b, which are divided by it; no colour of sRGB has more."""


def lab_of(pictures: Tensor) -> Tensor:
    """RGB in [0, 1], ``(N, 3, H, W)`` → L, a and b in [-1, 1]: L / 50 - 1, a / 110, b / 110."""
    linear = torch.where(
        pictures > 0.04045, ((pictures.clamp(min=0) + 0.055) / 1.055) ** 2.4, pictures / 12.92
    )
    xyz = torch.einsum("ij,njhw->nihw", _matrix(pictures), linear) / _white(pictures)
    x, y, z = torch.where(
        xyz > _KINK, xyz.clamp(min=_KINK) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29
    ).unbind(1)
    return torch.stack([(116 * y - 16) / 50 - 1, 500 * (x - y) / _WIDEST, 200 * (y - z) / _WIDEST], 1)


def rgb_of(lab: Tensor) -> Tensor:
    """The inverse of :func:`lab_of`; what sRGB does not have is clipped."""
    lightness, a, b = lab.unbind(1)
    y = (50 * (lightness + 1) + 16) / 116
    roots = torch.stack([y + a * _WIDEST / 500, y, y - b * _WIDEST / 200], 1)
    xyz = torch.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * _white(lab)
    linear = torch.einsum("ij,njhw->nihw", torch.linalg.inv(_matrix(lab)), xyz).clamp(0, 1)
    return torch.where(
        linear > 0.0031308, 1.055 * linear.clamp(min=1e-8) ** (1 / 2.4) - 0.055, linear * 12.92
    )


def _matrix(like: Tensor) -> Tensor:
    return torch.tensor(_TO_XYZ, device=like.device, dtype=like.dtype)


def _white(like: Tensor) -> Tensor:
    return torch.tensor(_WHITE, device=like.device, dtype=like.dtype)[:, None, None]
