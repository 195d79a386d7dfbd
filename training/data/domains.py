"""A kind of pictures, for unpaired translation: any folder of them, all on the device.

Pictures of all sizes are brought to one short side, decoded once, and laid end to end in one tensor of bytes;
a crop is a gather from it, so that nothing is decoded while training.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from training.data.photos import centre_crop, list_photos, read_picture, split_held_out

FEWEST = 12
_HELD_OUT = 20
_NAMED = 3
_CELL = 8
"""Sides that every generator takes are multiples of it."""


class Pictures:
    """Square crops of pictures that were brought to one short side.

    Args:
        paths: the pictures.
        side: of the square crops.
        short_side: that pictures are brought to, in pixels; at least ``side``.
        trim: share of a picture's sides that is cut off each of them first.
        device: where the pictures lie and the crops are wanted.

    Raises:
        ValueError: some cannot be read.
    """

    def __init__(
        self, paths: Sequence[Path], *, side: int, short_side: int, trim: float = 0.0, device: torch.device
    ) -> None:
        self.side = side
        pictures = [_shortened(_trimmed(each, trim), short_side) for each in read_all(paths)]
        heights, widths = (torch.tensor([each.shape[axis] for each in pictures]) for axis in (0, 1))
        self._pixels = torch.cat([each.flatten(0, 1) for each in pictures]).to(device)
        self._starts = (torch.cumsum(heights * widths, 0) - heights * widths).to(device)
        self._heights, self._widths = heights.to(device), widths.to(device)

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """Crops of as many pictures, mirrored half the time, ``(count, 3, side, side)`` RGB in [0, 1].

        Args:
            random: on the device of the pictures; everything random comes from it.
        """
        device = self._pixels.device
        picks = torch.randint(len(self._starts), (count,), generator=random, device=device)
        down, across, mirrored = torch.rand(3, count, generator=random, device=device)
        heights, widths = self._heights[picks], self._widths[picks]
        top, left = (
            (drawn * (length - self.side + 1)).long() for drawn, length in ((down, heights), (across, widths))
        )
        steps = torch.arange(self.side, device=device)
        columns = torch.where(mirrored[:, None] < 0.5, steps, steps.flip(0)) + left[:, None]
        rows = steps + top[:, None]
        places = rows[:, :, None] * widths[:, None, None] + columns[:, None]
        crops = self._pixels[self._starts[picks, None, None] + places]
        return crops.permute(0, 3, 1, 2).float() / 255


class Domain:
    """What one of the two folders shows.

    Args:
        folder: pictures in it and below.
        side, short_side, trim, device: as of :class:`Pictures`; what is trimmed are frames, margins, seals.

    Attributes:
        photos, held_out: files that are trained on, and a tenth, at most 20, that is not.

    Raises:
        FileNotFoundError: no such folder, or no picture in it.
        ValueError: too few pictures, or some that cannot be read.
    """

    def __init__(
        self, folder: Path, *, side: int, short_side: int, trim: float = 0.0, device: torch.device
    ) -> None:
        self.photos, self.held_out = split_domain(folder)
        self.short_side, self.trim, self.device = short_side, trim, device
        self._kept = Pictures(self.photos, side=side, short_side=short_side, trim=trim, device=device)

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """As :meth:`Pictures.batch`."""
        return self._kept.batch(count, random)

    def samples(self, count: int) -> Tensor:
        """Squares of what is not trained on, as large as crops are cut from, ``(at most count, 3, S, S)``."""
        side = self.short_side // _CELL * _CELL
        return squares(self.held_out[:count], side, trim=self.trim).to(self.device)


def split_domain(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files to train on and files held out, as of :class:`Domain`.

    Raises:
        FileNotFoundError, ValueError: as of :class:`Domain`.
    """
    found = list_photos([folder])
    if len(found) < FEWEST:
        raise ValueError(f"{folder}: {len(found)} pictures are too few to learn from; give {FEWEST} or more")
    return split_held_out(found, min(_HELD_OUT, len(found) // 10))


def read_all(paths: Sequence[Path]) -> list[Tensor]:
    """All pictures as :func:`read_picture` reads them, in bytes, ``(3, H, W)``.

    Raises:
        ValueError: one line about all that cannot be read.
    """
    with ThreadPoolExecutor() as readers:
        read = list(readers.map(_read, paths))
    broken = [path for path, picture in zip(paths, read, strict=True) if picture is None]
    if broken:
        named = ", ".join(map(str, broken[:_NAMED])) + (" and others" if len(broken) > _NAMED else "")
        raise ValueError(f"{len(broken)} files are no readable pictures; take them out: {named}")
    return [picture for picture in read if picture is not None]


def squares(paths: Sequence[Path], side: int, *, trim: float = 0.0) -> Tensor:
    """The largest centred squares, trimmed, ``(N, 3, side, side)`` RGB in [0, 1]."""
    return torch.stack(
        [centre_crop(_trimmed(each, trim).float() / 255, side) for each in read_all(paths)]
    ).clamp(0, 1)


def _read(path: Path) -> Tensor | None:
    try:
        return (read_picture(path) * 255).round().byte()
    except ValueError:
        return None


def _trimmed(picture: Tensor, trim: float) -> Tensor:
    down, across = (round(trim * length) for length in picture.shape[1:])
    return picture[:, down : picture.shape[1] - down, across : picture.shape[2] - across]


def _shortened(picture: Tensor, short_side: int) -> Tensor:
    """To that short side, in bytes, ``(H, W, 3)``."""
    scale = short_side / min(picture.shape[1:])
    size = [max(short_side, round(length * scale)) for length in picture.shape[1:]]
    resized = torch.nn.functional.interpolate(
        picture[None].float(), size, mode="bilinear", antialias=True, align_corners=False
    )
    return resized[0].clamp(0, 255).round().byte().permute(1, 2, 0)
