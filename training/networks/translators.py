"""Translators as they are used: bytes in, bytes out, round the networks that were trained.

What they compute of pictures whose sides are multiples of ``stride`` is what an exported file computes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.labels import Classes
from training.networks.pixels import quantize_picture
from training.networks.resnet import ResNetGenerator
from training.networks.unet import UNet
from training.networks.vid2vid import SequentialGenerator

Network = UNet | ResNetGenerator

_CHROMA_ZERO = 128
_WIDEST = 110.0


class LabelPainter(nn.Module):
    """Class indices ``(N, H, W)`` uint8 → RGB ``(N, H, W, 3)`` uint8.

    Args:
        network: maps one channel a class, 0 and 1, to RGB, whose hyperbolic tangent is in [-1, 1].
        classes: of the labels.
    """

    def __init__(self, network: Network, classes: Classes) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.stride = network.stride

    def forward(self, labels: Tensor) -> Tensor:
        indices = torch.arange(len(self.classes), dtype=torch.uint8, device=labels.device)
        one_hot = (labels[:, None] == indices[:, None, None]).to(_dtype(self.network))
        return _rgb_bytes(torch.tanh(self.network(one_hot)))


class SequencePainter(nn.Module):
    """Class indices ``(N, H, W)`` uint8 and a past → RGB ``(N, H, W, 3)`` uint8 and the next past.

    A past is ``(N, 5, H, W)`` float32: the picture before, RGB in [-1, 1]; its class indices; and 1 where all
    that is known, so that zeros are no past.

    Args:
        network: the sequential generator.
        classes: of the labels.
    """

    def __init__(self, network: SequentialGenerator, classes: Classes) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.stride = network.stride

    def forward(self, labels: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        indices = torch.arange(len(self.classes), device=labels.device)[:, None, None]
        now = (labels[:, None] == indices.to(torch.uint8)).float()
        before = (past[:, 3:4] == indices.float()).float()
        made = self.network(now, before, past[:, :3], past[:, 4:]).picture
        index = labels[:, None].float()
        return _rgb_bytes(made), torch.cat([made, index, torch.ones_like(index)], 1)


class PicturePainter(nn.Module):
    """RGB ``(N, H, W, 3)`` uint8 → the same.

    Args:
        network: maps RGB in [-1, 1] to RGB, whose hyperbolic tangent is in [-1, 1].
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.stride = network.stride

    def forward(self, pictures: Tensor) -> Tensor:
        return _rgb_bytes(torch.tanh(self.network(_signed(pictures, _dtype(self.network)))))


class Segmenter(nn.Module):
    """RGB ``(N, H, W, 3)`` uint8 → class indices ``(N, H, W)`` uint8.

    Args:
        network: maps RGB in [-1, 1] to one score a class.
        classes: what it tells apart; ``void`` is never the answer.
    """

    def __init__(self, network: Network, classes: Classes) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.stride = network.stride

    def forward(self, pictures: Tensor) -> Tensor:
        scores = self.network(_signed(pictures, _dtype(self.network)))
        # Void comes last, and is never meant: nobody said what is there.
        return scores[:, : len(self.classes.counted)].argmax(1).to(torch.uint8)


class Colorizer(nn.Module):
    """Lightness ``(N, H, W)`` uint8 → a and b of CIE Lab, each plus 128, ``(N, H, W, 2)`` uint8.

    Lightness is L · 255 / 100, as bytes of Lab are usually kept.

    Args:
        network: maps L / 50 - 1 to what the hyperbolic tangent makes a / 110 and b / 110 of.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.stride = network.stride

    def forward(self, lightness: Tensor) -> Tensor:
        level = lightness[:, None].to(_dtype(self.network)) * (2 / 255) - 1
        chroma = torch.tanh(self.network(level)).float() * _WIDEST + _CHROMA_ZERO
        return chroma.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


Translator = LabelPainter | PicturePainter | Segmenter | Colorizer
PAST = 5
"""Channels of the past of a :class:`SequencePainter`."""


def on_any_size(translator: Translator, pictures: Tensor) -> Tensor:
    """``translator`` of pictures whose sides are no multiples of its stride: borders are repeated.

    As the exported graph does it.
    """
    height, width = pictures.shape[1:3]
    below, right = -height % translator.stride, -width % translator.stride
    rows = torch.arange(height + below, device=pictures.device).clamp(max=height - 1)
    columns = torch.arange(width + right, device=pictures.device).clamp(max=width - 1)
    made: Tensor = translator(pictures[:, rows][:, :, columns])
    return made[:, :height, :width]


def _dtype(network: nn.Module) -> torch.dtype:
    return next(network.parameters()).dtype


def _signed(pictures: Tensor, dtype: torch.dtype) -> Tensor:
    return pictures.permute(0, 3, 1, 2).to(dtype) * (2 / 255) - 1


def _rgb_bytes(x: Tensor) -> Tensor:
    """RGB in [-1, 1], ``(N, 3, H, W)``."""
    return quantize_picture(F.relu((x + 1) / 2)).permute(0, 2, 3, 1)
