"""``swift``: a style generator small enough for video on a laptop's CPU.

What a CPU likes is dense 3×3 convolutions in int8 on a small grid; what it hates is full-resolution
layers and statistics taken at run time. So:

- the picture is cut into cells of 4×4 pixels, which a matrix turns into features; what instance
  normalisation did for contrast is done once, on these (:func:`training.networks.local_contrast.light`);
- most thinking happens on a grid of 8×8 pixels, where a convolution costs little and sees far;
- normalisation exists only while training. It begins as instance normalisation, which learns a
  style quickly, fades into fixed statistics, and is folded into the convolutions at export
  (:class:`FadingNorm`);
- the way back to full resolution is bilinear resize + convolution, which cannot draw a grid on
  smooth ground, computed as one convolution on the small grid (:class:`UpConv`).

7k MAC per pixel, and 8.3k as exported in int8 (:func:`on_cells`); 154k for the ``johnson`` network.
"""

import contextlib
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.local_contrast import light
from training.networks.pixels import fold_pixels, quantize_picture, unfold_pixels


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
    """Convolution and :class:`FadingNorm`; only the convolution remains after :meth:`fold`.

    Without padding, so that a 3×3 one takes one place from every side.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, bias=False)
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
        return x + self.second(F.relu(self.first(_bordered(x, 2))))


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


class Cells(nn.Module):
    """Cells of 4×4 pixels → features of their patterns, in even light.

    ``(N, H, W, 48)`` → ``(N, H, W, outputs)``. Linear but for the light. Slopes and edges get features of
    their own, which is why these can be rounded to 8 bits where pixels cannot: a slope would become stairs.
    """

    means: Tensor

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, 48, 1, 1))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="linear")
        self.register_buffer("means", _means_of_2x2(), persistent=False)

    def forward(self, cells: Tensor, white: float, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The features, and of the light what depends on the whole picture, see :func:`light`."""
        return even_features(cells, self.weight.flatten(1).T, self.means, white, known)

    def folded(self) -> "FoldedCells":
        return FoldedCells(self.weight.detach().flatten(1).T.contiguous())

    @torch.no_grad()
    def take_over(self, patterns: Tensor) -> None:
        """The inverse of :meth:`folded`."""
        self.weight.copy_(patterns.T[:, :, None, None])


class FoldedCells(nn.Module):
    """:class:`Cells` as a matrix ``patterns``, ``(48, outputs)``."""

    patterns: Tensor
    means: Tensor

    def __init__(self, patterns: Tensor) -> None:
        super().__init__()
        self.register_buffer("patterns", patterns)
        self.register_buffer("means", _means_of_2x2(), persistent=False)

    def forward(self, cells: Tensor, white: float, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return even_features(cells, self.patterns, self.means, white, known)


def even_features(
    cells: Tensor, patterns: Tensor, means: Tensor, white: float, known: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Features as if the cells had been evened out first, which is less work for having fewer of them."""
    pixels, patterns = cells.float(), patterns.float()
    colour, shade, gain, whole = light(pixels @ means.float(), white, known)
    of_colour = patterns.unflatten(0, (16, 3)).sum(0)
    of_grey = of_colour.sum(0).expand(cells.shape[0], 1, 1, -1)
    taken = torch.cat([torch.ones_like(shade), shade], 3) @ torch.cat([colour @ of_colour, of_grey], 2)
    return ((pixels @ patterns - taken) * gain).to(cells.dtype), whole


def _means_of_2x2() -> Tensor:
    """From the pixels of a cell to those of half the size, ``(48, 12)``."""
    return fold_pixels(torch.eye(48).view(48, 4, 4, 3), 2).unflatten(3, (4, 3)).mean(3).flatten(1)


class Swift(nn.Module):
    """RGB ``(N, 3, H, W)`` in [0, 1] → the same; H and W must be multiples of ``stride`` (8).

    While training the result may leave [0, 1] a little, so that a saturated pixel still has a
    gradient; otherwise it is clipped.
    """

    stride = 8

    def __init__(
        self, patterns: int = 32, quarter: int = 32, eighth: int = 64, blocks: int = 3, half: int = 16
    ) -> None:
        super().__init__()
        self.cells: nn.Module = Cells(patterns)
        self.stem = ConvNorm(patterns, quarter)
        self.down = ConvNorm(quarter, eighth, 2, 2)
        self.blocks = nn.Sequential(*(ResidualBlock(eighth) for _ in range(blocks)))
        self.up_quarter: nn.Module = UpConv(eighth, quarter)
        self.up_half: nn.Module = UpConv(quarter, half)
        self.up_full: nn.Module = UpConv(half, 3)
        nn.init.normal_(self.up_full.weight, std=0.02)
        nn.init.constant_(self.up_full.bias, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.paint_cells(fold_pixels(_channels_last(x), 4), 1.0, self.given_light(1.0))
        y = _channels_first(unfold_pixels(_channels_last(y), self._side))
        clipped = y.clamp(0, 1)
        return torch.lerp(clipped, y, 0.1) if self.training else clipped

    def given_light(self, white: float) -> Tensor | None:
        """What the light of every picture is taken for, see :func:`light`; None finds it out.

        Args:
            white: the value of a white pixel.
        """
        return None

    def repaint_bytes(self, pictures: Tensor, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """:meth:`forward` for uint8 ``(N, H, W, 3)``: all shuffling of pixels is done on bytes.

        Args:
            known: of the light of the picture that these are a part of, see :func:`light`, ``(1, 4)``.

        Returns:
            The painted pictures, and what is to be known of their light.
        """
        cells = fold_pixels(pictures, 4)
        known = self.given_light(255.0) if known is None else known
        y, whole = self.paint_cells(cells.to(self.stem.conv.weight.dtype), 255.0, known)
        return unfold_pixels(_channels_last(quantize_picture(y)), self._side), whole

    @property
    def _side(self) -> int:
        """Pixels of a place of :meth:`paint_cells`."""
        return 4 if isinstance(self.up_full, CellConv) else 2

    def paint_cells(self, cells: Tensor, white: float, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Cells ``(N, H, W, 48)`` → pixels, folded: everything between the two pixel shuffles."""
        features, whole = self.cells(cells, white, known)
        seen = F.relu(self.stem(_bordered(_channels_first(features), 1)))
        y = self.blocks(F.relu(self.down(seen)))
        y = F.relu(_enlarged(self.up_quarter(_bordered(y, 1))) + seen)
        y = F.relu(self.up_half(_bordered(y, 1)))
        if isinstance(self.up_full, CellConv):
            return self.up_full(_bordered(y, 1)), whole
        # The inner half of a cell's likeness is the second pixel from the border.
        return self.up_full(F.pad(_enlarged(y), (1, 1, 1, 1), mode="reflect")), whole

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
        """Leaves nothing but plain convolutions and the cells. The function at share 0 is unchanged."""
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fold()
        for name in ("cells", "up_quarter", "up_half", "up_full"):
            layer = getattr(self, name)
            if isinstance(layer, (Cells, UpConv)):
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
            elif isinstance(module, Cells):
                module.take_over(weights[f"{name}.patterns"])
        self.set_instance_share(0.0)


def _bordered(x: Tensor, width: int) -> Tensor:
    """With so many places more on every side, which are like those at the border.

    With zeros there instead, generators can tell where the picture ends, and drew a coloured frame round it,
    because that is the cheapest place for rare colours. A mirrored border of the picture itself, as wide
    as what the convolutions take, was two thirds more work for 640×360 pixels.
    """
    return F.pad(x, (width, width, width, width), mode="replicate")


def _enlarged(y: Tensor) -> Tensor:
    return _channels_first(unfold_pixels(_channels_last(y), 2))


_TAPS = [(q, tap, (q + tap - 1) // 2, (q + tap - 1) % 2) for q in (0, 1) for tap in range(3)]
"""For each of two places in a cell and each tap of a kernel: the cell it falls on, and the place in that."""


class CellConv(nn.Conv2d):
    """See :func:`on_cells`."""


def on_cells(conv: nn.Conv2d) -> CellConv:
    """A folded :class:`UpConv` that comes after another, as one convolution on the cells both work in.

    ``(4 · O, I, 3, 3)`` at half the size of the picture → ``(16 · O, 4 · I, 3, 3)`` at a quarter: four times
    the multiplications, three quarters of them by 0, and yet several times as fast in int8, because
    runtimes are poor at convolutions with few channels.
    """
    outputs, inputs = conv.weight.shape[0] // 4, conv.weight.shape[1]
    phases = conv.weight.detach().view(2, 2, outputs, inputs, 3, 3)
    weight = torch.zeros(2, 2, 2, 2, outputs, 2, 2, inputs, 3, 3)  # Rows of 2, of 1, columns likewise; in.
    for qy, ty, cy, iy in _TAPS:
        for qx, tx, cx, ix in _TAPS:
            weight[qy, :, qx, :, :, iy, ix, :, cy + 1, cx + 1] = phases[..., ty, tx]
    large = CellConv(4 * inputs, 16 * outputs, 3)
    large.weight.data = weight.reshape(large.weight.shape)
    large.bias = nn.Parameter(conv.bias.detach()[:outputs].repeat(16))  # type: ignore[union-attr]
    return large
