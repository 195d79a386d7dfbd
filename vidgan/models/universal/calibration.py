"""Ranges of activations of a folded generator, over features of images that come with it."""

import numpy as np
from numpy.typing import NDArray

from vidgan.models.universal.rounding import Floats

Ranges = dict[str, tuple[float, float]]

CELLS = "cells"
"""The input of the first layer: nearly all between -1 and 1."""


def ranges_of(weights: dict[str, Floats], cells: NDArray[np.int8]) -> Ranges:
    """Least and largest activation at every point that is rounded, by the name of the layer before it.

    A point after a sum bears the name of the block, or of the layer with ``+``.

    Args:
        weights: from :meth:`vidgan.models.universal.kernels.Kernels.fold_on_cells`, of RGB.
        cells: features of calibration images, in 1/127, ``(N, C, H, W)``, sides even.
    """
    ranges: Ranges = {CELLS: (-1.0, 1.0)}

    def recorded(name: str, x: Floats) -> Floats:
        ranges[name] = float(x.min()), float(x.max())
        return x

    def conv(name: str, x: Floats, border: int, stride: int = 1) -> Floats:
        return _convolved(_bordered(x, border), weights[f"{name}.weight"], weights[f"{name}.bias"], stride)

    x: Floats = np.asarray(cells / 127, np.float32)
    quarter = recorded("stem.conv", _relu(conv("stem.conv", x, 1)))
    x = recorded("down.conv", _relu(conv("down.conv", quarter, 0, 2)))
    block = 0
    while f"blocks.{block}.first.conv.weight" in weights:
        first, second = f"blocks.{block}.first.conv", f"blocks.{block}.second.conv"
        inner = recorded(first, _relu(conv(first, x, 2)))
        x = recorded(f"blocks.{block}", x + recorded(second, conv(second, inner, 0)))
        block += 1
    x = _enlarged(recorded("up_quarter", conv("up_quarter", x, 1)))
    x = recorded("up_quarter+", _relu(x + quarter))
    recorded("up_half", _relu(conv("up_half", x, 1)))
    # Bytes come out.
    ranges["up_full"] = 0.0, 1.0
    return ranges


def _relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


def _bordered(x: Floats, width: int) -> Floats:
    return np.pad(x, ((0, 0), (0, 0), (width, width), (width, width)), mode="edge") if width else x


def _convolved(x: Floats, kernel: Floats, bias: Floats, stride: int) -> Floats:
    """Without padding, ``(N, I, H, W)`` → ``(N, O, h, w)``; a matrix product a tap."""
    outputs, inputs, rows, columns = kernel.shape
    height, width = (
        (side - taps) // stride + 1 for side, taps in zip(x.shape[2:], (rows, columns), strict=True)
    )
    result = np.empty((outputs, len(x) * height * width), np.float32)
    result[:] = bias[:, None]
    across = x.transpose(1, 0, 2, 3)
    for row in range(rows):
        for column in range(columns):
            tap = across[
                :, :, row : row + stride * height : stride, column : column + stride * width : stride
            ]
            result += kernel[:, :, row, column] @ tap.reshape(inputs, -1)
    return result.reshape(outputs, len(x), height, width).transpose(1, 0, 2, 3)


def _enlarged(x: Floats) -> Floats:
    """Depth to space of four phases, ``(N, 4 · C, H, W)`` → ``(N, C, 2 · H, 2 · W)``."""
    n, channels, height, width = x.shape
    phases = x.reshape(n, 2, 2, channels // 4, height, width).transpose(0, 3, 4, 1, 5, 2)
    return phases.reshape(n, channels // 4, 2 * height, 2 * width)
