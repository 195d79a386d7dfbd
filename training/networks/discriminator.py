"""Discriminators: what tells pictures of a generator from real ones.

They map pictures, RGB in [0, 1] or whatever a generator makes, to scores, high for what looks real, as
:mod:`training.losses.adversarial` takes them.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.unet import NORMS

_SLOPE = 0.2
_LEDIG = (64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2)


def convolutions(layers: Sequence[tuple[int, int]], *, kernel: int = 3, inputs: int = 3) -> nn.Sequential:
    """Convolutions of so many channels and strides, normalised by batch from the second on, leaky ReLUs."""
    stages: list[nn.Module] = []
    for number, (channels, stride) in enumerate(layers):
        stages.append(nn.Conv2d(inputs, channels, kernel, stride, (kernel - 1) // 2, bias=number == 0))
        if number:
            stages.append(nn.BatchNorm2d(channels))
        stages.append(nn.LeakyReLU(_SLOPE))
        inputs = channels
    return nn.Sequential(*stages)


class PictureDiscriminator(nn.Module):
    """One score a picture (Ledig et al. 2017, figure 4): ``(N, 3, side, side)`` → ``(N, 1)``.

    Args:
        side: of the pictures; a multiple of 16.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.convolutions = convolutions(_LEDIG)
        cells = (side // 16) ** 2
        self.verdict = nn.Sequential(
            nn.Flatten(), nn.Linear(512 * cells, 1024), nn.LeakyReLU(_SLOPE), nn.Linear(1024, 1)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        return self.verdict(self.convolutions(2 * pictures - 1))


class PatchDiscriminator(nn.Module):
    """One score a patch of 70×70 pixels (Isola et al. 2017): ``(N, inputs, H, W)`` → ``(N, 1, h, w)``.

    Conditional, where the condition is among the inputs. Normalised but for the first convolution.

    Args:
        inputs: channels.
        width: channels of the first stage.
        layers: of stride 2; 3 for patches of 70 pixels.
        norm: one of :data:`training.networks.unet.NORMS`.
    """

    def __init__(self, inputs: int, *, width: int = 64, layers: int = 3, norm: str = "batch") -> None:
        super().__init__()
        widths = [width * min(2**stage, 8) for stage in range(layers + 1)]
        strides = [2] * layers + [1]
        self.stages = nn.ModuleList()
        for stage, (channels, stride) in enumerate(zip(widths, strides, strict=True)):
            normed = [NORMS[norm](channels)] if stage else []
            conv = nn.Conv2d(inputs, channels, 4, stride, 1)
            self.stages.append(nn.Sequential(conv, *normed, nn.LeakyReLU(_SLOPE)))
            inputs = channels
        self.verdict = nn.Conv2d(inputs, 1, 4, 1, 1)

    def features(self, x: Tensor) -> list[Tensor]:
        """What it sees, stage by stage, which feature matching compares."""
        seen = []
        for stage in self.stages:
            x = stage(x)
            seen.append(x)
        return seen

    def forward(self, x: Tensor) -> Tensor:
        return self.verdict(self.features(x)[-1])


class MultiScaleDiscriminator(nn.Module):
    """The same discriminator for the picture, its half, and so on (Wang et al. 2018, pix2pixHD).

    Scores of coarse scales are repeated to the size of the finest, ``(N, scales, h, w)``: all weigh alike.

    Args:
        inputs, width, layers, norm: of :class:`PatchDiscriminator`.
        scales: how many.
    """

    def __init__(
        self, inputs: int, *, scales: int = 2, width: int = 64, layers: int = 3, norm: str = "batch"
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(inputs, width=width, layers=layers, norm=norm) for _ in range(scales)
        )

    def features(self, x: Tensor) -> list[Tensor]:
        """Of all scales, finest first."""
        found: list[Tensor] = []
        for scale, seen in zip(self.scales, self._sizes(x), strict=True):
            assert isinstance(scale, PatchDiscriminator)
            found.extend(scale.features(seen))
        return found

    def forward(self, x: Tensor) -> Tensor:
        scores = [scale(seen) for scale, seen in zip(self.scales, self._sizes(x), strict=True)]
        size = scores[0].shape[2:]
        return torch.cat([F.interpolate(each.float(), size) for each in scores], 1)

    def _sizes(self, x: Tensor) -> list[Tensor]:
        sizes = [x]
        while len(sizes) < len(self.scales):
            sizes.append(F.avg_pool2d(sizes[-1], 2))
        return sizes
