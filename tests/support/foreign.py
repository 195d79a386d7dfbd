"""Foreign models for tests: files where they are there, and small graphs that are made here."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

FOREIGN = Path(__file__).parents[3] / "shared" / "data" / "foreign"


def foreign(name: str) -> Path:
    """A file of the folder of foreign models, or a skip."""
    path = FOREIGN / name
    if not path.is_file():
        pytest.skip("the foreign models are not here")
    return path


def expected(name: str) -> NDArray[np.uint8]:
    """An image of the same folder, RGB."""
    return cv2.cvtColor(cv2.imread(str(foreign(f"expected/{name}.png"))), cv2.COLOR_BGR2RGB)


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    error = float(((one.astype(float) - other) ** 2).mean())
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)
