"""Faces changed by a passcode and changed back by it: one network for both directions.

After Gu, Luo, Ryoo and Lee 2020, "Password-conditioned Anonymization and Deanonymization with Face Identity
Transformers": T(x, code) is another person, T(T(x, code), -code) is x again, and with any other code a third person.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.compression import as_h264
from training.networks.exportable import ExportableNetwork

BITS = 128
"""Bits of a code, each -1 or 1."""
_CODE = 192
_CHANNELS = (32, 64, 112, 152)
"""At half the size, a quarter, an eighth, a sixteenth."""
_BLOCKS = 3
_SLOPE = 0.2


class FaceTransformer(ExportableNetwork):
    """Faces RGB in [-1, 1], ``(N, 3, S, S)``, and codes ``(N, 128)`` of -1 and 1 → faces of the same shape.

    S is a multiple of 16. The way back is the same network with the inverted code. A U-Net whose trunk and decoder
    are told the code by adaptive instance normalization (Huang and Belongie 2017).
    """

    stride = 16

    def __init__(self) -> None:
        super().__init__()
        first, second, third, fourth = _CHANNELS
        self.code = nn.Sequential(
            nn.Linear(BITS, _CODE), nn.LeakyReLU(_SLOPE), nn.Linear(_CODE, _CODE), nn.LeakyReLU(_SLOPE)
        )
        self.stem = nn.Conv2d(12, first, 3, 1, 1)
        self.down = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, 2, 1)
            for inputs, outputs in ((first, second), (second, third), (third, fourth))
        )
        self.trunk = nn.ModuleList(_Residual(fourth) for _ in range(_BLOCKS))
        self.up = nn.ModuleList(
            _Adaptive(inputs, outputs)
            for inputs, outputs in (
                (fourth + third, third),
                (third + second, second),
                (second + first, first),
            )
        )
        self.last = nn.Conv2d(first, 12, 3, 1, 1)
        nn.init.normal_(self.last.weight, std=0.02)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, faces: Tensor, codes: Tensor) -> Tensor:
        code = self.code(codes)
        skips = [F.leaky_relu(self.stem(F.pixel_unshuffle(faces, 2)), _SLOPE)]
        for layer in self.down:
            skips.append(F.leaky_relu(layer(skips[-1]), _SLOPE))
        x = skips.pop()
        for block in self.trunk:
            x = block(x, code)
        for stage in self.up:
            larger = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.leaky_relu(stage(torch.cat([larger, skips.pop()], 1), code), _SLOPE)
        return torch.tanh(F.pixel_shuffle(self.last(x), 2) + _logit(faces))


def drawn_codes(count: int, random: torch.Generator) -> Tensor:
    """Random codes ``(count, 128)``."""
    return torch.randint(2, (count, BITS), generator=random).float() * 2 - 1


def through_codec(faces: Tensor, quantizer: Tensor, random: torch.Generator) -> Tensor:
    """Faces as they are after H.264, with the gradient as if nothing had happened.

    Blocks of 8×8 DCT coefficients are rounded, chroma at half the size; a little noise stands for what is not
    simulated. Straight-through gradients (Bengio et al. 2013), since those of rounding are 0.

    Args:
        faces: RGB in [-1, 1], ``(N, 3, S, S)``.
        quantizer: H.264's QP of each, ``(N,)``.
    """
    with torch.no_grad():
        coded = 2 * as_h264((faces + 1) / 2, quantizer) - 1
        noise = torch.randn(faces.shape, generator=random).to(faces.device) / 127.5
        change = (coded + noise).clamp(-1, 1) - faces
    return faces + change


class _Adaptive(nn.Module):
    """A 3×3 convolution whose outputs get the mean and deviation that the code says."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
        self.style = nn.Linear(_CODE, 2 * outputs)
        nn.init.normal_(self.style.weight, std=0.5 / math.sqrt(_CODE))
        nn.init.zeros_(self.style.bias)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        gain, offset = self.style(code)[:, :, None, None].chunk(2, 1)
        return F.instance_norm(self.conv(x)) * (1 + gain) + offset


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _Adaptive(channels, channels), _Adaptive(channels, channels)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        return x + self.second(F.leaky_relu(self.first(x, code), _SLOPE), code)


def _logit(faces: Tensor) -> Tensor:
    """The input of tanh that gives the faces, so that a network begins with what it is given."""
    return torch.atanh(faces.clamp(-0.99, 0.99))
