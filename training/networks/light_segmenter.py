"""Semantic segmentation on the early blocks of an ImageNet network, small and fast."""

import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.efficientnet import CHANNELS, EfficientNetLite0

_SCALES = 4
"""Scales of the encoder; the last, at 1/32, holds three quarters of its weights."""
_WIDTHS = 16, 24, 40, 64


class LightSegmenter(nn.Module):
    """RGB in [-1, 1], ``(N, 3, H, W)`` → one score per class, ``(N, classes, H, W)``; sides are multiples of 32.

    The blocks of :class:`EfficientNetLite0` down to 1/16 of the size, trained along; a context of 1/32; and a
    decoder that ends at half the size, whose scores are interpolated.

    Args:
        classes: number of classes.
        dropout: share of the decoder's deepest features that training drops.
    """

    stride = 32

    def __init__(self, classes: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = EfficientNetLite0(_SCALES).requires_grad_(True)
        self.lateral = nn.ModuleList(
            nn.Conv2d(channels, width, 1) for channels, width in zip(CHANNELS[:_SCALES], _WIDTHS, strict=True)
        )
        self.context = nn.Sequential(
            _convolution(_WIDTHS[-1], _WIDTHS[-1]), _convolution(_WIDTHS[-1], _WIDTHS[-1])
        )
        self.dropout = nn.Dropout2d(dropout)
        self.narrow = nn.ModuleList(
            nn.Conv2d(coarse, fine, 1)
            for coarse, fine in zip((_WIDTHS[-1], *_WIDTHS[:0:-1]), _WIDTHS[::-1], strict=True)
        )
        self.decoder = nn.ModuleList(_convolution(width, width) for width in _WIDTHS[::-1])
        self.last = nn.Conv2d(_WIDTHS[0], classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        features = self.encoder((images + 1) / 2)
        scales = [lateral(each) for lateral, each in zip(self.lateral, features, strict=True)]
        x = self.context(self.dropout(F.avg_pool2d(scales[-1], 2)))
        for narrow, stage in zip(self.narrow, self.decoder, strict=True):
            x = stage(_upsample(narrow(x)) + scales.pop())
        return _upsample(self.last(x))


def _upsample(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
