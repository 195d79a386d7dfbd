"""SRResNet (Ledig et al. 2017, "Photo-realistic single image super-resolution using a GAN", figure 4).

The reference for all upscalers, and SRGAN's generator: 16 residual blocks at the size of the input, then
two steps of pixel shuffling. 2.2M MAC per pixel of the input for ×4.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.networks.pixels import quantize_picture, read_bytes

_CHANNELS = 64
_BLOCKS = 16


class _Block(nn.Module):
    """Convolution, normalisation, PReLU, convolution, normalisation, beside the identity."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*_layer(), nn.PReLU(), *_layer())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class SRResNet(nn.Module):
    """RGB ``(N, 3, H, W)`` in [0, 1] → ``(N, 3, scale·H, scale·W)``, not clamped.

    Args:
        scale: 2 or 4.
    """

    stride = 1
    reach = 40
    """Pixels round one that have a say in what becomes of it."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.head = nn.Sequential(nn.Conv2d(3, _CHANNELS, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(_Block() for _ in range(_BLOCKS)), *_layer())
        self.tail = nn.Sequential(
            *(each for _ in range(round(math.log2(scale))) for each in _enlarging()),
            nn.Conv2d(_CHANNELS, 3, 9, padding=4),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(x)
        return self.tail(x + self.body(x))

    def repaint_bytes(self, pictures: Tensor) -> Tensor:
        """:meth:`forward` for uint8 ``(N, H, W, 3)``."""
        dtype = next(self.parameters()).dtype
        x = read_bytes(pictures).to(dtype).permute(0, 3, 1, 2)
        return quantize_picture(self(x)).permute(0, 2, 3, 1)

    def fold(self) -> None:
        """Merges normalisation into the convolutions before it; for evaluation only."""
        self.eval()
        for sequence in [each for each in self.modules() if isinstance(each, nn.Sequential)]:
            for index, layer in enumerate(sequence):
                before = sequence[index - 1]
                if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
                    sequence[index - 1] = fuse_conv_bn_eval(before, layer)
                    sequence[index] = nn.Identity()


def _layer() -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(_CHANNELS)


def _enlarging() -> tuple[nn.Module, ...]:
    """Twice as large, by a convolution whose four phases begin alike (ICNR, Aitken et al. 2017)."""
    convolution = nn.Conv2d(_CHANNELS, 4 * _CHANNELS, 3, padding=1)
    with torch.no_grad():
        for values in convolution.parameters():
            values.copy_(values[::4].repeat_interleave(4, 0))
    return convolution, nn.PixelShuffle(2), nn.PReLU()
