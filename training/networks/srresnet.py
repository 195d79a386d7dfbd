"""SRResNet (Ledig et al. 2017, "Photo-realistic single image super-resolution using a GAN", figure 4).

The reference for super-resolution, and SRGAN's generator: 16 residual blocks at the size of the input, then one
or two steps of pixel shuffle. 2.2M MAC per pixel of the input for ×4.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.networks.image_generator import Upscaler
from training.networks.pixels import dequantize_bytes, quantize_image

_CHANNELS = 64
_BLOCKS = 16


class _Block(nn.Module):
    """Convolution, batch normalization, PReLU, convolution, batch normalization, with a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*_layer(), nn.PReLU(), *_layer())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class SRResNet(Upscaler):
    """RGB ``(N, 3, H, W)`` in [0, 1] → ``(N, 3, scale·H, scale·W)``, not clamped.

    Args:
        scale: 2 or 4.
    """

    stride = 1
    receptive_field = 40

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.head = nn.Sequential(nn.Conv2d(3, _CHANNELS, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(_Block() for _ in range(_BLOCKS)), *_layer())
        self.tail = nn.Sequential(
            *(each for _ in range(round(math.log2(scale))) for each in _upsampling()),
            nn.Conv2d(_CHANNELS, 3, 9, padding=4),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(x)
        return self.tail(x + self.body(x))

    def run_bytes(self, images: Tensor, extra: Tensor | None = None, /) -> Tensor | tuple[Tensor, ...]:
        dtype = next(self.parameters()).dtype
        x = dequantize_bytes(images).to(dtype).permute(0, 3, 1, 2)
        return quantize_image(self(x)).permute(0, 2, 3, 1)

    def fold(self) -> None:
        """Merges batch normalization into the convolutions before it."""
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


def _upsampling() -> tuple[nn.Module, ...]:
    """Upsampling by 2 with pixel shuffle; its four phases start with equal weights (ICNR, Aitken et al. 2017)."""
    convolution = nn.Conv2d(_CHANNELS, 4 * _CHANNELS, 3, padding=1)
    with torch.no_grad():
        for values in convolution.parameters():
            values.copy_(values[::4].repeat_interleave(4, 0))
    return convolution, nn.PixelShuffle(2), nn.PReLU()
