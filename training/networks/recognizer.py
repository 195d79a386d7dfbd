"""Face recognition networks that a de-identifier is trained against, frozen."""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from training.networks.onnx_module import OnnxModule

CROP = 112
"""Pixels, the side of an aligned face as ArcFace and all that follow it take one."""
EMBEDDING = 128
_NARROW = slice(8, 104)
"""Columns that the second network sees."""
_BLOCKS = (
    (64, 128, 64, 2, False), *((64, 128, 64, 1, True),) * 4, (64, 256, 128, 2, False),
    *((128, 256, 128, 1, True),) * 6, (128, 512, 128, 2, False), *((128, 256, 128, 1, True),) * 2,
)  # fmt: skip
"""Inputs, channels between, outputs, stride, and whether the input is added."""
_TINY = 1e-5


class MobileFaceNet(nn.Module):
    """Aligned faces, RGB in [-1, 1], ``(N, 3, 112, 96)`` → embeddings ``(N, 128)``.

    Chen, Liu, Gao and Han 2018, "MobileFaceNets: Efficient CNNs for accurate real-time face verification".

    Args:
        weights: safetensors, with batch normalization as it was trained.

    Raises:
        ValueError: the file has not all of them.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        state = {name: each.float() for name, each in load_file(weights).items()}
        try:
            self.first = nn.Sequential(
                _layer(state, "conv1.conv", "conv1.bn", "conv1.prelu", stride=2, padding=1),
                _layer(state, "dw_conv1.conv", "dw_conv1.bn", "dw_conv1.prelu", padding=1),
            )
            self.blocks = nn.ModuleList(
                nn.Sequential(
                    *(
                        _layer(state, f"blocks.{number}.conv.{conv}", f"blocks.{number}.conv.{conv + 1}",
                               f"blocks.{number}.conv.{conv + 2}" if conv < 6 else None,
                               stride=stride if conv == 3 else 1, padding=1 if conv == 3 else 0)
                        for conv in (0, 3, 6)
                    )
                )
                for number, (_, _, _, stride, _) in enumerate(_BLOCKS)
            )  # fmt: skip
            self.last = nn.Sequential(
                _layer(state, "conv2.conv", "conv2.bn", "conv2.prelu"),
                _layer(state, "linear7.conv", "linear7.bn", None),
                _layer(state, "linear1.conv", "linear1.bn", None),
            )
        except KeyError as exc:
            raise ValueError(f"{weights}: has no {exc.args[0]}, so it is no MobileFaceNet") from exc

    def forward(self, faces: Tensor) -> Tensor:
        x = self.first(faces)
        for block, (_, _, _, _, added) in zip(self.blocks, _BLOCKS, strict=True):
            x = x + block(x) if added else block(x)
        return self.last(x).flatten(1)


class Recognizers(nn.Module):
    """Two recognition networks of different makers and data.

    Args:
        first: ONNX, RGB in [-1, 1], ``(N, 3, 112, 112)`` → ``(N, 128)``.
        second: a :class:`MobileFaceNet`'s weights.
    """

    def __init__(self, first: Path, second: Path) -> None:
        super().__init__()
        self.first = OnnxModule(first)
        self.second = MobileFaceNet(second)
        self.eval().requires_grad_(False)

    def embed(self, faces: Tensor, which: int) -> Tensor:
        """By one of them, 0 or 1: ``(N, 3, 112, 112)`` RGB in [-1, 1] → unit vectors ``(N, 128)``."""
        found = self.second(faces[:, :, :, _NARROW]) if which else self.first(faces)[0].flatten(1)
        return F.normalize(found.float(), dim=1)

    def forward(self, faces: Tensor) -> Tensor:
        """Both, ``(N, 2, 128)``."""
        return torch.stack([self.embed(faces, which) for which in range(2)], 1)


class _Prelu(nn.Module):
    """Frozen, without the gradient of its slopes that torch's own computes all the same."""

    slope: Tensor

    def __init__(self, slope: Tensor) -> None:
        super().__init__()
        self.register_buffer("slope", slope[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) - self.slope * torch.relu(-x)


def _layer(
    state: dict[str, Tensor], conv: str, norm: str, prelu: str | None, *, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    """A convolution with its normalization folded into it, and what follows."""
    kernel = state[f"{conv}.weight"]
    scale = state[f"{norm}.weight"] * (state[f"{norm}.running_var"] + _TINY).rsqrt()
    outputs, inputs = kernel.shape[:2]
    depthwise = inputs == 1
    layer = nn.Conv2d(
        outputs if depthwise else inputs, outputs, tuple(kernel.shape[2:]), stride, padding,  # type: ignore[arg-type]
        groups=outputs if depthwise else 1,
    )  # fmt: skip
    layer.weight = nn.Parameter(kernel * scale[:, None, None, None])
    layer.bias = nn.Parameter(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale)
    after = [_Prelu(state[f"{prelu}.weight"])] if prelu else []
    return nn.Sequential(layer, *after)
