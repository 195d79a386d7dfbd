"""Images of benchmarks: read at a size, and written as a sheet of squares."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vidgan.media.image import Pixels

_TILE = 256
BLANK: Pixels = np.full((_TILE, _TILE, 3), 255, np.uint8)


def read_image(path: Path, long_side: int | None) -> Pixels:
    """RGB ``(H, W, 3)`` uint8, at a long side in pixels, or None as it is."""
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None, path
    if long_side is not None:
        scale = long_side / max(pixels.shape[:2])
        height, width = (round(side * scale) for side in pixels.shape[:2])
        pixels = cv2.resize(pixels, (width, height), interpolation=interpolation(pixels, height))
    return np.ascontiguousarray(pixels[:, :, ::-1])


def interpolation(pixels: Pixels, height: int) -> int:
    """OpenCV's flag for scaling an image to a height in pixels."""
    return cv2.INTER_AREA if height < pixels.shape[0] else cv2.INTER_CUBIC


def write_sheet(path: Path, rows: Sequence[Sequence[Pixels]]) -> None:
    """Write the square middle of each image, RGB ``(H, W, 3)``, in rows of equal length as a JPEG."""
    sheet = np.vstack([np.hstack([_square(image) for image in row]) for row in rows])
    cv2.imwrite(str(path), sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


def _square(image: Pixels) -> Pixels:
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    middle = image[top : top + side, left : left + side]
    return np.asarray(cv2.resize(middle, (_TILE, _TILE), interpolation=cv2.INTER_AREA), np.uint8)
