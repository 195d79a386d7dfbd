"""Translators: uint8 in, uint8 out, around the networks that pix2pix, segmentation and vid2vid train.

For sizes that are multiples of ``stride`` they compute what an exported file computes.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.color_space import AB_SCALE, lab_from_rgb
from training.data.images import read_image, to_uint8
from training.data.labels import Classes, read_labels
from training.networks.color_classifier import ColorClassifier
from training.networks.exportable import ExportableNetwork, ExportSpec, ImageTensor
from training.networks.light_segmenter import LightSegmenter
from training.networks.pixels import quantize_image
from training.networks.resnet import ResNetGenerator
from training.networks.unet import UNet
from training.networks.vid2vid import SequentialGenerator

STATE_CHANNELS = 5
"""Channels of the recurrent state of :class:`LabelSequenceToImage`: RGB, class index, and whether it is known."""

_CHROMA_ZERO = 128
_IMAGE_PARITY = {"float32": 50.0, "compact": 30.0}
_LABEL_PARITY = {"float32": 0.999, "compact": 0.99}


class Translator(ExportableNetwork):
    """A network between uint8 tensors, ``(N, H, W)`` or ``(N, H, W, C)``.

    Args:
        network: the network that was trained.
    """

    INPUT: ImageTensor
    OUTPUT: ImageTensor

    def __init__(self, network: nn.Module, stride: int) -> None:
        super().__init__()
        self.network = network
        self.stride = stride

    @property
    def trained(self) -> nn.Module:
        return self.network

    def export_spec(self) -> ExportSpec:
        return ExportSpec(
            input=self.INPUT,
            output=self.OUTPUT,
            # The stride may be larger than the image, which then has too few pixels to reflect.
            padding="edge",
            example=(3, 2),
            precisions=("float32",),
            min_parity=_IMAGE_PARITY,
            compact="int8",
        )

    def run_bytes(self, input: Tensor, extra: Tensor | None = None, /) -> Tensor | tuple[Tensor, ...]:
        return self(input) if extra is None else self(input, extra)

    @torch.no_grad()
    def reference(self, input: Tensor) -> Tensor:
        return run_padded(self, input[None])[0]

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.network.parameters()).dtype


class LabelsToImage(Translator):
    """Class indices ``(N, H, W)`` uint8 → RGB ``(N, H, W, 3)`` uint8.

    Args:
        network: maps one-hot labels to RGB; its hyperbolic tangent is in [-1, 1].
        classes: of the labels.
    """

    INPUT, OUTPUT = ImageTensor("labels", 0), ImageTensor("output", 3)

    def __init__(self, network: UNet | ResNetGenerator, classes: Classes) -> None:
        super().__init__(network, network.stride)
        self.classes = classes

    def export_metadata(self) -> dict[str, Any]:
        return {"task": "translate", "classes": self.classes.as_pairs()}

    def read_input(self, path: Path) -> Tensor:
        return read_labels(path, self.classes)

    def forward(self, labels: Tensor) -> Tensor:
        indices = torch.arange(len(self.classes), dtype=torch.uint8, device=labels.device)
        one_hot = (labels[:, None] == indices[:, None, None]).to(self._dtype)
        return _rgb_bytes(torch.tanh(self.network(one_hot)))


class LabelSequenceToImage(Translator):
    """Class indices ``(N, H, W)`` uint8 and a state → RGB ``(N, H, W, 3)`` uint8 and the next state.

    The state is ``(N, 5, H, W)`` float32: the previous output, RGB in [-1, 1]; its class indices; and 1 where both
    are known. A state of zeros is the one before the first frame.

    Args:
        network: the sequential generator.
        classes: of the labels.
    """

    INPUT, OUTPUT = ImageTensor("labels", 0), ImageTensor("output", 3)

    def __init__(self, network: SequentialGenerator, classes: Classes) -> None:
        super().__init__(network, network.stride)
        self.classes = classes

    def export_spec(self) -> ExportSpec:
        return replace(super().export_spec(), state_channels=STATE_CHANNELS)

    def export_metadata(self) -> dict[str, Any]:
        return {
            "task": "translate",
            "stride": self.stride,
            "state": {"state": [STATE_CHANNELS, 1]},
            "classes": self.classes.as_pairs(),
        }

    def read_input(self, path: Path) -> Tensor:
        return read_labels(path, self.classes)

    def forward(self, labels: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        indices = torch.arange(len(self.classes), device=labels.device)[:, None, None]
        one_hot = (labels[:, None] == indices.to(torch.uint8)).float()
        previous = (state[:, 3:4] == indices.float()).float()
        image = self.network(one_hot, previous, state[:, :3], state[:, 4:]).image
        index = labels[:, None].float()
        return _rgb_bytes(image), torch.cat([image, index, torch.ones_like(index)], 1)

    @torch.no_grad()
    def reference(self, input: Tensor) -> Tensor:
        """The second of two frames with the same labels, which depends on the state after the first."""
        padded = edge_pad(input[None], self.stride)
        state = torch.zeros(1, STATE_CHANNELS, *padded.shape[1:])
        _, state = self(padded, state)
        image, _ = self(padded, state)
        return image[0, : input.shape[0], : input.shape[1]]


class ImageToImage(Translator):
    """RGB ``(N, H, W, 3)`` uint8 → the same.

    Args:
        network: maps RGB in [-1, 1] to RGB; its hyperbolic tangent is in [-1, 1].
    """

    INPUT, OUTPUT = ImageTensor("images", 3), ImageTensor("output", 3)

    def __init__(self, network: UNet | ResNetGenerator) -> None:
        super().__init__(network, network.stride)

    def export_metadata(self) -> dict[str, Any]:
        return {"task": "translate"}

    def forward(self, images: Tensor) -> Tensor:
        return _rgb_bytes(torch.tanh(self.network(_signed(images, self._dtype))))


class Segmenter(Translator):
    """RGB ``(N, H, W, 3)`` uint8 → class indices ``(N, H, W)`` uint8.

    Args:
        network: maps RGB in [-1, 1] to one score per class.
        classes: of the labels; ``void`` is never predicted.
    """

    INPUT, OUTPUT = ImageTensor("images", 3), ImageTensor("labels", 0)

    def __init__(self, network: UNet | ResNetGenerator | LightSegmenter, classes: Classes) -> None:
        super().__init__(network, network.stride)
        self.classes = classes

    def export_spec(self) -> ExportSpec:
        # Small differences of scores decide a class, which int8 weights would change.
        return replace(super().export_spec(), min_parity=_LABEL_PARITY, compact="float16")

    def export_metadata(self) -> dict[str, Any]:
        return {"task": "segment", "classes": self.classes.as_pairs()}

    def forward(self, images: Tensor) -> Tensor:
        scores = self.network(_signed(images, self._dtype))
        # Void is the last class: the label of pixels that nobody labeled.
        return scores[:, : len(self.classes.counted)].argmax(1).to(torch.uint8)


class Colorizer(Translator):
    """Lightness ``(N, H, W)`` uint8 → a and b of CIE Lab, each plus 128, ``(N, H, W, 2)`` uint8.

    Lightness is L · 255 / 100, the usual encoding of Lab in bytes.

    Args:
        network: maps L / 50 - 1 to a / 110 and b / 110, before the hyperbolic tangent.
        side: shorter side of the images that it was trained on.
    """

    INPUT, OUTPUT = ImageTensor("lightness", 0), ImageTensor("chroma", 2)

    def __init__(self, network: UNet | ResNetGenerator | ColorClassifier, side: int) -> None:
        super().__init__(network, network.stride)
        self.side = side

    def export_metadata(self) -> dict[str, Any]:
        return {"task": "colorize", "side": self.side}

    def read_input(self, path: Path) -> Tensor:
        image = to_uint8(read_image(path)[None]) / 255
        return ((lab_from_rgb(image)[0, 0] + 1) * 127.5).round().byte()

    def forward(self, lightness: Tensor) -> Tensor:
        level = lightness[:, None].to(self._dtype) * (2 / 255) - 1
        chroma = torch.tanh(self.network(level)).float() * AB_SCALE + _CHROMA_ZERO
        return chroma.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


class ColorClassifierTranslator(Colorizer):
    """:class:`Colorizer` of a network that classifies colors, at half the size of the lightness.

    Args:
        network: trained with the encoder's weights in it.
        side: shorter side of the images that it was trained on.
    """

    network: ColorClassifier

    def __init__(self, network: ColorClassifier, side: int) -> None:
        super().__init__(network, side)

    def forward(self, lightness: Tensor) -> Tensor:
        level = lightness[:, None].to(self._dtype) * (2 / 255) - 1
        chroma = self.network.chroma(self.network(level)).float()
        chroma = F.interpolate(chroma, scale_factor=2.0, mode="bilinear") * AB_SCALE + _CHROMA_ZERO
        return chroma.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def run_padded(translator: Translator, images: Tensor) -> Tensor:
    """Runs ``translator`` at any size: pads by edge pixels and crops, as the exported graph does."""
    height, width = images.shape[1:3]
    output: Tensor = translator(edge_pad(images, translator.stride))
    return output[:, :height, :width]


def edge_pad(images: Tensor, stride: int) -> Tensor:
    """``(N, H, W, …)`` with the last row and column repeated up to multiples of ``stride``."""
    height, width = images.shape[1:3]
    below, right = -height % stride, -width % stride
    rows = torch.arange(height + below, device=images.device).clamp(max=height - 1)
    columns = torch.arange(width + right, device=images.device).clamp(max=width - 1)
    return images[:, rows][:, :, columns]


def _signed(images: Tensor, dtype: torch.dtype) -> Tensor:
    """uint8 ``(N, H, W, C)`` → ``(N, C, H, W)`` in [-1, 1]."""
    return images.permute(0, 3, 1, 2).to(dtype) * (2 / 255) - 1


def _rgb_bytes(x: Tensor) -> Tensor:
    """RGB in [-1, 1], ``(N, 3, H, W)`` → uint8 ``(N, H, W, 3)``."""
    return quantize_image(F.relu((x + 1) / 2)).permute(0, 2, 3, 1)
