"""Random crops of images that lie end to end in one uint8 tensor on the device: a crop is a gather from it.

Nothing is decoded in training; decoding cannot keep up with a GPU.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from training.data.images import center_crop, read_image, resize_bilinear, to_uint8

_NAMED = 3


class ImageStore:
    """Images of any size as one flat tensor.

    Args:
        images: uint8 ``(H, W, 3)`` each.
        device: where they are stored.
    """

    def __init__(self, images: Sequence[Tensor], device: torch.device) -> None:
        heights, widths = (torch.tensor([each.shape[axis] for each in images]) for axis in (0, 1))
        self.pixels = torch.cat([each.flatten(0, 1) for each in images]).to(device)
        self.heights, self.widths = heights.to(device), widths.to(device)
        self._starts = (torch.cumsum(heights * widths, 0) - heights * widths).to(device)

    def gather(self, picks: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Pixels of the images ``picks``, ``(N,)``, at rows and columns → ``(N, 3, h, w)`` RGB in [0, 1].

        Args:
            rows, columns: in their image, broadcast to ``(N, h, w)``.
        """
        places = rows * self.widths[picks, None, None] + columns
        crops = self.pixels[self._starts[picks, None, None] + places]
        return crops.permute(0, 3, 1, 2).float() / 255


class ImageCrops:
    """Random square crops of images that are resized to one short side.

    Args:
        paths: the images.
        side: of the crops.
        short_side: that images are resized to, in pixels; at least ``side``.
        trim: share of an image's sides that is cut off each of them first.
        device: where the crops are wanted.

    Raises:
        ValueError: some images cannot be read.
    """

    def __init__(
        self, paths: Sequence[Path], *, side: int, short_side: int, trim: float = 0.0, device: torch.device
    ) -> None:
        self.side = side
        images = [_resize_short_side(_trimmed(each, trim), short_side) for each in read_all(paths)]
        self._store = ImageStore(images, device)

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """Crops of ``count`` random images, mirrored half the time, ``(count, 3, side, side)`` RGB in [0, 1].

        Args:
            random: on the device of the images; the only source of randomness.
        """
        store = self._store
        device = store.pixels.device
        picks = torch.randint(len(store.heights), (count,), generator=random, device=device)
        down, across, mirrored = torch.rand(3, count, generator=random, device=device)
        top, left = (
            (drawn * (length[picks] - self.side + 1)).long()
            for drawn, length in ((down, store.heights), (across, store.widths))
        )
        steps = torch.arange(self.side, device=device)
        columns = torch.where(mirrored[:, None] < 0.5, steps, steps.flip(0)) + left[:, None]
        rows = steps + top[:, None]
        return store.gather(picks, rows[:, :, None], columns[:, None])


def read_all(paths: Sequence[Path]) -> list[Tensor]:
    """All images, uint8 ``(3, H, W)``.

    Raises:
        ValueError: some cannot be read; the message names them.
    """
    with ThreadPoolExecutor() as readers:
        read = list(readers.map(_read, paths))
    broken = [path for path, image in zip(paths, read, strict=True) if image is None]
    if broken:
        named = ", ".join(map(str, broken[:_NAMED])) + (" and others" if len(broken) > _NAMED else "")
        raise ValueError(f"{len(broken)} files are not readable images; remove them: {named}")
    return [image for image in read if image is not None]


def square_images(paths: Sequence[Path], side: int, *, trim: float = 0.0) -> Tensor:
    """The largest centered squares of trimmed images, ``(N, 3, side, side)`` RGB in [0, 1]."""
    return torch.stack(
        [center_crop(_trimmed(each, trim).float() / 255, side) for each in read_all(paths)]
    ).clamp(0, 1)


def _read(path: Path) -> Tensor | None:
    try:
        return to_uint8(read_image(path))
    except ValueError:
        return None


def _trimmed(image: Tensor, trim: float) -> Tensor:
    down, across = (round(trim * length) for length in image.shape[1:])
    return image[:, down : image.shape[1] - down, across : image.shape[2] - across]


def _resize_short_side(image: Tensor, short_side: int) -> Tensor:
    """uint8 ``(3, H, W)`` → uint8 ``(H, W, 3)`` with that short side."""
    scale = short_side / min(image.shape[1:])
    size = [max(short_side, round(length * scale)) for length in image.shape[1:]]
    resized = resize_bilinear(image[None].float(), size)
    return resized[0].clamp(0, 255).round().byte().permute(1, 2, 0)
