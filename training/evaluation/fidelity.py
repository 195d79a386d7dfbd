"""PSNR and SSIM as papers on super-resolution report them: on luma, without borders.

Images are RGB in [0, 1], ``(3, H, W)``; luma is that of video (ITU-R BT.601, 16 to 235), in bytes.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_LUMA = 65.481, 128.553, 24.966
_STABILIZERS = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_KERNEL_STEP = 1 / 256
"""Quantization step of the weights of daala's windows."""


def luma(image: Tensor, *, gray: bool = False) -> Tensor:
    """``(3, H, W)`` → ``(H, W)`` float64, whole numbers from 16 to 235.

    The values of a file that is ``gray`` are used as they are, from 0 to 255, by convention.
    """
    if gray:
        return (image.double().mean(0) * 255).round()
    weights = torch.tensor(_LUMA, dtype=torch.float64, device=image.device)
    return (16 + torch.tensordot(weights, image.double(), 1)).round()


def cut(luma: Tensor, border: int) -> Tensor:
    """Without ``border`` pixels on each side."""
    return luma[border:-border, border:-border]


def psnr(a: Tensor, b: Tensor) -> float:
    """In dB, of lumas ``(H, W)``; infinite if they are equal."""
    error = float((a - b).square().mean())
    return 10 * math.log10(255**2 / error) if error else math.inf


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity (Wang et al. 2004) of lumas ``(H, W)``, with the windows of daala's tool.

    Ledig et al. 2017 report figures of that tool. Its Gaussian scales with the image, σ = 1.5 pixels for 256 rows, and
    is truncated at borders, where windows have less weight.
    """
    moments = torch.stack([torch.ones_like(a), a, b, a * a, b * b, a * b])[:, None]
    window = _window(1.5 * a.shape[0] / 256, min(a.shape)).to(a)
    for kernel in (window[:, None], window[None]):
        margin = kernel.shape[0] // 2, kernel.shape[1] // 2
        moments = F.conv2d(moments, kernel[None, None], padding=margin)
    count, mean_a, mean_b, aa, bb, ab = moments[:, 0]
    mean_a, mean_b, aa, bb, ab = (each / count for each in (mean_a, mean_b, aa, bb, ab))
    c1, c2 = _STABILIZERS
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structure = (2 * (ab - mean_a * mean_b) + c2) / (aa - mean_a**2 + bb - mean_b**2 + c2)
    return float((count * luminance * structure).sum() / count.sum())


def _window(sigma: float, longest: int) -> Tensor:
    """A Gaussian as far as its quantized weights are above 0, ``(n,)`` float64."""
    radius = longest - 1
    x = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (x / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    weights = (weights / _KERNEL_STEP).round() * _KERNEL_STEP
    return weights[weights > 0]
