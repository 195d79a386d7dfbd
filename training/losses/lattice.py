"""Textures that a generator draws at the highest frequency of its coarsest layer, which look like a woven cloth."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_WINDOW = 32
_CONTROL_DEGREES = 22.5
"""Frequencies of the same wavelength are compared in directions that differ by this."""

_LARGE_WINDOW = 64
_MARGIN = 0.5
"""Natural logarithm of power by which frequencies of a texture may differ from those around them."""
_UNSEEN = 0.25 / 255
"""Amplitude of a wave that nobody sees."""

_VISIBLE = 0.1 / 255
"""The root has no gradient at 0; a tenth of a gray level is negligible."""


def lattice_amplitude(images: Tensor, stride: int) -> Tensor:
    """Amplitude of waves that turn from one cell of the coarsest layer to the next, beyond that of their neighbors.

    A layer with this stride has cells as large; the highest frequency on its grid is half a cycle a cell. A generator
    that makes texture of nothing finds it easiest to let neighboring cells alternate, and where the sign differs from
    place to place, no pattern shows in the mean of the cells (:mod:`training.losses.checkerboard`). Waves of the same
    length in other directions are free, and what they have, these may have.

    Args:
        images: ``(N, C, H, W)`` in about [0, 1], sides of at least 32.
        stride: of the coarsest layer, in pixels.

    Returns:
        ``(N,)``, in the images' units.
    """
    step = 1 / (2 * stride)
    excess = []
    for frequency in ((step, 0.0), (0.0, step), (step, step), (step, -step)):
        around = [
            _power(images, _turned(frequency, degrees)) for degrees in (-_CONTROL_DEGREES, _CONTROL_DEGREES)
        ]
        excess.append(F.relu(_power(images, frequency) - (around[0] + around[1]) / 2))
    return (torch.stack(excess).sum(0) + _VISIBLE**2).sqrt()


def lattice_excess(images: Tensor, stride: int) -> Tensor:
    """By how much frequencies that repeat every cell, or every other cell, of the coarsest layer stand out.

    Where :func:`lattice_amplitude` is small, cells still alternate in what they contain: a pattern of a cell whose sign
    turns has all odd multiples of half a cycle a cell, up to the highest frequency that an image has, and one that
    stays has the even ones. In each window of the image, the logarithm of the power at each of these is compared with
    that between them, so that plain windows count as much as textured ones.

    Args:
        images: ``(N, C, H, W)`` in about [0, 1], sides of at least 32; windows are of 64 pixels where they fit.
        stride: of the coarsest layer, in pixels; a divisor of 8.

    Returns:
        ``(N,)``, the mean square of what exceeds the margin, over these frequencies.
    """
    power = _log_power(images)
    step = power.shape[1] // (2 * stride)
    half = step // 2
    corners = [power.roll((rows, columns), (1, 2)) for rows in (-half, half) for columns in (-half, half)]
    excess = F.relu(power - torch.stack(corners).mean(0) - _MARGIN)[:, ::step, ::step].square()
    # The mean of a window is no wave.
    return (excess.sum((1, 2)) - excess[:, 0, 0]) / excess[0].numel()


def _power(images: Tensor, frequency: tuple[float, float]) -> Tensor:
    """Mean squared amplitude of a wave, vertical and horizontal cycles a pixel, over windows: ``(N,)``."""
    height, width = images.shape[2:]
    rows, columns = (torch.arange(each, device=images.device) for each in (height, width))
    phase = 2 * math.pi * (frequency[0] * rows[:, None] + frequency[1] * columns)
    bell = torch.hann_window(_WINDOW, periodic=False, device=images.device)
    kernel = bell[:, None] * bell / bell.sum() ** 2
    planes = images.float().flatten(0, 1)[:, None]
    # The mean is no wave, but would leak into the window.
    planes = planes - planes.mean((2, 3), keepdim=True)
    parts = torch.cat([planes * phase.cos(), planes * phase.sin()], 1)
    found = F.conv2d(parts, kernel.expand(2, 1, -1, -1), stride=_WINDOW // 2, groups=2)
    return 4 * found.square().sum(1).mean((1, 2)).view(len(images), -1).mean(1)


def _turned(frequency: tuple[float, float], degrees: float) -> tuple[float, float]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return frequency[0] * cos - frequency[1] * sin, frequency[0] * sin + frequency[1] * cos


def _log_power(images: Tensor) -> Tensor:
    """Natural logarithm of each frequency's squared amplitude, mean over windows: ``(N, S, S)``."""
    side = _LARGE_WINDOW if min(images.shape[2:]) >= _LARGE_WINDOW else _WINDOW
    bell = torch.hann_window(side, device=images.device)
    windows = images.float().unfold(2, side, side // 2).unfold(3, side, side // 2)
    # The mean would leak into the lowest frequencies.
    windows = windows - windows.mean((4, 5), keepdim=True)
    waves = torch.fft.fft2(windows * (bell[:, None] * bell))
    amplitudes = 4 * waves.abs().square().mean(1) / bell.sum() ** 4
    return (amplitudes + _UNSEEN**2).log().mean((1, 2))
