"""Photos that foreign models are probed with."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_FOLDER = Path(__file__).parent


def load_photos() -> list[NDArray[np.float32]]:
    """RGB ``(320, 320, 3)``, 0 to 1."""
    photos = []
    for name in ("meadow.jpg", "rabbit.jpg"):
        data = np.frombuffer((_FOLDER / name).read_bytes(), np.uint8)
        pixels = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        photos.append(pixels.astype(np.float32) / 255)
    return photos
