"""The U-Net of pix2pix: skip connections carry detail of the input past the bottleneck.

Isola, Zhu, Zhou and Efros 2017, "Image-to-image translation with conditional adversarial networks", with two
changes: bilinear resize + 3×3 convolution instead of 4×4 transposed ones, which cause checkerboard artifacts
(Odena et al. 2016), and a skip connection at full resolution, so that the borders of labels are sharp to the
pixel. Without the artifacts nothing distinguishes one position within a label from another. So input noise can be
added, fixed in the image, from which the network makes texture.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.norms import NORMS

_SLOPE = 0.2
_DROPOUT = 0.5
_DROPOUT_STAGES = 3
_MOST_DOUBLED = 8
_NOISE_PERIOD = 256
_NOISE_LEVELS = 32
"""Levels per standard deviation."""


class UNet(nn.Module):
    """``(N, inputs, H, W)`` → ``(N, outputs, H, W)``, unbounded; sides must be multiples of ``stride``.

    Args:
        inputs, outputs: channels.
        base_channels: channels of the first stage; they double from stage to stage, up to eight times as many.
        depth: stages, each of half the size of the one before.
        dropout: in the three innermost decoder stages in training, the paper's noise.
        norm: one of :data:`training.networks.norms.NORMS`.
        input_noise: whether to append :class:`InputNoise`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        base_channels: int = 32,
        depth: int = 6,
        dropout: bool = False,
        norm: str = "batch",
        input_noise: bool = False,
    ) -> None:
        super().__init__()
        self.stride = 2**depth
        self.input_noise = InputNoise() if input_noise else None
        inputs += InputNoise.channels if input_noise else 0
        widths = [base_channels * min(2**stage, _MOST_DOUBLED) for stage in range(depth)]
        fine = base_channels // 2
        self.fine = nn.Sequential(nn.Conv2d(inputs, fine, 3, 1, 1), nn.LeakyReLU(_SLOPE))
        self.down = nn.ModuleList(
            _down(before, after, None if stage in (0, depth - 1) else norm)
            for stage, (before, after) in enumerate(zip([inputs, *widths], widths, strict=False))
        )
        skips = [fine, *widths[:-1]]
        self.up = nn.ModuleList(
            _up(widths[stage] if stage == depth - 1 else 2 * widths[stage], skips[stage], norm,
                dropout=dropout and depth - stage <= _DROPOUT_STAGES)
            for stage in reversed(range(depth))
        )  # fmt: skip
        self.last = nn.Conv2d(2 * fine, outputs, 3, 1, 1)
        self.apply(_initialize)

    def forward(self, x: Tensor) -> Tensor:
        if self.input_noise is not None:
            x = self.input_noise(x)
        skips = [self.fine(x)]
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        skips.pop()
        for stage in self.up[:-1]:
            # Upsampling commutes with the convolution, and costs a quarter after it.
            x = torch.cat([_upsample(stage(x)), skips.pop()], 1)
        # The finest stage upsamples first, since it makes the texture.
        x = torch.cat([self.up[-1](_upsample(x)), skips.pop()], 1)
        return self.last(x)


class InputNoise(nn.Module):
    """Appends noise that is fixed in the image, and each pixel's coordinates.

    ``(N, C, H, W)`` → ``(N, C + channels, H, W)``. The noise repeats with a period of 256 pixels, and so does what
    the network makes of it: a period of 64 shows as rows of spots on roads.
    """

    channels = 6
    noise: Tensor

    def __init__(self) -> None:
        super().__init__()
        drawn = torch.randn(1, self.channels - 2, _NOISE_PERIOD, _NOISE_PERIOD)
        self.register_buffer("noise", (drawn * _NOISE_LEVELS).round().clamp(-127, 127).to(torch.int8))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        rows, columns = (torch.arange(side, device=x.device) for side in (height, width))
        tiled = self.noise[:, :, rows % _NOISE_PERIOD][:, :, :, columns % _NOISE_PERIOD]
        noise = tiled.to(x.dtype) / _NOISE_LEVELS
        down = (2 * rows / rows.max() - 1).to(x.dtype)[:, None]
        right = (2 * columns / columns.max() - 1).to(x.dtype)
        # Adding zeros broadcasts them to the shape of the images; an exported graph could not expand them.
        zeros = torch.zeros_like(x[:, :1])
        return torch.cat([x, noise + zeros, down + zeros, right + zeros], 1)


def _upsample(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _down(inputs: int, outputs: int, norm: str | None) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 4, 2, 1)]
    if norm:
        layers.append(NORMS[norm](outputs))
    return nn.Sequential(*layers, nn.LeakyReLU(_SLOPE))


def _up(inputs: int, outputs: int, norm: str, *, dropout: bool) -> nn.Sequential:
    layers = [nn.Conv2d(inputs, outputs, 3, 1, 1), NORMS[norm](outputs)]
    if dropout:
        layers.append(nn.Dropout(_DROPOUT))
    return nn.Sequential(*layers, nn.ReLU())


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=_SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
