"""``swift``: a style generator small enough for video on a laptop's CPU.

What a CPU likes is dense 3×3 convolutions in int8 on a small grid; what it hates is full-resolution
layers and statistics taken at run time. So:

- the picture is folded 4×4 into 48 channels (space to depth) and all thinking happens there;
- normalisation exists only while training. It begins as instance normalisation, which learns a
  style quickly, fades into fixed statistics, and is folded into the convolutions at export
  (:class:`FadingNorm`);
- what instance normalisation did for contrast is done once, on the input (:func:`even_lightness`);
- the way back to full resolution is bilinear resize + convolution, which cannot draw a grid on
  smooth ground, computed as one convolution on the small grid (:class:`UpConv`).

13.8k MAC per pixel; 154k for the ``johnson`` network.
"""

import contextlib
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.picture import (
    even_lightness,
    fold_pixels,
    mirror,
    quantize_picture,
    unfold_pixels,
)


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


class FadingNorm(nn.Module):
    """Instance normalisation that fades into fixed statistics as ``instance_share`` goes 1 → 0.

    While it is above 0 the fixed statistics follow the data; at 0 they are frozen and the layer is
    an affine map per channel that a convolution can absorb (:meth:`fold`).
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
            self._follow(mean.detach(), variance.detach())
        if share == 1:
            return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.epsilon)
        mean = torch.lerp(self.mean[:, None, None], mean.float(), share)
        variance = torch.lerp(self.variance[:, None, None], variance.float(), share)
        normalised = (x - mean) * torch.rsqrt(variance + self.epsilon)
        return normalised * self.weight[:, None, None] + self.bias[:, None, None]

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        mean, variance = mean.float(), variance.float()
        batch_mean = mean.mean(0).flatten()
        spread = (mean.flatten(1) - batch_mean).square().mean(0)
        self.mean.lerp_(batch_mean, self.momentum)
        self.variance.lerp_(variance.mean(0).flatten() + spread, self.momentum)

    def fold(self, conv: nn.Conv2d) -> nn.Conv2d:
        """``conv`` followed by this layer (at ``instance_share`` 0), as one convolution."""
        scale = (self.weight * torch.rsqrt(self.variance + self.epsilon)).detach()
        folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)  # type: ignore[arg-type]
        bias = conv.bias.detach() if conv.bias is not None else torch.zeros_like(self.mean)
        folded.weight.data = conv.weight.detach() * scale[:, None, None, None]
        folded.bias = nn.Parameter((bias - self.mean) * scale + self.bias.detach())
        return folded


class ConvNorm(nn.Module):
    """3×3 convolution and :class:`FadingNorm`; only the convolution remains after :meth:`fold`.

    Without padding, so that it takes one place from every side.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, bias=False)
        self.norm: nn.Module = FadingNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))

    def fold(self) -> None:
        if isinstance(self.norm, FadingNorm):
            self.conv = self.norm.fold(self.conv)
            self.norm = nn.Identity()

    @torch.no_grad()
    def take_over(self, weight: Tensor, bias: Tensor) -> None:
        """The inverse of :meth:`fold`, at share 0: kernels about as long as training makes them, 1."""
        assert isinstance(self.norm, FadingNorm)
        length = weight.flatten(1).norm(dim=1).clamp(min=1e-3)
        self.conv.weight.copy_(weight / length[:, None, None, None])
        self.norm.weight.fill_(1.0)
        self.norm.bias.copy_(bias)
        self.norm.mean.zero_()
        self.norm.variance.copy_(length.pow(-2) - self.norm.epsilon)


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = ConvNorm(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Takes two places from every side."""
        return F.pad(x, (-2, -2, -2, -2)) + self.second(F.relu(self.first(x)))


class UpConv(nn.Module):
    """Bilinear ×2 then a 3×3 convolution, computed as one convolution on the small grid.

    A 3×3 window of interpolated pixels depends on 3×3 of the small ones, with shares that depend on
    the output pixel's phase. So the layer equals a 3×3 convolution on the small grid with four
    times the outputs, whose weights are mixtures of the large one's, and :func:`unfold_pixels`.
    Interpolation costs nothing that way, and a slope stays a slope: nearest-neighbour resizing
    would make a staircase of it, which shows as a grid.
    """

    spread: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        # spread[phase, small tap, large tap]: the share of a small pixel in each large one.
        phases = (
            ([0.75, 0.25, 0.0], [0.25, 0.75, 0.75], [0.0, 0.0, 0.25]),
            ([0.25, 0.0, 0.0], [0.75, 0.75, 0.25], [0.0, 0.25, 0.75]),
        )
        self.register_buffer("spread", torch.tensor(phases, dtype=torch.float32), persistent=False)

    def phase_weight(self) -> Tensor:
        """The weight on the small grid, ``(4 · outputs, inputs, 3, 3)`` in :func:`unfold_pixels` order."""
        weight = torch.einsum("oikl,pyk,qxl->pqoiyx", self.weight, self.spread, self.spread)
        return weight.flatten(0, 2)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, H, W)`` → ``(N, 4 · outputs, H - 2, W - 2)``, to be unfolded to twice the size."""
        return F.conv2d(x, self.phase_weight(), self.bias.repeat(4))

    def folded(self) -> nn.Conv2d:
        """The same layer with its weight on the small grid worked out once."""
        conv = nn.Conv2d(self.weight.shape[1], 4 * self.weight.shape[0], 3)
        conv.weight.data = self.phase_weight().detach()
        conv.bias = nn.Parameter(self.bias.detach().repeat(4))
        return conv

    @torch.no_grad()
    def take_over(self, weight: Tensor, bias: Tensor) -> None:
        """The inverse of :meth:`folded`."""
        outputs = len(self.weight)
        back = torch.linalg.inv(self.spread[0].double())
        first = weight[:outputs].double()
        self.weight.copy_(torch.einsum("oiyx,ky,lx->oikl", first, back, back))
        self.bias.copy_(bias[:outputs])


class Swift(nn.Module):
    """RGB ``(N, 3, H, W)`` in [0, 1] → the same; H and W must be multiples of ``stride`` (4).

    While training the result may leave [0, 1] a little, so that a saturated pixel still has a
    gradient; otherwise it is clipped.
    """

    stride = 4
    margin = 42
    """Pixels of mirrored border, which the convolutions use up.

    Each takes a place from every side: the stem and eight in the blocks one of 4 pixels, ``up_half`` too,
    ``up_full`` one of 2. With zeros around what they work on instead, generators could tell where the
    picture ends, and drew a coloured frame round it, because that is the cheapest place for rare colours.
    """

    def __init__(self, channels: int = 48, blocks: int = 4, half_channels: int = 16) -> None:
        super().__init__()
        self.stem = ConvNorm(48, channels)
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        self.up_half: nn.Module = UpConv(channels, half_channels)
        self.up_full: nn.Module = UpConv(half_channels, 3)
        nn.init.normal_(self.up_full.weight, std=0.02)
        nn.init.constant_(self.up_full.bias, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.repaint(mirror(x, self.margin))

    def repaint(self, x: Tensor) -> Tensor:
        """:meth:`forward` for a picture that has its margin already; it comes out without."""
        y = self._grid(fold_pixels(_channels_last(x), 4), 1.0)
        y = _channels_first(unfold_pixels(_channels_last(y), 2))
        clipped = y.clamp(0, 1)
        return torch.lerp(clipped, y, 0.1) if self.training else clipped

    def repaint_bytes(self, pictures: Tensor) -> Tensor:
        """:meth:`repaint` for uint8 ``(N, H, W, 3)``: all shuffling of pixels is done on bytes."""
        folded = fold_pixels(pictures, 4)
        y = self._grid(folded.to(self.stem.conv.weight.dtype), 255.0)
        return unfold_pixels(_channels_last(quantize_picture(y)), 2)

    def _grid(self, folded: Tensor, white: float) -> Tensor:
        """``(N, H, W, 48)`` → ``(N, 12, 2·H - 42, 2·W - 42)``: everything between the two pixel shuffles."""
        y = _channels_first(even_lightness(folded.float(), white).to(folded.dtype))
        y = self.blocks(F.relu(self.stem(y)))
        y = F.relu(self.up_half(y))
        return self.up_full(_channels_first(unfold_pixels(_channels_last(y), 2)))

    def set_instance_share(self, share: float) -> None:
        """Sets every :class:`FadingNorm`: 1 is instance normalisation, 0 fixed statistics."""
        for module in self.modules():
            if isinstance(module, FadingNorm):
                module.instance_share.fill_(share)

    @contextlib.contextmanager
    def fixed_statistics(self) -> Iterator[None]:
        """Inside, every :class:`FadingNorm` is at 0, as after the training."""
        norms = [module for module in self.modules() if isinstance(module, FadingNorm)]
        shares = [float(norm.instance_share) for norm in norms]
        self.set_instance_share(0.0)
        yield
        for norm, share in zip(norms, shares, strict=True):
            norm.instance_share.fill_(share)

    def fold(self) -> None:
        """Leaves nothing but plain convolutions. The function at share 0 is unchanged."""
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fold()
        for name in ("up_half", "up_full"):
            layer = getattr(self, name)
            if isinstance(layer, UpConv):
                setattr(self, name, layer.folded())

    def take_over(self, weights: Mapping[str, Tensor]) -> None:
        """The inverse of :meth:`fold`: takes the weights of a folded network, by their names there.

        The function is the same, and so are kernels and norms to the optimizers; what the statistics
        were before the folding is not known any more, so the share is 0.

        Raises:
            KeyError, RuntimeError: they are another network's.
        """
        for name, module in self.named_modules():
            if isinstance(module, ConvNorm):
                module.take_over(weights[f"{name}.conv.weight"], weights[f"{name}.conv.bias"])
            elif isinstance(module, UpConv):
                module.take_over(weights[f"{name}.weight"], weights[f"{name}.bias"])
        self.set_instance_share(0.0)
