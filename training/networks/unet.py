"""The U-Net of pix2pix: what the input shows exactly goes round the bottleneck, to where it is needed.

Isola, Zhu, Zhou and Efros 2017, "Image-to-image translation with conditional adversarial networks", with
two changes: bilinear resize + 3×3 convolution instead of 4×4 transposed ones, which leave a checkerboard
(Odena et al. 2016), and a skip at full resolution, so that the borders of labels are sharp to the pixel.
Without the checkerboard nothing is left that tells one place within a label from another; so a grain can be
given beside the input, always the same at the same place, of which the network makes bricks and leaves.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
}
"""Batch normalisation is a constant at run time, and so does not make a film flicker."""

_SLOPE = 0.2
_DROPOUT = 0.5
_NOISY = 3
_WIDEST = 8
_GRAIN_PERIOD = 256
_GRAIN_LEVELS = 32
"""Of a standard deviation."""


class UNet(nn.Module):
    """``(N, inputs, H, W)`` → ``(N, outputs, H, W)``, not bounded; sides are multiples of ``stride``.

    Args:
        inputs, outputs: channels.
        width: channels of the first stage; they double from stage to stage, up to eight times as many.
        depth: stages, each of half the size of the one before.
        dropout: in the three innermost stages of the way back while training, which is this network's noise.
        norm: one of :data:`NORMS`.
        grain: see a :class:`Grain` as well.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        width: int = 32,
        depth: int = 6,
        dropout: bool = False,
        norm: str = "batch",
        grain: bool = False,
    ) -> None:
        super().__init__()
        self.stride = 2**depth
        self.grain = Grain() if grain else None
        inputs += Grain.channels if grain else 0
        widths = [width * min(2**stage, _WIDEST) for stage in range(depth)]
        fine = width // 2
        self.fine = nn.Sequential(nn.Conv2d(inputs, fine, 3, 1, 1), nn.LeakyReLU(_SLOPE))
        self.down = nn.ModuleList(
            _down(before, after, None if stage in (0, depth - 1) else norm)
            for stage, (before, after) in enumerate(zip([inputs, *widths], widths, strict=False))
        )
        skips = [fine, *widths[:-1]]
        self.up = nn.ModuleList(
            _up(widths[stage] if stage == depth - 1 else 2 * widths[stage], skips[stage], norm,
                noisy=dropout and depth - stage <= _NOISY)
            for stage in reversed(range(depth))
        )  # fmt: skip
        self.last = nn.Conv2d(2 * fine, outputs, 3, 1, 1)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        if self.grain is not None:
            x = self.grain(x)
        skips = [self.fine(x)]
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        skips.pop()
        for stage in self.up[:-1]:
            # Resized after the convolution, which is linear as well and costs a quarter before it.
            x = torch.cat([_twice(stage(x)), skips.pop()], 1)
        # But for the finest one, which makes up texture.
        x = torch.cat([self.up[-1](_twice(x)), skips.pop()], 1)
        return self.last(x)


class Grain(nn.Module):
    """Appends noise that stays in its place, and where in the picture a pixel is.

    ``(N, C, H, W)`` → ``(N, C + channels, H, W)``. What is made of the noise repeats as it does: with a short
    period spots stand in rows on the road.
    """

    channels = 6
    noise: Tensor

    def __init__(self) -> None:
        super().__init__()
        drawn = torch.randn(1, self.channels - 2, _GRAIN_PERIOD, _GRAIN_PERIOD)
        self.register_buffer("noise", (drawn * _GRAIN_LEVELS).round().clamp(-127, 127).to(torch.int8))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        rows, columns = (torch.arange(side, device=x.device) for side in (height, width))
        tiled = self.noise[:, :, rows % _GRAIN_PERIOD][:, :, :, columns % _GRAIN_PERIOD]
        noise = tiled.to(x.dtype) / _GRAIN_LEVELS
        down = (2 * rows / rows.max() - 1).to(x.dtype)[:, None]
        right = (2 * columns / columns.max() - 1).to(x.dtype)
        # Added to nothing, they get the shape of the pictures; an exported graph could not expand them.
        nothing = torch.zeros_like(x[:, :1])
        return torch.cat([x, noise + nothing, down + nothing, right + nothing], 1)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _down(inputs: int, outputs: int, norm: str | None) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 4, 2, 1)]
    if norm:
        layers.append(NORMS[norm](outputs))
    return nn.Sequential(*layers, nn.LeakyReLU(_SLOPE))


def _up(inputs: int, outputs: int, norm: str, *, noisy: bool) -> nn.Sequential:
    layers = [nn.Conv2d(inputs, outputs, 3, 1, 1), NORMS[norm](outputs)]
    if noisy:
        layers.append(nn.Dropout(_DROPOUT))
    return nn.Sequential(*layers, nn.ReLU())


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=_SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
