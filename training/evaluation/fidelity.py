"""PSNR and SSIM as the papers on super-resolution report them: on luma, borders cut off.

Pictures are RGB in [0, 1], ``(3, H, W)``; luma is that of films (ITU-R BT.601, 16 to 235), in bytes.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_LUMA = 65.481, 128.553, 24.966
_STEADY = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_KERNEL_STEP = 1 / 256
"""Weights of daala's windows are multiples of it."""


def luma(picture: Tensor, *, grey: bool = False) -> Tensor:
    """``(3, H, W)`` → ``(H, W)`` float64, whole numbers from 16 to 235.

    A picture that was ``grey`` in its file is taken as it is, from 0 to 255, as everybody does.
    """
    if grey:
        return (picture.double().mean(0) * 255).round()
    weights = torch.tensor(_LUMA, dtype=torch.float64, device=picture.device)
    return (16 + torch.tensordot(weights, picture.double(), 1)).round()


def cut(luma: Tensor, border: int) -> Tensor:
    """Without ``border`` pixels on each side."""
    return luma[border:-border, border:-border]


def psnr(a: Tensor, b: Tensor) -> float:
    """In dB, of lumas ``(H, W)``; infinite if they are equal."""
    error = float((a - b).square().mean())
    return 10 * math.log10(255**2 / error) if error else math.inf


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity (Wang et al. 2004) of lumas ``(H, W)``, with the windows of daala's tool.

    That is what the figures of Ledig et al. 2017 are measured with. Its Gaussian grows with the picture,
    σ = 1.5 pixels for 256 rows, and is cut off at borders, where windows count for less.
    """
    moments = torch.stack([torch.ones_like(a), a, b, a * a, b * b, a * b])[:, None]
    window = _window(1.5 * a.shape[0] / 256, min(a.shape)).to(a)
    for kernel in (window[:, None], window[None]):
        margin = kernel.shape[0] // 2, kernel.shape[1] // 2
        moments = F.conv2d(moments, kernel[None, None], padding=margin)
    count, mean_a, mean_b, aa, bb, ab = moments[:, 0]
    mean_a, mean_b, aa, bb, ab = (each / count for each in (mean_a, mean_b, aa, bb, ab))
    c1, c2 = _STEADY
    light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structure = (2 * (ab - mean_a * mean_b) + c2) / (aa - mean_a**2 + bb - mean_b**2 + c2)
    return float((count * light * structure).sum() / count.sum())


def _window(sigma: float, longest: int) -> Tensor:
    """A Gaussian as far as its weights round to something, ``(n,)`` float64."""
    reach = longest - 1
    x = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (x / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    weights = (weights / _KERNEL_STEP).round() * _KERNEL_STEP
    return weights[weights > 0]
