"""All square crops of photos at full resolution, equally likely and in all eight orientations."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from training.data.bicubic import resize
from training.data.image_crops import ImageStore
from training.data.images import read_image, to_uint8


class Crops:
    """Random square crops.

    Args:
        paths: the photos; those smaller than the crops are left out.
        side: of the crops.
        scales: sizes to use the photos in, 1 for their own. Downscaled a little, photos lose JPEG artifacts and
            become sharper.
        device: where the photos are stored and the crops are wanted.

    Raises:
        ValueError: no photo is large enough.
    """

    def __init__(
        self, paths: Sequence[Path], side: int, *, scales: Sequence[float] = (1.0,), device: torch.device
    ) -> None:
        with ThreadPoolExecutor() as readers:
            read = list(readers.map(lambda path: _sizes_of(path, side, scales), paths))
        images = [image for sizes in read for image in sizes]
        if not images:
            raise ValueError(f"none of {len(paths)} photos is as large as the crops, {side}×{side} pixels")
        self.side = side
        self._store = ImageStore(images, device)
        self._counts = (self._store.heights - side + 1) * (self._store.widths - side + 1)
        self._ends = torch.cumsum(self._counts, 0)
        self._total = int(self._counts.sum())

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """``count`` crops, ``(count, 3, side, side)`` RGB in [0, 1], channels last.

        Args:
            random: on the device of the photos; the only source of randomness.
        """
        store = self._store
        device = store.pixels.device
        picks = torch.randint(self._total, (count,), generator=random, device=device)
        image = torch.searchsorted(self._ends, picks, right=True)
        place = picks - (self._ends[image] - self._counts[image])
        across = store.widths[image] - self.side + 1
        top, left = place // across, place % across
        rows, columns = _oriented(self.side, count, random, device)
        return store.gather(image, top[:, None, None] + rows, left[:, None, None] + columns)


def _sizes_of(path: Path, side: int, scales: Sequence[float]) -> list[Tensor]:
    """The photo in every size that is large enough for crops, uint8 ``(H, W, 3)``."""
    image = read_image(path)
    sizes = [(round(image.shape[1] * scale), round(image.shape[2] * scale)) for scale in scales]
    return [
        to_uint8(resize(image, *size).clamp(0, 1)).permute(1, 2, 0) for size in sizes if min(size) >= side
    ]


def _oriented(side: int, count: int, random: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows and columns of the pixels of crops in random orientations, ``(count, side, side)`` each."""
    mirrored, flipped, transposed = torch.randint(
        2, (3, count, 1, 1), generator=random, device=device, dtype=torch.bool
    )
    steps = torch.arange(side, device=device)
    rows = torch.where(flipped, steps.flip(0)[:, None], steps[:, None]).expand(count, side, side)
    columns = torch.where(mirrored, steps.flip(0), steps).expand(count, side, side)
    return torch.where(transposed, rows.mT, rows), torch.where(transposed, columns.mT, columns)
