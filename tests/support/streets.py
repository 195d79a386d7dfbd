"""A small world with labels: sky over road, a car that drives along, and photos of it."""

from pathlib import Path

import cv2
import numpy as np

CLASSES = "sky 128 128 128\nroad 128 64 128\ncar 64 0 128\nvoid 0 0 0\n"
SKY, ROAD, CAR, VOID = range(4)
_PAINT = np.array([[230, 200, 160], [80, 80, 80], [30, 30, 200], [0, 0, 0]], np.uint8)
"""Blue, green, red."""


def classes_file(folder: Path) -> Path:
    """Of the world's classes."""
    path = folder / "classes.txt"
    path.write_text(CLASSES)
    return path


def street_labels(moment: int, size: tuple[int, int] = (72, 96)) -> np.ndarray:
    """Class indices, ``(H, W)`` uint8: the car is further right at every moment."""
    height, width = size
    labels = np.full(size, ROAD, np.uint8)
    labels[: height // 2] = SKY
    left = (4 * moment) % (width - width // 4)
    labels[height // 2 - 6 : height // 2 + 10, left : left + width // 4] = CAR
    labels[-4:, : width // 8] = VOID
    return labels


def street(folder: Path, count: int = 12) -> tuple[Path, Path]:
    """Folders of label maps and of their photos, so many moments in their order."""
    labels, photos = folder / "labels", folder / "photos"
    labels.mkdir(parents=True)
    photos.mkdir()
    noise = np.random.default_rng(0)
    for moment in range(count):
        found = street_labels(moment)
        photo = _PAINT[found].astype(float) + noise.normal(0, 6, (*found.shape, 3))
        cv2.imwrite(str(labels / f"{moment:03}.png"), found)
        cv2.imwrite(str(photos / f"{moment:03}.png"), photo.clip(0, 255).astype(np.uint8))
    return labels, photos
