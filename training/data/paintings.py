"""Paintings to learn styles from: crops of many, in other sizes and other colors each time."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.images import read_image, to_uint8
from training.data.palette import stretch_luminance
from training.data.photos import list_photos

HELD_OUT_LIST = Path(__file__).with_name("held_out_paintings.txt")

_CLOSEST = 0.6
"""Pixels of a painting per pixel of a crop at least: further enlarged, brushwork is a blur."""
_FURTHEST = 2.5
_RECOLORED = 0.5
_STRETCHED = 0.25


def held_out_paintings() -> list[str]:
    """File names of the paintings that no training sees, in the order of the list."""
    lines = HELD_OUT_LIST.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class Paintings:
    """Random square crops of paintings.

    Args:
        folders: of paintings, and how often one of each folder's is drawn, relative to the others.

    Raises:
        FileNotFoundError: a folder is missing, or has no image.
    """

    def __init__(self, folders: Mapping[Path, float]) -> None:
        left_out = set(held_out_paintings())
        self.files: list[list[Path]] = [
            [path for path in list_photos([folder]) if path.name not in left_out] for folder in folders
        ]
        self._shares = torch.tensor(list(folders.values()))
        self._pixels: dict[Path, Tensor] = {}

    def crop(self, side: int, random: torch.Generator) -> Tensor:
        """One crop, ``(1, 3, side, side)`` RGB in [0, 1]."""
        files = self.files[int(torch.multinomial(self._shares, 1, generator=random))]
        painting = self._read(files[int(torch.randint(len(files), (), generator=random))])
        shortest = min(painting.shape[1:])
        low, high = min(_CLOSEST * side, shortest), min(_FURTHEST * side, shortest)
        region = round(low * (high / low) ** float(torch.rand((), generator=random)))
        top, left = (
            int(torch.randint(room - region + 1, (), generator=random)) for room in painting.shape[1:]
        )
        crop = painting[None, :, top : top + region, left : left + region].float() / 255
        crop = F.interpolate(crop, (side, side), mode="bicubic", antialias=True, align_corners=False)
        crop = crop.clamp(0, 1).flip(3) if torch.rand((), generator=random) < 0.5 else crop.clamp(0, 1)
        return recolored(crop, random)

    def _read(self, path: Path) -> Tensor:
        if path not in self._pixels:
            self._pixels[path] = to_uint8(read_image(path))
        return self._pixels[path]


def recolored(painting: Tensor, random: torch.Generator) -> Tensor:
    """Half of the paintings as they are, the others in other hues, paler or not, darker or lighter."""
    chance, angle, saturation, gamma, stretch = torch.rand(5, generator=random).tolist()
    if stretch < _STRETCHED:
        painting = torch.lerp(painting, stretch_luminance(painting), stretch / _STRETCHED)
    if chance >= _RECOLORED:
        return painting
    matrix = torch.lerp(torch.full((3, 3), 1 / 3), hue_rotation(2 * math.pi * angle), 0.4 + 0.9 * saturation)
    turned = torch.einsum("ij,njhw->nihw", matrix, painting).clamp(0, 1)
    return turned ** (2 ** (gamma - 0.5))


def hue_rotation(angle: float) -> Tensor:
    """Rotation of RGB about the axis of grays by ``angle`` in radians, ``(3, 3)``."""
    shares: Sequence[float] = [(1 + 2 * math.cos(angle + turn)) / 3 for turn in _THIRDS]
    return torch.tensor([[shares[(column - row) % 3] for column in range(3)] for row in range(3)])


_THIRDS = (0.0, 2 * math.pi / 3, 4 * math.pi / 3)
