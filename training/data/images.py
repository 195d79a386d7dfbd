"""Reading and writing image files, and arranging images in sheets. Images are RGB in [0, 1], ``(3, H, W)``."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor


def read_image(path: Path, *, long_side: int | None = None) -> Tensor:
    """The image as RGB in [0, 1], ``(3, H, W)`` float32, resized to ``long_side`` pixels if given.

    Raises:
        ValueError: OpenCV cannot read the file.
    """
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path}: not a readable image")
    if long_side is not None:
        scale = long_side / max(pixels.shape[:2])
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        pixels = cv2.resize(pixels, size, interpolation=interpolation)
    rgb = np.ascontiguousarray(pixels[:, :, ::-1].transpose(2, 0, 1))
    return torch.from_numpy(rgb).float() / 255


def write_image(path: Path, image: Tensor) -> None:
    """Writes RGB in [0, 1], ``(3, H, W)``."""
    pixels = to_uint8(image.clamp(0, 1)).permute(1, 2, 0).numpy()
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))


def to_uint8(image: Tensor) -> Tensor:
    """Values in [0, 1] → uint8, rounded; of any shape."""
    return (image * 255).round().byte()


def image_grid(rows: Iterable[Sequence[Tensor] | Tensor]) -> Tensor:
    """Images of one size, ``(C, H, W)`` each, side by side in rows, float32 on the CPU."""
    return torch.cat([torch.cat(list(row), 2) for row in rows], 1).float().cpu()


def center_crop(image: Tensor, size: int) -> Tensor:
    """The largest centered square, resized to ``size``: ``(3, H, W)`` → ``(3, size, size)``."""
    side = min(image.shape[1:])
    top, left = (image.shape[1] - side) // 2, (image.shape[2] - side) // 2
    return resize_square(image[:, top : top + side, left : left + side], size)


def resize_square(image: Tensor, size: int) -> Tensor:
    """``(3, H, W)`` → ``(3, size, size)``, bilinear, antialiased."""
    if image.shape[1:] == (size, size):
        return image
    return resize_bilinear(image[None], (size, size))[0]


def resize_bilinear(images: Tensor, size: Sequence[int]) -> Tensor:
    """Float ``(N, C, H, W)`` resized to height and width ``size``, antialiased."""
    return torch.nn.functional.interpolate(
        images, tuple(size), mode="bilinear", antialias=True, align_corners=False
    )
