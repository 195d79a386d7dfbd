"""The generator for pictures as films have them: luma, and colour at half the size, in and out.

Converting between these and RGB is linear, so it disappears into the first and the last matrix of the
network; and half as many bytes go in and come out, in runs of a length that processors like.
"""

import torch
from torch import Tensor, nn

from training.networks.local_contrast import light
from training.networks.pixels import fold_pixels, quantize_picture, unfold_pixels
from training.networks.swift import CellConv, FoldedCells, Swift
from training.networks.swift_translator import SwiftTranslator

_TO_RGB = ((1.0, 1.0, 1.0), (1.403, -0.714, 0.0), (0.0, -0.344, 1.773))
"""What Y, Cr and Cb add to R, G and B: BT.601 at full range, as OpenCV computes it."""

_LUMA = (0.299, 0.587, 0.114)
_CR, _CB = 0.713, 0.564


class PlanarModel(nn.Module):
    """Luma ``(N, H, W)`` and chroma, Cr and Cb ``(N, H/2, W/2, 2)``, uint8 BT.601 at full range → the same.

    H and W are multiples of 8.

    Args:
        swift: folded, and with everything on cells, as :func:`export.quantize.prepare_cells` leaves it. It is
            changed.
    """

    def __init__(self, swift: Swift) -> None:
        super().__init__()
        assert isinstance(swift.cells, FoldedCells) and isinstance(swift.up_full, CellConv)
        swift.cells = PlanarCells(swift.cells)
        # A translator adds to planes that have the 128 of chroma already.
        middle = 0.0 if isinstance(swift, SwiftTranslator) else 128 / 255
        swift.up_full = planar_conv(swift.up_full, middle)
        self.generator = swift

    def forward(self, luma: Tensor, chroma: Tensor, known: Tensor | None = None) -> tuple[Tensor, ...]:
        """The painted planes, and what is to be known of their light, see :mod:`training.networks.local_contrast`."""
        cells = torch.cat([fold_pixels(luma[..., None], 4), fold_pixels(chroma, 2)], 3)
        y, whole = self.generator.paint_cells(cells.float(), 255.0, known)
        y = quantize_picture(y).permute(0, 2, 3, 1)
        return unfold_pixels(y[..., :16], 4).squeeze(3), unfold_pixels(y[..., 16:], 2), whole


class PlanarCells(nn.Module):
    """As :class:`FoldedCells`, from 16 luma and 4 × 2 chroma samples a cell."""

    patterns: Tensor
    means: Tensor
    from_rgb: Tensor

    def __init__(self, cells: FoldedCells) -> None:
        super().__init__()
        spread = spread_over_pixels()
        self.register_buffer("patterns", spread @ cells.patterns)
        self.register_buffer("means", spread @ cells.means)
        self.register_buffer("from_rgb", torch.linalg.inv(torch.tensor(_TO_RGB)))

    def forward(self, cells: Tensor, white: float, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
        # Offsets, such as the 128 of chroma, cancel: everything here is a difference from a mean.
        colour, shade, gain, whole = light(cells @ self.means, white, known)
        of_colour = torch.stack([self.patterns[:16].sum(0), *self.patterns[16:].unflatten(0, (4, 2)).sum(0)])
        of_grey = of_colour[:1].expand(cells.shape[0], 1, 1, -1)
        of_both = torch.cat([colour @ (self.from_rgb @ of_colour), of_grey], 2)
        taken = torch.cat([torch.ones_like(shade), shade], 3) @ of_both
        return (cells @ self.patterns - taken) * gain, whole


def light_of_planes(given: Tensor) -> Tensor:
    """The light of pictures, ``(1, 4)``, as :class:`PlanarCells` has it: with the 128 of chroma in it."""
    _, *of_chroma = torch.tensor(_TO_RGB)
    offset = 128 * torch.stack(of_chroma).sum(0)
    return torch.cat([given[:, :3] + offset, given[:, 3:]], 1)


def spread_over_pixels() -> Tensor:
    """From the samples of a cell to its 16 pixels in RGB, but for an offset, ``(24, 48)``."""
    matrix = torch.zeros(24, 4, 4, 3)
    of_luma, *of_chroma = torch.tensor(_TO_RGB)
    for place in range(16):
        matrix[place, place // 4, place % 4] = of_luma
    for place in range(4):
        rows, columns = (slice(2 * each, 2 * each + 2) for each in divmod(place, 2))
        for index, colour in enumerate(of_chroma):
            matrix[16 + 2 * place + index, rows, columns] = colour
    return matrix.flatten(1)


@torch.no_grad()
def planar_conv(conv: CellConv, middle: float) -> CellConv:
    """From kernels of 16 RGB pixels a cell, ``(48, I, 3, 3)``, to those of its samples, ``(24, I, 3, 3)``.

    Args:
        middle: what chroma without colour is to be.
    """
    to_planes = samples_of_pixels()
    planar = CellConv(conv.in_channels, 24, 3)
    planar.weight.copy_(torch.einsum("sp,pikl->sikl", to_planes, conv.weight))
    assert conv.bias is not None and planar.bias is not None
    planar.bias.copy_(to_planes @ conv.bias)
    planar.bias[16:] += middle
    return planar


def samples_of_pixels() -> Tensor:
    """From the 16 pixels of a cell in RGB to its samples, but for an offset, ``(24, 48)``."""
    matrix = torch.zeros(24, 4, 4, 3)
    luma = torch.tensor(_LUMA)
    red, _, blue = torch.eye(3)
    for place in range(16):
        matrix[place, place // 4, place % 4] = luma
    for place in range(4):
        rows, columns = (slice(2 * each, 2 * each + 2) for each in divmod(place, 2))
        for index, colour in enumerate((_CR * (red - luma), _CB * (blue - luma))):
            matrix[16 + 2 * place + index, rows, columns] = colour / 4
    return matrix.flatten(1)
