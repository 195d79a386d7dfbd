"""The generator of a de-identifier: a face of nobody, in the place, pose and light of one that it never sees.

After Gafni, Wolf and Taigman 2019, "Live face de-identification in video", with the inside of the face
hidden: what is not shown to a network cannot be read back out of what it makes. A U-Net whose trunk and
decoder are told whose face to draw by modulated convolutions (Karras et al. 2020, StyleGAN2): they need no
statistics of the image, so a face does not change with what moves behind it.
"""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.convolutions import SLOPE, leaky_conv
from training.networks.discriminator import SpectralDiscriminator
from training.networks.exportable import ExportableNetwork
from vidgan.media.face_guides import MASK

CELLS = 8
"""Cells along a side of an identity's map, which holds what is finer than the mean colors of these."""
_LEAST_MASK, _LEAST_SPREAD = 1e-3, 1e-4
"""Bounds of a mask's share of an image and of its squared extents, in sides, where a plane is fitted."""
_GAIN = math.sqrt(2 / (1 + SLOPE**2))
_CODE = 192
_CHANNELS = (32, 64, 128, 192)
"""At half the size, a quarter, an eighth, a sixteenth."""
_BLOCKS = 3
_LOOK = 64
"""Channels of an identity's own map."""
LOOK_SIDE = 32
_LOOK_GAIN = 4.0
"""Detail is small beside what it is added to."""


class FaceGenerator(ExportableNetwork):
    """Images with a face, guides and identities → faces, RGB in [-1, 1], ``(N, 3, S, S)``.

    S is a multiple of 16.

    Images are ``(N, 3, S, S)`` RGB in [-1, 1]; guides ``(N, 3, S, S)`` in [0, 1], see
    :mod:`vidgan.media.face_guides`; identities ``(N, 2, 128)``. What is made outside the mask is nobody's
    business: :func:`composed` puts the rest in place.

    The parameters ``look_mean`` and ``look_weights`` begin as a regression of faces on identities, see
    :mod:`training.faces.looks`.
    """

    stride = 16

    def __init__(self, identity: int = 256) -> None:
        super().__init__()
        first, second, third, fourth = _CHANNELS
        self.identity = nn.Sequential(
            nn.Linear(identity, _CODE), nn.LeakyReLU(SLOPE), nn.Linear(_CODE, _CODE), nn.LeakyReLU(SLOPE)
        )
        self.look_mean = nn.Parameter(torch.zeros(3 * LOOK_SIDE**2))
        self.look_weights = nn.Parameter(torch.zeros(3 * LOOK_SIDE**2, identity))
        self.stem = leaky_conv(4 * 6 + 3, first)
        self.down = nn.ModuleList(
            (leaky_conv(first, second, 2), leaky_conv(second, third, 2), leaky_conv(third, fourth, 2))
        )
        # Faces are aligned: what an identity looks like has a place, which scales of channels do not know.
        self.look = nn.Linear(_CODE, _LOOK * CELLS**2)
        self.looked = nn.Conv2d(_LOOK, fourth, 1)
        self.trunk = nn.ModuleList(_Residual(fourth) for _ in range(_BLOCKS))
        self.up = nn.ModuleList(
            (
                _Stage(fourth + third, third, 2),
                _Stage(third + second, second, 2),
                _Stage(second + first, first, 1),
            )
        )
        self.last = nn.Conv2d(first, 12, 3, 1, 1)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.last.weight, std=0.02)

    def forward(self, images: Tensor, guides: Tensor, identities: Tensor) -> Tensor:
        # Of unit length each; of unit variance they are to the layers.
        code = self.identity(identities.flatten(1) * math.sqrt(128))
        x = F.pixel_unshuffle(torch.cat([hidden(images, guides), guides], 1), 2)
        x = torch.cat([x, F.interpolate(self.look_of(identities), x.shape[2:], mode="bilinear")], 1)
        skips = [self.stem(x)]
        for stage in self.down:
            skips.append(stage(skips[-1]))
        x = skips.pop()
        look = self.look(code).unflatten(1, (_LOOK, CELLS, CELLS))
        x = x + self.looked(F.interpolate(look, x.shape[2:], mode="bilinear", align_corners=False))
        for block in self.trunk:
            x = block(x, code)
        for stage in self.up:
            x = stage(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skips.pop()], 1), code)
        return torch.tanh(F.pixel_shuffle(self.last(x), 2))

    def look_of(self, identities: Tensor) -> Tensor:
        """The detail that faces of those identities have on average, ``(N, 3, 32, 32)``, times a gain."""
        look = F.linear(identities.flatten(1), self.look_weights, self.look_mean)
        return _LOOK_GAIN * look.unflatten(1, (3, LOOK_SIDE, LOOK_SIDE))

    @torch.no_grad()
    def begin_with_looks(self, mean: Tensor, weights: Tensor) -> None:
        """Takes over a regression, from :func:`training.faces.looks.regressed_looks`."""
        self.look_mean.copy_(mean)
        self.look_weights.copy_(weights)

    @torch.no_grad()
    def fold(self) -> None:
        """Computes beforehand what depends on weights alone; they are not to be trained any more."""
        for module in self.modules():
            if isinstance(module, _Modulated):
                module.squares = module.weight.square().sum((2, 3))

    def load_folded_weights(self, weights: Mapping[str, Tensor]) -> None:
        shapes = {name: each.shape for name, each in self.named_parameters()}
        self.load_state_dict({name: each.reshape(shapes[name]) for name, each in weights.items()})


def hidden(images: Tensor, guides: Tensor) -> Tensor:
    """The images with no more than their shading where the mask is."""
    mask = guides[:, MASK : MASK + 1]
    return torch.lerp(images, shading(images, mask), mask)


def shading(images: Tensor, mask: Tensor) -> Tensor:
    """The plane nearest to the colors within a mask: skin and light, and nothing of a face.

    Args:
        images: ``(N, 3, S, S)`` in [-1, 1].
        mask: ``(N, 1, S, S)`` in [0, 1].

    Returns:
        ``(N, 3, S, S)`` in [-1, 1], everywhere.
    """
    along = torch.linspace(-0.5, 0.5, images.shape[3], dtype=images.dtype, device=images.device)
    weights = mask / mask.mean((2, 3), keepdim=True).clamp(min=_LEAST_MASK)
    x, y = along - _mean(weights * along), along[:, None] - _mean(weights * along[:, None])
    mean = _mean(weights * images)
    offsets = weights * (images - mean)
    with_x, with_y = _mean(offsets * x), _mean(offsets * y)
    xx, yy = (_mean(weights * each * each) + _LEAST_SPREAD for each in (x, y))
    xy = _mean(weights * x * y)
    determinant = xx * yy - xy * xy
    slope_x, slope_y = yy * with_x - xy * with_y, xx * with_y - xy * with_x
    return (mean + (slope_x * x + slope_y * y) / determinant).clamp(-1, 1)


def _mean(x: Tensor) -> Tensor:
    return x.mean((2, 3), keepdim=True)


def composed(images: Tensor, guides: Tensor, output: Tensor) -> Tensor:
    """The generated face where the mask is, the images elsewhere."""
    return torch.lerp(images, output, guides[:, MASK : MASK + 1])


class FaceDiscriminator(SpectralDiscriminator):
    """Images beside their guides, ``(N, 6, S, S)`` → scores ``(N, 1, S / 16, S / 16)``.

    Args:
        base_channels: channels of the first stage.
    """

    def __init__(self, base_channels: int) -> None:
        super().__init__(4 * 6, base_channels)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pixel_unshuffle(x, 2))


class _Modulated(nn.Module):
    """A 3×3 convolution whose inputs weigh as the identity says, of outputs as large as before."""

    squares: Tensor | None

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3) / math.sqrt(9 * inputs))
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))
        self.style = nn.Linear(_CODE, inputs)
        nn.init.normal_(self.style.weight, std=0.5 / math.sqrt(_CODE))
        nn.init.ones_(self.style.bias)
        self.register_buffer("squares", None)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        style = self.style(code)
        # The same as kernels of their own for each image, which no runtime is fast at.
        squares = self.weight.square().sum((2, 3)) if self.squares is None else self.squares
        sizes = style.square() @ squares.T
        x = F.conv2d(x * style[:, :, None, None], self.weight, padding=1)
        return x * torch.rsqrt(sizes + 1e-8)[:, :, None, None] + self.bias


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _Modulated(channels, channels), _Modulated(channels, channels)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        return (x + _activated(self.second(_activated(self.first(x, code)), code))) * math.sqrt(0.5)


class _Stage(nn.Module):
    """Modulated convolutions, one after the other."""

    def __init__(self, inputs: int, outputs: int, count: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _Modulated(inputs if number == 0 else outputs, outputs) for number in range(count)
        )

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        for layer in self.layers:
            x = _activated(layer(x, code))
        return x


def _activated(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE) * _GAIN
