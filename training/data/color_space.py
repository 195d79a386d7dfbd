"""CIE Lab of sRGB under D65 (IEC 61966-2-1; CIE 15)."""

import torch
from torch import Tensor

AB_SCALE = 110.0
"""Divisor of a and b; no color of sRGB has larger ones."""

_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.950456, 1.0, 1.088754)
_LINEAR_BELOW = (6 / 29) ** 3


def lab_from_rgb(images: Tensor) -> Tensor:
    """RGB in [0, 1], ``(N, 3, H, W)`` → L, a and b in [-1, 1]: L / 50 - 1, a / 110, b / 110."""
    linear = torch.where(images > 0.04045, ((images.clamp(min=0) + 0.055) / 1.055) ** 2.4, images / 12.92)
    xyz = torch.einsum("ij,njhw->nihw", _matrix(images), linear) / _white(images)
    x, y, z = torch.where(
        xyz > _LINEAR_BELOW, xyz.clamp(min=_LINEAR_BELOW) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29
    ).unbind(1)
    return torch.stack([(116 * y - 16) / 50 - 1, 500 * (x - y) / AB_SCALE, 200 * (y - z) / AB_SCALE], 1)


def rgb_from_lab(lab: Tensor) -> Tensor:
    """The inverse of :func:`lab_from_rgb`; colors outside of sRGB are clipped."""
    lightness, a, b = lab.unbind(1)
    y = (50 * (lightness + 1) + 16) / 116
    roots = torch.stack([y + a * AB_SCALE / 500, y, y - b * AB_SCALE / 200], 1)
    xyz = torch.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * _white(lab)
    linear = torch.einsum("ij,njhw->nihw", torch.linalg.inv(_matrix(lab)), xyz).clamp(0, 1)
    return torch.where(
        linear > 0.0031308, 1.055 * linear.clamp(min=1e-8) ** (1 / 2.4) - 0.055, linear * 12.92
    )


def _matrix(like: Tensor) -> Tensor:
    return torch.tensor(_TO_XYZ, device=like.device, dtype=like.dtype)


def _white(like: Tensor) -> Tensor:
    return torch.tensor(_WHITE, device=like.device, dtype=like.dtype)[:, None, None]
