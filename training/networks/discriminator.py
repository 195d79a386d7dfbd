"""Discriminators: networks that tell generated images from real ones.

They map images to scores, high for images that look real, as :mod:`training.losses.adversarial` takes them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.norms import NORMS

_SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """PatchGAN, one score per 70×70 patch (Isola et al. 2017): ``(N, inputs, H, W)`` → ``(N, 1, h, w)``.

    A conditional discriminator has the condition among its inputs. All convolutions but the first are normalized.

    Args:
        inputs: channels.
        base_channels: channels of the first stage; they double from stage to stage, up to eight times as many.
        layers: convolutions of stride 2; 3 for patches of 70 pixels.
        norm: one of :data:`training.networks.norms.NORMS`.
    """

    def __init__(self, inputs: int, *, base_channels: int = 64, layers: int = 3, norm: str = "batch") -> None:
        super().__init__()
        widths = [base_channels * min(2**stage, 8) for stage in range(layers + 1)]
        strides = [2] * layers + [1]
        self.stages = nn.ModuleList()
        for stage, (channels, stride) in enumerate(zip(widths, strides, strict=True)):
            normed = [NORMS[norm](channels)] if stage else []
            conv = nn.Conv2d(inputs, channels, 4, stride, 1)
            self.stages.append(nn.Sequential(conv, *normed, nn.LeakyReLU(_SLOPE)))
            inputs = channels
        self.score = nn.Conv2d(inputs, 1, 4, 1, 1)

    def features(self, x: Tensor) -> list[Tensor]:
        """Activations of each stage, for feature matching."""
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.features(x)[-1])


class MultiScaleDiscriminator(nn.Module):
    """Several PatchGANs, for the image, its half, and so on (Wang et al. 2018, pix2pixHD).

    Scores of coarse scales are resized to the size of the finest, ``(N, scales, h, w)``, so that all weigh alike.

    Args:
        inputs, base_channels, layers, norm: of :class:`PatchDiscriminator`.
        scales: number of discriminators.
    """

    def __init__(
        self, inputs: int, *, scales: int = 2, base_channels: int = 64, layers: int = 3, norm: str = "batch"
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(inputs, base_channels=base_channels, layers=layers, norm=norm)
            for _ in range(scales)
        )

    def features(self, x: Tensor) -> list[Tensor]:
        """Activations of all scales, finest first."""
        found: list[Tensor] = []
        for scale, scaled in zip(self.scales, self._pyramid(x), strict=True):
            assert isinstance(scale, PatchDiscriminator)
            found.extend(scale.features(scaled))
        return found

    def forward(self, x: Tensor) -> Tensor:
        scores = [scale(scaled) for scale, scaled in zip(self.scales, self._pyramid(x), strict=True)]
        return resize_scores(scores)

    def _pyramid(self, x: Tensor) -> list[Tensor]:
        sizes = [x]
        while len(sizes) < len(self.scales):
            sizes.append(F.avg_pool2d(sizes[-1], 2))
        return sizes


def resize_scores(scores: list[Tensor]) -> Tensor:
    """Scores ``(N, 1, h, w)`` of several sizes in the size of the first, ``(N, count, h, w)`` float32."""
    size = scores[0].shape[2:]
    return torch.cat([F.interpolate(each.float(), size) for each in scores], 1)


class SpectralDiscriminator(nn.Module):
    """A PatchGAN with spectral normalization (Miyato et al. 2018): ``(N, C, H, W)`` → scores ``(N, 1, H/8, W/8)``.

    Without statistics of the batch a few images a step suffice.

    Args:
        inputs: channels of the images, and of what is beside them.
        base_channels: channels of the first stage.
    """

    def __init__(self, inputs: int, base_channels: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for channels in (base_channels, 2 * base_channels, 4 * base_channels):
            stages += [_spectral(inputs, channels, 4, 2), nn.LeakyReLU(_SLOPE)]
            inputs = channels
        self.stages = nn.Sequential(*stages, _spectral(inputs, 1, 3, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(x)


def _spectral(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
    return torch.nn.utils.parametrizations.spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, 1))
