"""Any folders of photos as training data, with 20 of them held out for evaluation."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
HELD_OUT = 20


def read_picture(path: Path, *, long_side: int | None = None) -> Tensor:
    """The picture as RGB in [0, 1], ``(3, H, W)`` float32, scaled to ``long_side`` pixels if given.

    Raises:
        ValueError: the file is not a picture that OpenCV reads.
    """
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path}: not a readable picture")
    if long_side is not None:
        scale = long_side / max(pixels.shape[:2])
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        pixels = cv2.resize(pixels, size, interpolation=how)
    rgb = np.ascontiguousarray(pixels[:, :, ::-1].transpose(2, 0, 1))
    return torch.from_numpy(rgb).float() / 255


def list_photos(folders: Sequence[Path]) -> list[Path]:
    """All pictures in the folders and below, in an order that does not depend on the file system.

    Raises:
        FileNotFoundError: a folder is missing, or none has a picture.
    """
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder of photos")
    found = sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES
    )
    if not found:
        raise FileNotFoundError(f"no pictures in {', '.join(map(str, folders))}")
    return found


def split_held_out(photos: Sequence[Path], count: int = HELD_OUT) -> tuple[list[Path], list[Path]]:
    """Training photos and the ``count`` ones whose file names hash lowest.

    The choice depends on names alone, so it is the same on every machine, for every style, and
    hardly moves as a folder grows.
    """
    if len(photos) <= count:
        raise ValueError(f"{len(photos)} photos are too few: {count} are held out for evaluation")
    ranked = sorted(photos, key=lambda path: hashlib.sha256(path.name.encode()).digest())
    held_out = set(ranked[:count])
    return [path for path in photos if path not in held_out], sorted(held_out)


def centre_crop(picture: Tensor, size: int) -> Tensor:
    """The largest centred square, scaled to ``size``: ``(3, H, W)`` → ``(3, size, size)``."""
    side = min(picture.shape[1:])
    top, left = (picture.shape[1] - side) // 2, (picture.shape[2] - side) // 2
    return _resize(picture[:, top : top + side, left : left + side], size)


def random_crop(picture: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """A random square of at least ``size`` pixels or 60 % of the short side, mirrored half the time."""
    short = min(picture.shape[1:])
    low = min(short, max(size, round(0.6 * short)))
    side = _integer(low, short + 1, generator)
    top = _integer(0, picture.shape[1] - side + 1, generator)
    left = _integer(0, picture.shape[2] - side + 1, generator)
    crop = _resize(picture[:, top : top + side, left : left + side], size)
    return crop.flip(2) if _integer(0, 2, generator) else crop


def photo_batch(photos: Sequence[Path], batch: int, size: int, generator: torch.Generator) -> Tensor:
    """``batch`` random crops of random photos, ``(batch, 3, size, size)`` RGB in [0, 1].

    Everything random comes from ``generator``, so a run resumed with its state sees the very
    batches that it would have seen.
    """
    picks = [_integer(0, len(photos), generator) for _ in range(batch)]
    return torch.stack([random_crop(read_picture(photos[pick]), size, generator) for pick in picks])


def _integer(low: int, high: int, generator: torch.Generator) -> int:
    return int(torch.randint(low, high, (), generator=generator))


def _resize(picture: Tensor, size: int) -> Tensor:
    if picture.shape[1:] == (size, size):
        return picture
    return torch.nn.functional.interpolate(
        picture[None], (size, size), mode="bilinear", antialias=True, align_corners=False
    )[0]
