"""The residual generator of CycleGAN (Zhu et al. 2017), after Johnson et al. 2016; pix2pix's other one.

The transposed convolutions of the paper are nearest-neighbour resize + 3×3 ones, which leave no checkerboard
(Odena et al. 2016).
"""

import torch
from torch import Tensor, nn

from training.networks.pixels import quantize_picture
from training.networks.unet import NORMS


class ResNetGenerator(nn.Module):
    """``(N, inputs, H, W)`` → ``(N, outputs, H, W)``, not bounded; sides are multiples of ``stride``.

    Args:
        inputs, outputs: channels.
        width: channels at full resolution; twice as many at a half, four times at a quarter.
        blocks: residual blocks at a quarter; the paper has 9 for pictures of 256 pixels.
        dropout: within blocks while training.
        norm: one of :data:`training.networks.unet.NORMS`.
    """

    stride = 4

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 64,
        blocks: int = 9,
        dropout: bool = False,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_layer(inputs, width, 7, norm),
            *_layer(width, 2 * width, 3, norm, stride=2),
            *_layer(2 * width, 4 * width, 3, norm, stride=2),
            *(_Block(4 * width, dropout, norm) for _ in range(blocks)),
            nn.Upsample(scale_factor=2),
            *_layer(4 * width, 2 * width, 3, norm),
            nn.Upsample(scale_factor=2),
            *_layer(2 * width, width, 3, norm),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, outputs, 7),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class ResNetPainter(ResNetGenerator):
    """The paper's, with 9 blocks, as a generator of pictures: RGB in [0, 1] → the same."""

    def __init__(self) -> None:
        super().__init__(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return (torch.tanh(super().forward(2 * x - 1)) + 1) / 2

    def repaint_bytes(self, pictures: Tensor) -> Tensor:
        """:meth:`forward` for uint8 ``(N, H, W, 3)``."""
        x = pictures.permute(0, 3, 1, 2).to(next(self.parameters()).dtype) / 255
        return quantize_picture(self(x)).permute(0, 2, 3, 1)


class _Block(nn.Module):
    def __init__(self, channels: int, dropout: bool, norm: str) -> None:
        super().__init__()
        noise = [nn.Dropout(0.5)] if dropout else []
        first, second = _layer(channels, channels, 3, norm), _layer(channels, channels, 3, norm)
        self.body = nn.Sequential(*first, *noise, *second[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def _layer(inputs: int, outputs: int, kernel: int, norm: str, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.ReflectionPad2d(kernel // 2),
        nn.Conv2d(inputs, outputs, kernel, stride, bias=False),
        NORMS[norm](outputs),
        nn.ReLU(),
    )
