"""What generators do with pictures before and after their convolutions."""

import torch
import torch.ao.quantization.fx._decomposed
import torch.nn.functional as F
from torch import Tensor

MIRROR_STEPS = 3
MOST_MISSING = 7
"""Pixels that a stride of 8 can ask for below and right."""


def mirror(x: Tensor, margin: int, *, below: int = 0, right: int = 0) -> Tensor:
    """``(N, C, H, W)`` with ``margin`` mirrored pixels on every side, and so many more below and right.

    What has fewer pixels than the margin is mirrored in up to :data:`MIRROR_STEPS` steps, there and back
    again; 16 pixels suffice for a margin of 100.
    """
    for step in range(MIRROR_STEPS):
        last = step == MIRROR_STEPS - 1
        ring = margin if last else min(margin, *(side - MOST_MISSING - 1 for side in x.shape[2:]))
        margin -= ring
        more = (right, below) if last else (0, 0)
        x = F.pad(x, (ring, ring + more[0], ring, ring + more[1]), mode="reflect")
    return x


def quantize_picture(x: Tensor) -> Tensor:
    """[0, 1] → uint8, rounded and saturated; one ``QuantizeLinear`` in an exported graph."""
    return torch.ops.quantized_decomposed.quantize_per_tensor(x.float(), 1 / 255, 0, 0, 255, torch.uint8)


def fold_pixels(x: Tensor, side: int) -> Tensor:
    """Space to depth: ``(N, H·side, W·side, C)`` → ``(N, H, W, side·side·C)``, rows before columns.

    Channels last on both ends, because then whole runs of bytes move together.
    """
    n, h, w, c = x.shape
    x = x.reshape(n, h // side, side, w // side, side * c)
    return x.permute(0, 1, 3, 2, 4).reshape(n, h // side, w // side, side * side * c)


def unfold_pixels(x: Tensor, side: int) -> Tensor:
    """Depth to space, the inverse of :func:`fold_pixels`."""
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, side, c // side).permute(0, 1, 3, 2, 4)
    return x.reshape(n, h * side, w * side, c // (side * side))
