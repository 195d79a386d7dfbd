"""From a crop to what an upscaler gets to see of it.

``bicubic`` is what benchmarks do. ``video`` is what happens to films: they are soft, noisy, and compressed.
Whole batches, on the device; everything random comes from the generator that is given.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from training.data.bicubic import bicubic_matrix, to_bytes
from training.data.compression import as_h264, as_jpeg

MARGIN = 8
"""Of a crop, in pixels of the small picture on each side: borders would be mirrored otherwise, which pictures
in the middle of a film are not, and blocks of codecs begin anywhere."""

_MAX_BLUR = 1.0
_MAX_NOISE = 5 / 255
_QUALITIES = 40.0, 95.0
_QUANTIZERS = 18.0, 36.0


def side_of_crop(size: int, scale: int) -> int:
    """Side of the crops that the functions here make small pictures of, ``size`` pixels a side."""
    return scale * (size + 2 * MARGIN)


def bicubic(crops: Tensor, scale: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pairs: the small pictures, in bytes, and the large ones, margins cut off."""
    matrix = bicubic_matrix(crops.shape[2], crops.shape[2] // scale).to(crops)
    low = to_bytes(matrix @ crops @ matrix.T)
    return _inner(low, MARGIN), _inner(crops, MARGIN * scale)


def video(crops: Tensor, scale: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same, of small pictures blurred, noisy and compressed, each by another amount."""
    count = len(crops)
    shrinking = bicubic_matrix(crops.shape[2], crops.shape[2] // scale).to(crops)
    # Most are little blurred: squares of uniform numbers.
    blur = _MAX_BLUR * scale * _uniform(count, random).square()
    matrices = (shrinking @ _blurring(crops.shape[2], blur))[:, None]
    low = matrices @ crops @ matrices.mT
    noise = torch.randn(low.shape, generator=random, device=low.device)
    low = low + _MAX_NOISE * _uniform(count, random).square()[:, None, None, None] * noise
    # A codec's blocks begin anywhere in what is left.
    down, right = torch.randint(8, (2,), generator=random, device=low.device).tolist()
    low = low.roll((down, right), (2, 3)).clamp(0, 1)
    low = _compressed(to_bytes(low), random).roll((-down, -right), (2, 3))
    return _inner(to_bytes(low), MARGIN), _inner(crops, MARGIN * scale)


DEGRADATIONS: dict[str, Callable[[Tensor, int, torch.Generator], tuple[Tensor, Tensor]]] = {
    "bicubic": bicubic,
    "video": video,
}


def _compressed(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Some as JPEG does it, more as H.264 does, some left as they are."""
    count = len(pictures)
    least, most = _QUALITIES
    jpeg = as_jpeg(pictures, least + (most - least) * _uniform(count, random))
    least, most = _QUANTIZERS
    h264 = as_h264(pictures, least + (most - least) * _uniform(count, random))
    choice = _uniform(count, random)[:, None, None, None]
    return torch.where(choice < 0.3, jpeg, torch.where(choice < 0.85, h264, pictures))


def _blurring(size: int, sigma: Tensor) -> Tensor:
    """Matrices that blur ``size`` samples, ``(N, size, size)``."""
    steps = torch.arange(size, device=sigma.device)
    distance = (steps - steps[:, None]).float()
    weights = torch.exp(-0.5 * (distance / sigma.clamp(min=0.05)[:, None, None]).square())
    return weights / weights.sum(2, keepdim=True)


def _inner(pictures: Tensor, margin: int) -> Tensor:
    return pictures[:, :, margin:-margin, margin:-margin]


def _uniform(count: int, random: torch.Generator) -> Tensor:
    return torch.rand(count, generator=random, device=random.device)
