"""The generator for YUV 4:2:0 video: luma, and chroma at half the size, in and out.

Conversion from and to RGB is linear, so it merges into the first and the last matrix of the network. Half as many
bytes go in and come out, and they move in runs of a length that CPUs are fast at.
"""

import torch
from torch import Tensor, nn

from training.networks.exportable import ExportableNetwork
from training.networks.local_contrast import image_stats
from training.networks.patch_features import FoldedPatchFeatures
from training.networks.pixels import pixel_shuffle, pixel_unshuffle, quantize_image
from training.networks.swift import Swift
from training.networks.swift_layers import BlockConv
from training.networks.swift_translator import SwiftTranslator

_TO_RGB = ((1.0, 1.0, 1.0), (1.403, -0.714, 0.0), (0.0, -0.344, 1.773))
"""Matrix from Y, Cr and Cb to R, G and B: BT.601 at full range, as OpenCV computes it."""

_LUMA = (0.299, 0.587, 0.114)
_CR, _CB = 0.713, 0.564
_CHROMA_ZERO = 128


class Yuv420Model(nn.Module):
    """Luma ``(N, H, W)`` and chroma, Cr and Cb ``(N, H/2, W/2, 2)``, uint8 BT.601 at full range → the same.

    H and W are multiples of 8.

    Args:
        network: a :class:`Swift` that is folded and went through :meth:`Swift.prepare_int8`. It is changed.
    """

    def __init__(self, network: ExportableNetwork) -> None:
        super().__init__()
        assert isinstance(network, Swift) and isinstance(network.patch_features, FoldedPatchFeatures)
        assert isinstance(network.up_full, BlockConv)
        network.patch_features = YuvPatchFeatures(network.patch_features)
        # A translator's output is a residual on planes that include the offset of chroma.
        offset = 0.0 if isinstance(network, SwiftTranslator) else _CHROMA_ZERO / 255
        network.up_full = yuv_conv(network.up_full, offset)
        self.network = network

    def forward(self, luma: Tensor, chroma: Tensor, given_stats: Tensor | None = None) -> tuple[Tensor, ...]:
        """The output's luma and chroma, and the statistics, see :mod:`training.networks.local_contrast`."""
        blocks = torch.cat([pixel_unshuffle(luma[..., None], 4), pixel_unshuffle(chroma, 2)], 3)
        y, stats = self.network.run_blocks(blocks.float(), 255.0, given_stats)
        y = quantize_image(y).permute(0, 2, 3, 1)
        return pixel_shuffle(y[..., :16], 4).squeeze(3), pixel_shuffle(y[..., 16:], 2), stats


class YuvPatchFeatures(nn.Module):
    """As :class:`FoldedPatchFeatures`, from 16 luma and 4 × 2 chroma samples per block."""

    matrix: Tensor
    block_means: Tensor
    from_rgb: Tensor

    def __init__(self, features: FoldedPatchFeatures) -> None:
        super().__init__()
        to_rgb = rgb_from_yuv_blocks()
        self.register_buffer("matrix", to_rgb @ features.matrix)
        self.register_buffer("block_means", to_rgb @ features.block_means)
        self.register_buffer("from_rgb", torch.linalg.inv(torch.tensor(_TO_RGB)))

    def forward(
        self, blocks: Tensor, white: float, given_stats: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        # Offsets, such as that of chroma, cancel: everything here is a difference from a mean.
        color, local_mean, gain, of_image = image_stats(blocks @ self.block_means, white, given_stats)
        of_color = torch.stack([self.matrix[:16].sum(0), *self.matrix[16:].unflatten(0, (4, 2)).sum(0)])
        of_gray = of_color[:1].expand(blocks.shape[0], 1, 1, -1)
        weights = torch.cat([color @ (self.from_rgb @ of_color), of_gray], 2)
        mean = torch.cat([torch.ones_like(local_mean), local_mean], 3) @ weights
        return (blocks @ self.matrix - mean) * gain, of_image


def yuv_stats(stats: Tensor) -> Tensor:
    """Statistics of RGB, ``(1, 4)``, as :class:`YuvPatchFeatures` has them: with the offset of chroma."""
    _, *of_chroma = torch.tensor(_TO_RGB)
    offset = _CHROMA_ZERO * torch.stack(of_chroma).sum(0)
    return torch.cat([stats[:, :3] + offset, stats[:, 3:]], 1)


def rgb_from_yuv_blocks() -> Tensor:
    """The matrix from the samples of a block to its 16 RGB pixels, without offset, ``(24, 48)``."""
    matrix = torch.zeros(24, 4, 4, 3)
    of_luma, *of_chroma = torch.tensor(_TO_RGB)
    for place in range(16):
        matrix[place, place // 4, place % 4] = of_luma
    for place in range(4):
        rows, columns = _chroma_area(place)
        for index, color in enumerate(of_chroma):
            matrix[16 + 2 * place + index, rows, columns] = color
    return matrix.flatten(1)


def yuv_from_rgb_blocks() -> Tensor:
    """The matrix from the 16 RGB pixels of a block to its samples, without offset, ``(24, 48)``."""
    matrix = torch.zeros(24, 4, 4, 3)
    luma = torch.tensor(_LUMA)
    red, _, blue = torch.eye(3)
    for place in range(16):
        matrix[place, place // 4, place % 4] = luma
    for place in range(4):
        rows, columns = _chroma_area(place)
        for index, color in enumerate((_CR * (red - luma), _CB * (blue - luma))):
            matrix[16 + 2 * place + index, rows, columns] = color / 4
    return matrix.flatten(1)


@torch.no_grad()
def yuv_conv(conv: BlockConv, chroma_offset: float) -> BlockConv:
    """Kernels of 16 RGB pixels per block, ``(48, I, 3, 3)`` → those of its samples, ``(24, I, 3, 3)``.

    Args:
        chroma_offset: value of neutral chroma.
    """
    to_yuv = yuv_from_rgb_blocks()
    converted = BlockConv(conv.in_channels, 24, 3)
    converted.weight.copy_(torch.einsum("sp,pikl->sikl", to_yuv, conv.weight))
    assert conv.bias is not None and converted.bias is not None
    converted.bias.copy_(to_yuv @ conv.bias)
    converted.bias[16:] += chroma_offset
    return converted


def _chroma_area(place: int) -> tuple[slice, slice]:
    """Rows and columns of the 2×2 pixels that share the chroma sample ``place`` of a block."""
    row, column = divmod(place, 2)
    return slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2)
