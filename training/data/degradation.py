"""Degradations for super-resolution: from a crop to the low-resolution input.

``bicubic`` is that of benchmarks. ``video`` adds blur, noise and compression, as in video. Both work on whole
batches on the device; the generator that is passed is the only source of randomness.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from training.data.bicubic import bicubic_matrix, round_to_bytes
from training.data.compression import as_h264, as_jpeg

MARGIN = 8
"""Margin of a crop in low-resolution pixels, cut off afterwards. Resizing mirrors borders, which images in the
middle of a video frame do not have, and codec blocks start anywhere."""

_MAX_BLUR = 1.0
_MAX_NOISE = 5 / 255
_QUALITIES = 40.0, 95.0
_QUANTIZERS = 18.0, 36.0


def crop_side(size: int, scale: int) -> int:
    """Side of the crops that degrade to low-resolution images of ``size`` pixels a side."""
    return scale * (size + 2 * MARGIN)


def bicubic(crops: Tensor, scale: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pairs of low resolution, rounded to bytes, and high resolution, both without margins."""
    matrix = bicubic_matrix(crops.shape[2], crops.shape[2] // scale).to(crops)
    low = round_to_bytes(matrix @ crops @ matrix.T)
    return _without_margin(low, MARGIN), _without_margin(crops, MARGIN * scale)


def video(crops: Tensor, scale: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same with low resolution blurred, noisy and compressed, each image by another amount."""
    count = len(crops)
    downscaling = bicubic_matrix(crops.shape[2], crops.shape[2] // scale).to(crops)
    # Squares of uniform numbers: most images are little blurred.
    blur = _MAX_BLUR * scale * _uniform(count, random).square()
    matrices = (downscaling @ _blurring(crops.shape[2], blur))[:, None]
    low = matrices @ crops @ matrices.mT
    noise = torch.randn(low.shape, generator=random, device=low.device)
    low = low + _MAX_NOISE * _uniform(count, random).square()[:, None, None, None] * noise
    # Codec blocks start anywhere in the crop.
    down, right = torch.randint(8, (2,), generator=random, device=low.device).tolist()
    low = low.roll((down, right), (2, 3)).clamp(0, 1)
    low = _compressed(round_to_bytes(low), random).roll((-down, -right), (2, 3))
    return _without_margin(round_to_bytes(low), MARGIN), _without_margin(crops, MARGIN * scale)


DEGRADATIONS: dict[str, Callable[[Tensor, int, torch.Generator], tuple[Tensor, Tensor]]] = {
    "bicubic": bicubic,
    "video": video,
}


def _compressed(images: Tensor, random: torch.Generator) -> Tensor:
    """30 % with JPEG, 55 % with H.264, and the rest unchanged."""
    count = len(images)
    least, most = _QUALITIES
    jpeg = as_jpeg(images, least + (most - least) * _uniform(count, random))
    least, most = _QUANTIZERS
    h264 = as_h264(images, least + (most - least) * _uniform(count, random))
    choice = _uniform(count, random)[:, None, None, None]
    return torch.where(choice < 0.3, jpeg, torch.where(choice < 0.85, h264, images))


def _blurring(size: int, sigma: Tensor) -> Tensor:
    """Matrices of Gaussian blur of ``size`` samples, ``(N, size, size)``."""
    steps = torch.arange(size, device=sigma.device)
    distance = (steps - steps[:, None]).float()
    weights = torch.exp(-0.5 * (distance / sigma.clamp(min=0.05)[:, None, None]).square())
    return weights / weights.sum(2, keepdim=True)


def _without_margin(images: Tensor, margin: int) -> Tensor:
    return images[:, :, margin:-margin, margin:-margin]


def _uniform(count: int, random: torch.Generator) -> Tensor:
    return torch.rand(count, generator=random, device=random.device)
