"""What generators do with pictures before and after their convolutions."""

import torch
import torch.ao.quantization.fx._decomposed
import torch.nn.functional as F
from torch import Tensor

_LOCAL = 0.5
"""Share of lightness and contrast that is evened out locally rather than over the whole picture."""
_WINDOW = 17
"""Side of what is local, on the folded grid."""


MIRRORED_FIRST = 12
"""Pixels that are mirrored at once: no more than the smallest picture has."""


def mirror(x: Tensor, margin: int, *, below: int = 0, right: int = 0) -> Tensor:
    """``(N, C, H, W)`` with ``margin`` mirrored pixels on every side, and so many more below and right.

    In two steps, there and back again, so that the margin may be wider than the picture.
    """
    first = min(margin, MIRRORED_FIRST)
    rest = margin - first
    x = F.pad(x, (first, first, first, first), mode="reflect")
    return F.pad(x, (rest, rest + right, rest, rest + below), mode="reflect")


def quantize_picture(x: Tensor) -> Tensor:
    """[0, 1] → uint8, rounded and saturated; one ``QuantizeLinear`` in an exported graph."""
    return torch.ops.quantized_decomposed.quantize_per_tensor(x.float(), 1 / 255, 0, 0, 255, torch.uint8)


def fold_pixels(x: Tensor, side: int) -> Tensor:
    """Space to depth: ``(N, H·side, W·side, C)`` → ``(N, H, W, side·side·C)``, rows before columns.

    Channels last on both ends, because then whole runs of bytes move together.
    """
    n, h, w, c = x.shape
    x = x.reshape(n, h // side, side, w // side, side * c)
    return x.permute(0, 1, 3, 2, 4).reshape(n, h // side, w // side, side * side * c)


def unfold_pixels(x: Tensor, side: int) -> Tensor:
    """Depth to space, the inverse of :func:`fold_pixels`."""
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, side, c // side).permute(0, 1, 3, 2, 4)
    return x.reshape(n, h * side, w * side, c // (side * side))


def even_lightness(folded: Tensor, white: float) -> Tensor:
    """Brings light and shadow closer: ``(N, H, W, 3·k)`` float, folded → mean about 0, contrast about 1.

    Half of the local mean lightness is taken away and half of the contrast that is divided by is
    local (within 68 pixels when folded by 4), so that what stands in shadow is drawn too, and yet a
    sky stays lighter than the street. One number for all three channels, so that colours keep
    their relation. The contrast is floored at a tenth of ``white``, the value of a white pixel,
    lest a flat or nearly black picture be blown up into noise.
    """
    copies = folded.shape[3] // 3
    colour = folded.mean(dim=(1, 2), keepdim=True).unflatten(3, (copies, 3)).mean(3)
    centred = folded - colour.repeat(1, 1, 1, copies)
    moments = torch.stack([centred.mean(3), centred.square().mean(3)], 1)
    local_mean, local_power = _blur(moments).unbind(1)
    # Power of what is left when a share s of the mean m is taken away: E(x - s·m)² = E x² - (2s - s²)·m².
    local_power = local_power - (2 * _LOCAL - _LOCAL**2) * local_mean.square()
    power = torch.lerp(local_power.mean((1, 2), keepdim=True), local_power, _LOCAL)
    detail = centred - _LOCAL * local_mean[..., None]
    return detail * torch.rsqrt(power + (0.1 * white) ** 2)[..., None]


def _blur(x: Tensor) -> Tensor:
    """Mean of ``(N, C, H, W)`` over a square around each place, cut off at the borders."""
    size, pad = _WINDOW, _WINDOW // 2
    rows = F.avg_pool2d(x, (size, 1), 1, (pad, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, size), 1, (0, pad), count_include_pad=False)
