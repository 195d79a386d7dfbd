"""The residual generator of CycleGAN (Zhu et al. 2017), after Johnson et al. 2016; pix2pix has it as well.

The paper's transposed convolutions are replaced by nearest-neighbor resize + 3×3 convolution, which causes no
checkerboard artifacts (Odena et al. 2016).
"""

import torch
from torch import Tensor, nn

from training.networks.image_generator import ImageGenerator
from training.networks.norms import NORMS


class ResNetGenerator(nn.Module):
    """``(N, inputs, H, W)`` → ``(N, outputs, H, W)``, unbounded; sides must be multiples of ``stride``.

    Args:
        inputs, outputs: channels.
        base_channels: at full resolution; twice as many at a half, four times at a quarter.
        blocks: residual blocks at a quarter; the paper has 9 for images of 256 pixels.
        dropout: within blocks in training.
        norm: one of :data:`training.networks.norms.NORMS`.
    """

    stride = 4

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        base_channels: int = 64,
        blocks: int = 9,
        dropout: bool = False,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        self.body = _body(inputs, outputs, base_channels, blocks, dropout, norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class ResNetImageGenerator(ImageGenerator):
    """The paper's network with 9 blocks: RGB in [0, 1] → the same."""

    stride = ResNetGenerator.stride

    def __init__(self) -> None:
        super().__init__()
        self.body = _body(3, 3, 64, 9, dropout=False, norm="instance")

    def forward(self, x: Tensor) -> Tensor:
        return (torch.tanh(self.body(2 * x - 1)) + 1) / 2


def _body(inputs: int, outputs: int, channels: int, blocks: int, dropout: bool, norm: str) -> nn.Sequential:
    return nn.Sequential(
        *_layer(inputs, channels, 7, norm),
        *_layer(channels, 2 * channels, 3, norm, stride=2),
        *_layer(2 * channels, 4 * channels, 3, norm, stride=2),
        *(_Block(4 * channels, dropout, norm) for _ in range(blocks)),
        nn.Upsample(scale_factor=2),
        *_layer(4 * channels, 2 * channels, 3, norm),
        nn.Upsample(scale_factor=2),
        *_layer(2 * channels, channels, 3, norm),
        nn.ReflectionPad2d(3),
        nn.Conv2d(channels, outputs, 7),
    )


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
