"""The image transformation network of Johnson, Alahi and Fei-Fei (2016), the reference for style transfer.

"Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016, supplementary table 1, with two
later corrections in common use: instance instead of batch normalization (Ulyanov et al. 2016), and
nearest-neighbor resize + convolution instead of transposed convolution, which causes checkerboard artifacts
(Odena et al. 2016). 154k MAC per pixel.
"""

import torch
from torch import Tensor, nn

from training.networks.image_generator import ImageGenerator


def _layer(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.ReflectionPad2d(kernel // 2),
        nn.Conv2d(inputs, outputs, kernel, stride, bias=False),
        nn.InstanceNorm2d(outputs, affine=True),
        nn.ReLU(),
    )


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_layer(channels, channels, 3), *_layer(channels, channels, 3)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Johnson(ImageGenerator):
    """RGB ``(N, 3, H, W)`` in [0, 1] → the same; H and W must be multiples of ``stride`` (4)."""

    stride = 4

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_layer(3, 32, 9),
            *_layer(32, 64, 3, 2),
            *_layer(64, 128, 3, 2),
            *(_ResidualBlock(128) for _ in range(5)),
            nn.Upsample(scale_factor=2),
            *_layer(128, 64, 3),
            nn.Upsample(scale_factor=2),
            *_layer(64, 32, 3),
            nn.ReflectionPad2d(4),
            nn.Conv2d(32, 3, 9),
        )

    def forward(self, x: Tensor) -> Tensor:
        return (torch.tanh(self.body(x - 0.5)) + 1) / 2
