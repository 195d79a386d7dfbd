"""``swift-sr``: a fast upscaler of a few dense 3×3 convolutions and one pixel shuffle, for int8 on a CPU.

The network learns a residual on nearest-neighbor upsampling, so that the input's bytes bypass the convolutions
exactly. For ×2 it works on space-to-depth blocks of 2×2 pixels: a convolution there costs as much as one with
half the channels at full resolution, has twice the receptive field, and runs faster on CPUs.

It has no normalization. In training each kernel is a sum of parts (structural re-parameterization: Ding et al.
2021, "RepVGG"; Zhang et al. 2021, "Edge-oriented convolution block"). Being linear, the parts are added up
before use, so that training costs no more than without.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.image_generator import Upscaler
from training.networks.pixels import dequantize_bytes, pixel_shuffle, pixel_unshuffle, quantize_image

_GRAY = 128
"""The byte that becomes 0. Zero padding is then gray instead of a black frame."""


class _Architecture(NamedTuple):
    block: int
    channels: int
    layers: int


_ARCHITECTURES = {2: _Architecture(2, 48, 5), 4: _Architecture(1, 32, 10)}


class SummedConv(nn.Module):
    """A 3×3 convolution whose kernel is the sum of a plain one, one through more channels, and the identity.

    Args:
        inputs, outputs: channels; the identity takes part where they are equal.
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


class SwiftSR(Upscaler):
    """RGB ``(N, 3, H, W)`` in [0, 1] → ``(N, 3, scale·H, scale·W)``, not clamped.

    Args:
        scale: 2, where H and W must be multiples of ``stride`` (2), or 4.
    """

    repeats: Tensor

    def __init__(self, scale: int) -> None:
        super().__init__()
        block, channels, layers = _ARCHITECTURES[scale]
        self.scale, self.stride = scale, block
        self.receptive_field = block * (layers + 2)
        widths = [3 * block**2, *([channels] * (layers + 1)), 3 * (block * scale) ** 2]
        self.convolutions = nn.ModuleList(SummedConv(*pair) for pair in pairwise(widths))
        self._initialize_last()
        # Index of the input value in a block that each value of the upsampled block repeats.
        values = torch.arange(3 * block**2).reshape(block, block, 3)
        repeats = values.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
        self.register_buffer("repeats", repeats.flatten(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        blocks = pixel_unshuffle(x.permute(0, 2, 3, 1), self.stride)
        upsampled = blocks[..., self.repeats] + self._residual(blocks - _GRAY / 255)
        return pixel_shuffle(upsampled, self.stride * self.scale).permute(0, 3, 1, 2)

    def run_bytes(self, images: Tensor, extra: Tensor | None = None, /) -> Tensor | tuple[Tensor, ...]:
        """:meth:`forward` for uint8 ``(N, H, W, 3)``; pixel shuffles are done on bytes."""
        blocks = pixel_unshuffle(images, self.stride)
        dtype = next(self.parameters()).dtype
        residual = self._residual(dequantize_bytes(blocks, _GRAY).to(dtype))
        upsampled = quantize_image(dequantize_bytes(blocks[..., self.repeats]).to(dtype) + residual)
        return pixel_shuffle(upsampled, self.stride * self.scale)

    def fold(self) -> None:
        """Makes one kernel of each sum."""
        self.convolutions = nn.ModuleList(
            each.folded() if isinstance(each, SummedConv) else each for each in self.convolutions
        )

    def _residual(self, blocks: Tensor) -> Tensor:
        """``(N, h, w, 3·block²)`` → ``(N, h, w, 3·block²·scale²)``."""
        x = blocks.permute(0, 3, 1, 2)
        *hidden, last = self.convolutions
        for layer in hidden:
            x = F.relu(layer(x))
        return last(x).permute(0, 2, 3, 1)

    @torch.no_grad()
    def _initialize_last(self) -> None:
        """Starts with equal weights in all phases of a pixel (ICNR) and a residual near 0."""
        last = self.convolutions[-1]
        assert isinstance(last, SummedConv)
        for part in (last.plain, last.wide):
            phases = part.view(self.stride, self.scale, self.stride, self.scale, 3, *part.shape[1:])
            phases.copy_(0.1 * phases[:, :1, :, :1].expand_as(phases))
        last.bias.zero_()
        if last.identity is not None:
            last.identity.zero_()
