"""The fast upscaler: a few dense 3×3 convolutions and one pixel shuffle, made to run in int8 on a CPU.

What it learns is the difference to the input with every pixel repeated, so bytes pass by the convolutions
exactly. For ×2 it works on cells of 2×2 pixels: a convolution there costs as much as one with half the
channels on pixels, sees twice as far, and processors are faster at it.

Nothing is normalised. What lends training a hand instead is that each kernel is learned as a sum of parts
(structural re-parameterisation: Ding et al. 2021, "RepVGG"; Zhang et al. 2021, "Edge-oriented convolution
block"). Being linear, the parts are added up before they are used: training costs no more than without.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.pixels import fold_pixels, quantize_picture, read_bytes, unfold_pixels

_GREY = 128
"""The byte that becomes 0, so that the zeros around what convolutions work on are no black frame."""


class _Shape(NamedTuple):
    cell: int
    channels: int
    layers: int


_SHAPES = {2: _Shape(2, 48, 5), 4: _Shape(1, 32, 10)}


class SummedConv(nn.Module):
    """A 3×3 convolution whose kernel is a sum: a plain one, one through more channels, and the identity.

    Args:
        inputs, outputs: channels; where they are equal, the identity takes part.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        plain = nn.Conv2d(inputs, outputs, 3)
        wide = nn.Conv2d(2 * outputs, outputs, 3)
        self.plain, self.bias = plain.weight, nn.Parameter(torch.zeros(outputs))
        self.wide = wide.weight
        self.widening = nn.Linear(inputs, 2 * outputs, bias=False).weight
        self.identity = nn.Parameter(torch.ones(outputs)) if inputs == outputs else None

    def kernel(self) -> Tensor:
        """``(outputs, inputs, 3, 3)``."""
        through = torch.einsum("owyx,wi->oiyx", self.wide, self.widening)
        kernel = self.plain + through
        if self.identity is None:
            return kernel
        return kernel + F.pad(torch.diag(self.identity)[:, :, None, None], (1, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.kernel(), self.bias, padding=1)

    @torch.no_grad()
    def folded(self) -> nn.Conv2d:
        """The same as one plain convolution."""
        kernel = self.kernel()
        convolution = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        convolution.load_state_dict({"weight": kernel, "bias": self.bias})
        return convolution


class SwiftSR(nn.Module):
    """RGB ``(N, 3, H, W)`` in [0, 1] → ``(N, 3, scale·H, scale·W)``, not clamped.

    Args:
        scale: 2, where H and W must be multiples of ``stride`` (2), or 4.

    Attributes:
        reach: pixels round one that have a say in what becomes of it.
    """

    places: Tensor

    def __init__(self, scale: int) -> None:
        super().__init__()
        cell, channels, layers = _SHAPES[scale]
        self.scale, self.stride = scale, cell
        self.reach = cell * (layers + 2)
        widths = [3 * cell**2, *([channels] * (layers + 1)), 3 * (cell * scale) ** 2]
        self.convolutions = nn.ModuleList(SummedConv(*pair) for pair in pairwise(widths))
        self._begin_alike()
        # Which value of a cell each value of an enlarged cell repeats.
        cells = torch.arange(3 * cell**2).reshape(cell, cell, 3)
        places = cells.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
        self.register_buffer("places", places.flatten(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        cells = fold_pixels(x.permute(0, 2, 3, 1), self.stride)
        enlarged = cells[..., self.places] + self._detail(cells - _GREY / 255)
        return unfold_pixels(enlarged, self.stride * self.scale).permute(0, 3, 1, 2)

    def repaint_bytes(self, pictures: Tensor) -> Tensor:
        """:meth:`forward` for uint8 ``(N, H, W, 3)``; pixels are moved as bytes."""
        cells = fold_pixels(pictures, self.stride)
        dtype = next(self.parameters()).dtype
        detail = self._detail(read_bytes(cells, _GREY).to(dtype))
        enlarged = quantize_picture(read_bytes(cells[..., self.places]).to(dtype) + detail)
        return unfold_pixels(enlarged, self.stride * self.scale)

    def fold(self) -> None:
        """Makes one kernel of each sum; for evaluation only."""
        self.convolutions = nn.ModuleList(
            each.folded() if isinstance(each, SummedConv) else each for each in self.convolutions
        )

    def _detail(self, cells: Tensor) -> Tensor:
        """``(N, h, w, 3·cell²)`` → ``(N, h, w, 3·cell²·scale²)``."""
        x = cells.permute(0, 3, 1, 2)
        *hidden, last = self.convolutions
        for layer in hidden:
            x = F.relu(layer(x))
        return last(x).permute(0, 2, 3, 1)

    @torch.no_grad()
    def _begin_alike(self) -> None:
        """The pixels that one becomes begin alike (ICNR), and near to what is repeated."""
        last = self.convolutions[-1]
        assert isinstance(last, SummedConv)
        for part in (last.plain, last.wide):
            phases = part.view(self.stride, self.scale, self.stride, self.scale, 3, *part.shape[1:])
            phases.copy_(0.1 * phases[:, :1, :, :1].expand_as(phases))
        last.bias.zero_()
        if last.identity is not None:
            last.identity.zero_()
