"""Random crops of many pictures, cut where they are trained on: at a GPU's pace nothing else keeps up.

All pictures are decoded once and laid end to end in one tensor of bytes on the device; a crop is a gather
from it, at any place, mirrored and turned.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from training.data.bicubic import resize
from training.data.photos import read_picture


class Crops:
    """All square crops of some pictures.

    Args:
        paths: the pictures; those smaller than the crops are left out.
        side: of the crops.
        shrinks: sizes to take the pictures in, 1 as they are. Shrunk a little, they lose what JPEG did to
            them, and become sharper.
        device: where the pictures lie and the crops are wanted.

    Raises:
        ValueError: no picture is large enough.
    """

    def __init__(
        self, paths: Sequence[Path], side: int, *, shrinks: Sequence[float] = (1.0,), device: torch.device
    ) -> None:
        with ThreadPoolExecutor() as readers:
            read = list(readers.map(lambda path: _sizes_of(path, side, shrinks), paths))
        pictures = [picture for sizes in read for picture in sizes]
        if not pictures:
            raise ValueError(f"none of {len(paths)} photos is as large as the crops, {side}×{side} pixels")
        heights, widths = (torch.tensor([each.shape[axis] for each in pictures]) for axis in (0, 1))
        counts = (heights - side + 1) * (widths - side + 1)
        self.side = side
        self.pixels = torch.cat([each.flatten(0, 1) for each in pictures]).to(device)
        self._widths = widths.to(device)
        self._starts = (torch.cumsum(heights * widths, 0) - heights * widths).to(device)
        self._ends = torch.cumsum(counts, 0).to(device)
        self._counts = counts.to(device)
        self._total = int(counts.sum())

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` of them, all equally probable, ``(count, 3, side, side)`` RGB in [0, 1], channels last.

        Args:
            random: on the device of the pictures; everything random comes from it.
        """
        device = self.pixels.device
        picks = torch.randint(self._total, (count,), generator=random, device=device)
        picture = torch.searchsorted(self._ends, picks, right=True)
        place = picks - (self._ends[picture] - self._counts[picture])
        width = self._widths[picture]
        across = width - self.side + 1
        top, left = place // across, place % across
        rows, columns = _turned(self.side, count, random, device)
        index = (top[:, None, None] + rows) * width[:, None, None] + left[:, None, None] + columns
        crops = self.pixels[self._starts[picture][:, None, None] + index]
        return crops.permute(0, 3, 1, 2).float() / 255


def _sizes_of(path: Path, side: int, shrinks: Sequence[float]) -> list[Tensor]:
    """The picture in every size that has room for crops, uint8 ``(H, W, 3)``."""
    picture = read_picture(path)
    wanted = [(round(picture.shape[1] * share), round(picture.shape[2] * share)) for share in shrinks]
    return [
        (resize(picture, *size).clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
        for size in wanted
        if min(size) >= side
    ]


def _turned(side: int, count: int, random: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
    """Row and column of every pixel of crops in one of the eight positions of a square, ``(count, s, s)``."""
    mirrored, upside, turned = torch.randint(
        2, (3, count, 1, 1), generator=random, device=device, dtype=torch.bool
    )
    steps = torch.arange(side, device=device)
    rows = torch.where(upside, steps.flip(0)[:, None], steps[:, None]).expand(count, side, side)
    columns = torch.where(mirrored, steps.flip(0), steps).expand(count, side, side)
    return torch.where(turned, rows.mT, rows), torch.where(turned, columns.mT, columns)
