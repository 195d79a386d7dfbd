"""Pixel operations before and after a generator's convolutions."""

import torch
import torch.ao.quantization.fx._decomposed
import torch.nn.functional as F
from torch import Tensor


def reflect_pad(x: Tensor, stride: int) -> Tensor:
    """``(N, C, H, W)`` padded by reflection at bottom and right to multiples of ``stride``."""
    height, width = x.shape[2:]
    return F.pad(x, (0, -width % stride, 0, -height % stride), mode="reflect")


def quantize_image(x: Tensor) -> Tensor:
    """[0, 1] → uint8, rounded and saturated; one ``QuantizeLinear`` in an exported graph."""
    return torch.ops.quantized_decomposed.quantize_per_tensor(x.float(), 1 / 255, 0, 0, 255, torch.uint8)


def dequantize_bytes(x: Tensor, zero: int = 0) -> Tensor:
    """uint8 → float32 in steps of 1/255, with ``zero`` as the zero point; one ``DequantizeLinear``."""
    return torch.ops.quantized_decomposed.dequantize_per_tensor(x, 1 / 255, zero, 0, 255, torch.uint8)


def pixel_unshuffle(x: Tensor, side: int) -> Tensor:
    """Space to depth, channels last: ``(N, H·side, W·side, C)`` → ``(N, H, W, side·side·C)``, rows first.

    Unlike :func:`torch.nn.functional.pixel_unshuffle` it keeps the channels last on both ends, so that
    contiguous runs of bytes move together.
    """
    n, h, w, c = x.shape
    x = x.reshape(n, h // side, side, w // side, side * c)
    return x.permute(0, 1, 3, 2, 4).reshape(n, h // side, w // side, side * side * c)


def pixel_shuffle(x: Tensor, side: int) -> Tensor:
    """Depth to space, channels last: the inverse of :func:`pixel_unshuffle`."""
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, side, c // side).permute(0, 1, 3, 2, 4)
    return x.reshape(n, h * side, w * side, c // (side * side))
