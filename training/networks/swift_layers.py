"""Layers of ``swift``: normalization that fades while training, and upsampling without checkerboard artifacts."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.pixels import pixel_shuffle


def channels_last(x: Tensor) -> Tensor:
    """``(N, C, H, W)`` → ``(N, H, W, C)``."""
    return x.permute(0, 2, 3, 1)


def channels_first(x: Tensor) -> Tensor:
    """``(N, H, W, C)`` → ``(N, C, H, W)``."""
    return x.permute(0, 3, 1, 2)


def pixel_shuffle_first(x: Tensor, side: int) -> Tensor:
    """:func:`pixel_shuffle` of ``(N, side·side·C, H, W)``."""
    return channels_first(pixel_shuffle(channels_last(x), side))


def replicate_pad(x: Tensor, width: int) -> Tensor:
    """``(N, C, H, W)`` with its borders repeated ``width`` times.

    With zero padding a generator can tell where the image ends, and draws a colored frame there, because that is
    the cheapest place for rare colors. Reflection of the image itself, as wide as the receptive field, took two
    thirds more time at 640×360.
    """
    return F.pad(x, (width, width, width, width), mode="replicate")


class FadingNorm(nn.Module):
    """Instance normalization that fades into fixed statistics as ``instance_share`` goes from 1 to 0.

    While the share is above 0, the fixed statistics are running averages. At 0 they are frozen, and the layer is
    an affine map per channel that :meth:`fold` merges into a convolution.
    """

    instance_share: Tensor
    mean: Tensor
    variance: Tensor
    momentum = 0.02
    epsilon = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("instance_share", torch.ones(()))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        share = float(self.instance_share)
        if share == 0:
            scale = self.weight * torch.rsqrt(self.variance + self.epsilon)
            return x * scale[:, None, None] + (self.bias - self.mean * scale)[:, None, None]
        variance, mean = torch.var_mean(
            x.detach() if share == 1 else x, dim=(2, 3), correction=0, keepdim=True
        )
        if self.training:
            self._update_statistics(mean.detach(), variance.detach())
        if share == 1:
            return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.epsilon)
        mean = torch.lerp(self.mean[:, None, None], mean.float(), share)
        variance = torch.lerp(self.variance[:, None, None], variance.float(), share)
        normalized = (x - mean) * torch.rsqrt(variance + self.epsilon)
        return normalized * self.weight[:, None, None] + self.bias[:, None, None]

    def _update_statistics(self, mean: Tensor, variance: Tensor) -> None:
        mean, variance = mean.float(), variance.float()
        batch_mean = mean.mean(0).flatten()
        spread = (mean.flatten(1) - batch_mean).square().mean(0)
        self.mean.lerp_(batch_mean, self.momentum)
        self.variance.lerp_(variance.mean(0).flatten() + spread, self.momentum)

    def fold(self, conv: nn.Conv2d) -> nn.Conv2d:
        """``conv`` followed by this layer at share 0, as one convolution."""
        scale = (self.weight * torch.rsqrt(self.variance + self.epsilon)).detach()
        folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)  # type: ignore[arg-type]
        bias = conv.bias.detach() if conv.bias is not None else torch.zeros_like(self.mean)
        folded.weight.data = conv.weight.detach() * scale[:, None, None, None]
        folded.bias = nn.Parameter((bias - self.mean) * scale + self.bias.detach())
        return folded


class ConvNorm(nn.Module):
    """Convolution without padding and :class:`FadingNorm`; only the convolution remains after :meth:`fold`."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, bias=False)
        self.norm: nn.Module = FadingNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))

    def fold(self) -> None:
        """Merges the normalization into the convolution."""
        if isinstance(self.norm, FadingNorm):
            self.conv = self.norm.fold(self.conv)
            self.norm = nn.Identity()

    @torch.no_grad()
    def load_folded_weights(self, weight: Tensor, bias: Tensor) -> None:
        """The inverse of :meth:`fold` at share 0, with kernels of norm 1, about as training makes them."""
        assert isinstance(self.norm, FadingNorm)
        length = weight.flatten(1).norm(dim=1).clamp(min=1e-3)
        self.conv.weight.copy_(weight / length[:, None, None, None])
        self.norm.weight.fill_(1.0)
        self.norm.bias.copy_(bias)
        self.norm.mean.zero_()
        self.norm.variance.copy_(length.pow(-2) - self.norm.epsilon)


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = ConvNorm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(replicate_pad(x, 2))))


class UpConv(nn.Module):
    """Bilinear ×2 upsampling then a 3×3 convolution, computed as one convolution before the upsampling.

    A 3×3 window of interpolated pixels depends on 3×3 input pixels, with shares that depend on the output pixel's
    phase. The layer therefore equals a 3×3 convolution of the input with four times the outputs, whose weights
    are linear in the large kernel's, and :func:`pixel_shuffle`. So interpolation costs nothing, and gradients stay
    smooth: nearest-neighbor upsampling turns them into stairs, which show as checkerboard artifacts.
    """

    spread: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        # spread[phase, input tap, upsampled tap]: the share of an input pixel in each upsampled one.
        phases = (
            ([0.75, 0.25, 0.0], [0.25, 0.75, 0.75], [0.0, 0.0, 0.25]),
            ([0.25, 0.0, 0.0], [0.75, 0.75, 0.25], [0.0, 0.25, 0.75]),
        )
        self.register_buffer("spread", torch.tensor(phases, dtype=torch.float32), persistent=False)

    def phase_weight(self) -> Tensor:
        """The weight before the upsampling, ``(4 · outputs, inputs, 3, 3)`` in :func:`pixel_shuffle` order."""
        weight = torch.einsum("oikl,pyk,qxl->pqoiyx", self.weight, self.spread, self.spread)
        return weight.flatten(0, 2)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, H, W)`` → ``(N, 4 · outputs, H - 2, W - 2)``, before the pixel shuffle."""
        return F.conv2d(x, self.phase_weight(), self.bias.repeat(4))

    def folded(self) -> nn.Conv2d:
        """The same layer as a plain convolution."""
        conv = nn.Conv2d(self.weight.shape[1], 4 * self.weight.shape[0], 3)
        conv.weight.data = self.phase_weight().detach()
        conv.bias = nn.Parameter(self.bias.detach().repeat(4))
        return conv

    @torch.no_grad()
    def load_folded_weights(self, weight: Tensor, bias: Tensor) -> None:
        """The inverse of :meth:`folded`."""
        outputs = len(self.weight)
        back = torch.linalg.inv(self.spread[0].double())
        first = weight[:outputs].double()
        self.weight.copy_(torch.einsum("oiyx,ky,lx->oikl", first, back, back))
        self.bias.copy_(bias[:outputs])


_TAPS = [(q, tap, (q + tap - 1) // 2, (q + tap - 1) % 2) for q in (0, 1) for tap in range(3)]
"""For each position in a block of 2 and each tap of a kernel: the block it falls on, and the position in that."""


class BlockConv(nn.Conv2d):
    """See :func:`to_block_conv`."""


def to_block_conv(conv: nn.Conv2d) -> BlockConv:
    """A folded :class:`UpConv` that follows another, as one convolution on their common space-to-depth blocks.

    ``(4 · O, I, 3, 3)`` at half the size of the image → ``(16 · O, 4 · I, 3, 3)`` at a quarter. That is four times
    the multiplications, three quarters of them by 0, and yet several times as fast in int8, because runtimes
    are slow at convolutions with few channels.
    """
    outputs, inputs = conv.weight.shape[0] // 4, conv.weight.shape[1]
    phases = conv.weight.detach().view(2, 2, outputs, inputs, 3, 3)
    weight = torch.zeros(
        2, 2, 2, 2, outputs, 2, 2, inputs, 3, 3
    )  # Rows by 2, by 1, columns likewise; inputs.
    for qy, ty, cy, iy in _TAPS:
        for qx, tx, cx, ix in _TAPS:
            weight[qy, :, qx, :, :, iy, ix, :, cy + 1, cx + 1] = phases[..., ty, tx]
    large = BlockConv(4 * inputs, 16 * outputs, 3)
    large.weight.data = weight.reshape(large.weight.shape)
    large.bias = nn.Parameter(conv.bias.detach()[:outputs].repeat(16))  # type: ignore[union-attr]
    return large
