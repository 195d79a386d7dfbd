"""Simulated compression artifacts: JPEG, and intra frames of H.264.

Only transform and quantization are simulated, which are the lossy steps. Both work on whole batches on the device.
Images are RGB in [0, 1], ``(N, 3, H, W)``, with sides that are multiples of 16.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

# ITU-T T.81, tables K.1 and K.2.
_LUMA_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56), (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
_CHROMA_STEPS = (
    (17, 18, 24, 47, 99, 99, 99, 99), (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99), (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)  # fmt: skip
# ITU-T T.871: full range.
_FROM_RGB = (0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)

_DEAD_ZONE = 1 / 3
"""x264's offset before truncation, in quantization steps: less than the half of rounding."""


def as_jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """JPEG with 4:2:0 chroma subsampling.

    Args:
        quality: of libjpeg, 1 to 100, ``(N,)``.
    """
    share = torch.where(quality < 50, 50 / quality, 2 - quality / 50)[:, None, None]
    tables = (
        (torch.tensor(steps, device=images.device) * share).clamp(1, 255)
        for steps in (_LUMA_STEPS, _CHROMA_STEPS)
    )
    luma, chroma = _planes(images)
    luma_steps, chroma_steps = tables
    return _rgb(_quantized(luma, luma_steps, 0.5), _quantized(chroma, chroma_steps, 0.5))


def as_h264(images: Tensor, quantizer: Tensor) -> Tensor:
    """Approximates an intra frame of H.264: one step for all frequencies, a dead zone, deblocking.

    Args:
        quantizer: H.264's QP, 0 to 51, ``(N,)``; the step doubles every six.
    """
    step = (2 ** ((quantizer - 4) / 6))[:, None, None].expand(-1, 8, 8)
    luma, chroma = _planes(images)
    strength = 0.8 * step[:, :1, :1, None] / 255
    luma = _deblocked(_quantized(luma, step, _DEAD_ZONE), strength)
    return _rgb(luma, _quantized(chroma, step, _DEAD_ZONE))


@lru_cache(maxsize=4)
def _transform(device: torch.device) -> Tensor:
    """The orthogonal matrix of the discrete cosine transform of 8 samples; rows are frequencies."""
    steps = torch.arange(8, dtype=torch.float64)
    coefficients = torch.cos(math.pi / 8 * (steps + 0.5) * steps[:, None]) / 2
    coefficients[0] /= math.sqrt(2)
    return coefficients.float().to(device)


def _quantized(planes: Tensor, steps: Tensor, rounding: float) -> Tensor:
    """``(N, C, H, W)`` with the DCT of its blocks quantized to ``steps``, ``(N, 8, 8)``, in units of 1/255."""
    transform = _transform(planes.device)
    n, c, h, w = planes.shape
    blocks = planes.reshape(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)
    coefficients = transform @ blocks @ transform.T
    sizes = steps[:, None, None, None] / 255
    coefficients = coefficients.sign() * (coefficients.abs() / sizes + rounding).floor() * sizes
    return (transform.T @ coefficients @ transform).transpose(3, 4).reshape(n, c, h, w)


def _deblocked(planes: Tensor, strength: Tensor) -> Tensor:
    """Smooths block borders whose step is below ``strength``, ``(N, 1, 1, 1)``."""
    for _ in range(2):
        before, after = planes[..., 7:-1:8], planes[..., 8::8]
        step = after - before
        change = torch.where(step.abs() < strength, step / 4, 0.0)
        planes = planes.clone()
        planes[..., 7:-1:8] += change
        planes[..., 8::8] -= change
        planes = planes.mT
    return planes


def _planes(images: Tensor) -> tuple[Tensor, Tensor]:
    """Luma ``(N, 1, H, W)`` and chroma ``(N, 2, H/2, W/2)``, around 0."""
    matrix = torch.tensor(_FROM_RGB, device=images.device)
    planes = torch.einsum("pc,nchw->nphw", matrix, images)
    return planes[:, :1] - 128 / 255, F.avg_pool2d(planes[:, 1:], 2)


def _rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    matrix = torch.linalg.inv(torch.tensor(_FROM_RGB)).to(luma.device)
    chroma = F.interpolate(chroma, scale_factor=2.0, mode="bilinear")
    planes = torch.cat([luma + 128 / 255, chroma], 1)
    return torch.einsum("cp,nphw->nchw", matrix, planes).clamp(0, 1)
