"""What generators do with pictures before and after their convolutions."""

import torch
import torch.ao.quantization.fx._decomposed
import torch.nn.functional as F
from torch import Tensor


def complete(x: Tensor, stride: int) -> Tensor:
    """``(N, C, H, W)`` mirrored below and right until both sides are multiples of the stride."""
    height, width = x.shape[2:]
    return F.pad(x, (0, -width % stride, 0, -height % stride), mode="reflect")


def quantize_picture(x: Tensor) -> Tensor:
    """[0, 1] → uint8, rounded and saturated; one ``QuantizeLinear`` in an exported graph."""
    return torch.ops.quantized_decomposed.quantize_per_tensor(x.float(), 1 / 255, 0, 0, 255, torch.uint8)


def read_bytes(x: Tensor, zero: int = 0) -> Tensor:
    """uint8 → float32 in steps of 1/255, the byte ``zero`` being 0; exported as one ``DequantizeLinear``."""
    return torch.ops.quantized_decomposed.dequantize_per_tensor(x, 1 / 255, zero, 0, 255, torch.uint8)


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
