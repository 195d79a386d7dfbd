"""Image files as OpenCV reads them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def read_pixels(path: Path, flags: int = cv2.IMREAD_COLOR) -> NDArray[Any]:
    """The pixels of an image file as of :func:`cv2.imread`, by default BGR; it fails where there is no image."""
    pixels = cv2.imread(str(path), flags)
    assert pixels is not None, path
    return pixels


def decode_pixels(encoded: bytes) -> NDArray[Any]:
    """The pixels of an encoded image, BGR; it fails where there is no image."""
    pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels


def write_noise(path: Path, height: int, width: int, seed: int) -> Path:
    """An image of soft colored noise."""
    values = np.random.default_rng(seed).uniform(0, 255, (height // 8, width // 8, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(
        str(path), cv2.resize(values.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    )
    return path
