"""Colorization as classification of quantized colors (Zhang, Isola and Efros 2016, *Colorful Image Colorization*).

A regression answers with the mean of all colors that an object may have, which is gray; a distribution over
colors keeps them apart, and its annealed mean is close to the most likely one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.color_space import AB_SCALE, lab_from_rgb
from training.networks import efficientnet
from training.networks.efficientnet import EfficientNetLite0

CELL = 10.0
"""Side of a cell of the plane of a and b."""

_WIDTHS = 32, 40, 48, 64, 96
_SMOOTHING = 0.0001
_RGB_STEPS = 33


class ColorClassifier(nn.Module):
    """Lightness L / 50 - 1, ``(N, 1, H, W)`` → logits of the color cells, ``(N, Q, H/2, W/2)``.

    A frozen :class:`EfficientNetLite0` sees the gray image; a U-Net decoder combines its five scales.

    Args:
        temperature: of the annealed mean: 1 is the mean, 0 the most likely color.
        rarity_correction: power of the weights of rare colors by which their likelihood is divided: training makes
            the network say too much of them, 1 takes that back (logit adjustment, Menon et al. 2021).
        saturation: factor of the annealed mean's chroma.

    Attributes:
        bins: a and b of the cells' centers, ``(Q, 2)``.
        rarity: weight of each cell in training, ``(Q,)``.
    """

    stride = efficientnet.STRIDE
    bins: Tensor
    rarity: Tensor

    def __init__(
        self, temperature: float, *, rarity_correction: float = 0.0, saturation: float = 1.0
    ) -> None:
        super().__init__()
        cells = gamut_cells()
        self.register_buffer("bins", cells)
        self.register_buffer("rarity", torch.ones(len(cells)))
        self._temperature = temperature
        self._rarity_correction = rarity_correction
        self._saturation = saturation
        self.encoder = EfficientNetLite0()
        self.lateral = nn.ModuleList(
            nn.Conv2d(channels, width, 1)
            for channels, width in zip(efficientnet.CHANNELS, _WIDTHS, strict=True)
        )
        self.decoder = nn.ModuleList(
            _stage(_WIDTHS[stage] + _WIDTHS[stage + 1], _WIDTHS[stage]) for stage in range(len(_WIDTHS) - 1)
        )
        self.last = nn.Conv2d(_WIDTHS[0], len(cells), 1)

    def forward(self, level: Tensor) -> Tensor:
        with torch.no_grad():
            features = self.encoder(_gray(level).expand(-1, 3, -1, -1))
        scales = [lateral(each) for lateral, each in zip(self.lateral, features, strict=True)]
        x = scales.pop()
        for stage in reversed(self.decoder):
            finer = scales.pop()
            x = stage(torch.cat([F.interpolate(x, scale_factor=2.0, mode="bilinear"), finer], 1))
        logits: Tensor = self.last(x)
        return logits

    def chroma(self, logits: Tensor) -> Tensor:
        """The annealed mean of the corrected distribution, a / 110 and b / 110, ``(N, 2, h, w)``."""
        correction = self._rarity_correction * self.rarity.log()[:, None, None]
        shares = torch.softmax((logits - correction) / self._temperature, 1)
        return F.conv2d(shares, (self._saturation / AB_SCALE * self.bins).t()[:, :, None, None])

    def train(self, mode: bool = True) -> "ColorClassifier":
        super().train(mode)
        self.encoder.eval()
        return self


def gamut_cells() -> Tensor:
    """a and b of the centers of all cells in which sRGB has a color, ``(Q, 2)``."""
    steps = torch.linspace(0, 1, _RGB_STEPS)
    rgb = torch.cartesian_prod(steps, steps, steps).t()[None, :, :, None]
    ab = lab_from_rgb(rgb)[0, 1:, :, 0].t() * AB_SCALE
    return torch.unique((ab / CELL).round(), dim=0) * CELL


class CellTargets:
    """Chroma as weights of the four cells around it.

    Args:
        cells: as of :class:`ColorClassifier`.
    """

    def __init__(self, cells: Tensor) -> None:
        grid = (cells / CELL).round().long()
        self._least = grid.amin(0)
        rows, columns = (grid.amax(0) - self._least + 1).tolist()
        places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)) + self._least
        distances = torch.cdist(places.float(), grid.float())
        # A place outside of the gamut counts for the nearest cell.
        self._index = distances.argmin(1).view(rows, columns).to(cells.device)

    def __call__(self, chroma: Tensor) -> tuple[Tensor, Tensor]:
        """Indices and weights of the cells, ``(N, 4, h, w)`` each, of a / 110 and b / 110, ``(N, 2, h, w)``."""
        place = chroma * (AB_SCALE / CELL) - self._least.to(chroma)[:, None, None]
        most = torch.tensor(self._index.shape, device=chroma.device)[:, None, None] - 1
        place = place.clamp(min=0).minimum(most.to(chroma))
        low = place.floor().minimum((most - 1).to(chroma))
        share = place - low
        indices, weights = [], []
        for down in (0, 1):
            for right in (0, 1):
                row, column = (
                    (low + torch.tensor([down, right], device=low.device)[:, None, None]).long().unbind(1)
                )
                indices.append(self._index[row, column])
                weights.append(
                    (share[:, 0] if down else 1 - share[:, 0]) * (share[:, 1] if right else 1 - share[:, 1])
                )
        return torch.stack(indices, 1), torch.stack(weights, 1)


def rarity_weights(counts: Tensor, uniform: float) -> Tensor:
    """Weight of each cell: the inverse of its share, mixed with a uniform distribution; 1 on average over pixels.

    Args:
        counts: how often each cell occurs, ``(Q,)``.
        uniform: share of the uniform distribution, the paper's λ = 0.5.
    """
    shares = counts / counts.sum() + _SMOOTHING / len(counts)
    weights = 1 / ((1 - uniform) * shares + uniform / len(counts))
    return weights / (weights * shares / shares.sum()).sum()


def _gray(level: Tensor) -> Tensor:
    """Gray of sRGB in [0, 1] from L / 50 - 1."""
    lightness = (50 * (level + 1)).clamp(0, 100)
    linear = torch.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)
    return torch.where(
        linear > 0.0031308, 1.055 * linear.clamp(min=1e-6) ** (1 / 2.4) - 0.055, 12.92 * linear
    )


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
    )  # fmt: skip
