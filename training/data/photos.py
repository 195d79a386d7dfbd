"""Folders of photos as training data, with 20 photos held out for evaluation."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from training.data.images import read_image, resize_square

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
HELD_OUT = 20


def list_photos(folders: Sequence[Path]) -> list[Path]:
    """All images in the folders and below, sorted by path.

    Raises:
        FileNotFoundError: a folder is missing, or no folder has an image.
    """
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder of photos")
    found = sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES
    )
    if not found:
        raise FileNotFoundError(f"no images in {', '.join(map(str, folders))}")
    return found


def split_held_out(photos: Sequence[Path], count: int = HELD_OUT) -> tuple[list[Path], list[Path]]:
    """Training photos, and the ``count`` photos whose file names have the lowest hashes.

    The choice depends on names only, so it is the same on every machine and for every style, and hardly changes
    when a folder grows.

    Raises:
        ValueError: there are too few photos.
    """
    if len(photos) <= count:
        raise ValueError(f"{len(photos)} photos are too few: {count} are held out for evaluation")
    ranked = sorted(photos, key=lambda path: hashlib.sha256(path.name.encode()).digest())
    held_out = set(ranked[:count])
    return [path for path in photos if path not in held_out], sorted(held_out)


def random_crop(image: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """A random square of at least ``size`` pixels or 60 % of the short side, mirrored half the time, resized."""
    short = min(image.shape[1:])
    low = min(short, max(size, round(0.6 * short)))
    side = _integer(low, short + 1, generator)
    top = _integer(0, image.shape[1] - side + 1, generator)
    left = _integer(0, image.shape[2] - side + 1, generator)
    crop = resize_square(image[:, top : top + side, left : left + side], size)
    return crop.flip(2) if _integer(0, 2, generator) else crop


def photo_batch(photos: Sequence[Path], batch: int, size: int, generator: torch.Generator) -> Tensor:
    """``batch`` random crops of random photos, ``(batch, 3, size, size)`` RGB in [0, 1].

    All randomness comes from ``generator``, so a run that is resumed with its state gets the same batches as an
    uninterrupted one.
    """
    picks = [_integer(0, len(photos), generator) for _ in range(batch)]
    return torch.stack([random_crop(read_image(photos[pick]), size, generator) for pick in picks])


def _integer(low: int, high: int, generator: torch.Generator) -> int:
    return int(torch.randint(low, high, (), generator=generator))
