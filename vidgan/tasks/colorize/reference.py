"""Colors of a reference photo: what the model says of its lightness is compared with what it is.

The photo is colorized as frames are. A histogram of lightness and predicted chroma then holds by how much the
photo's own chroma differs, and frames are shifted by as much where the model says the same of them. Bins that the
photo does not fill take the shift of those around them, from fine to coarse; far from all of them nothing is shifted.
The shifts are the same for all frames, so they add no flicker.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError
from vidgan.session.output_check import ImageModel
from vidgan.sources.image import read_image
from vidgan.tasks.colorize.lab import GRAY, Chroma, Lightness, lightness_of, shrunk, size_of_side

_LEVELS = 8
"""Bins of lightness."""
_CELL = 8
"""Side of the bins of chroma."""
_CELLS = 256 // _CELL
_BLURS = 0.3, 0.6, 1.2, 2.5, 6.0
"""Standard deviations of the histograms, in bins of chroma, from fine to coarse."""
_FEW = 0.0003
"""Share of the photo at which a bin counts as much as the ones around it."""
_LEAST_CHROMA = 2.0
"""Mean distance from gray below which a photo has no colors."""
_SIDE = 192


class Reference:
    """Shifts of chroma, by lightness and predicted chroma.

    Args:
        lightness: of the photo, at the model's size.
        chroma: what the model says of it, of the same size.
        target: what it is, of the same size.
    """

    def __init__(self, lightness: Lightness, chroma: Chroma, target: Chroma) -> None:
        self._shifts = _shifts(lightness, chroma, target)

    def shifted(self, lightness: Lightness, chroma: Chroma) -> Chroma:
        """Predicted chroma, shifted; lightness and chroma have one size."""
        level = lightness.astype(np.float32) * (_LEVELS / 256) - 0.5
        b, a = (np.ascontiguousarray((chroma[..., each] + 0.5) / _CELL - 0.5, np.float32) for each in (1, 0))
        shift = np.zeros(chroma.shape, np.float32)
        for index, plane in enumerate(self._shifts):
            # Linear between levels, and constant beyond the first and the last.
            near = np.clip(1 - np.abs(np.clip(level, 0, _LEVELS - 1) - index), 0, 1)[..., np.newaxis]
            shift += near * cv2.remap(plane, b, a, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray((chroma + shift).round().clip(0, 255), np.uint8)


def open_reference(path: Path, model: ImageModel, side: int | None) -> Reference:
    """Reads a photo and colorizes it.

    Args:
        side: shorter side of the images that the model was trained on.

    Raises:
        InputError: it cannot be read, or has no colors.
    """
    pixels = read_image(path).pixels
    size = size_of_side(pixels.shape, _SIDE if side is None else side)
    lab = cv2.cvtColor(shrunk(pixels, size), cv2.COLOR_RGB2Lab)
    target = np.ascontiguousarray(lab[..., 1:], np.uint8)
    if np.linalg.norm(target.astype(np.float32) - GRAY, axis=2).mean() < _LEAST_CHROMA:
        raise InputError(f"{path}: is gray; `like` takes its colors from a photo that has some")
    lightness = shrunk(lightness_of(pixels), size)
    return Reference(lightness, model.run(lightness[np.newaxis])[0], target)


def _shifts(lightness: Lightness, chroma: Chroma, target: Chroma) -> NDArray[np.float32]:
    """Shifts of a and b, ``(levels, cells of a, cells of b, 2)``."""
    bins = lightness // (256 // _LEVELS), chroma[..., 0] // _CELL, chroma[..., 1] // _CELL
    index = np.ravel_multi_index(bins, (_LEVELS, _CELLS, _CELLS)).ravel()
    difference = (target.astype(np.float32) - chroma).reshape(-1, 2)
    weights = np.ones(len(index)), difference[:, 0], difference[:, 1]
    sums = [np.bincount(index, each, _LEVELS * _CELLS * _CELLS) / len(index) for each in weights]
    planes = np.stack(sums, 1).reshape(_LEVELS, _CELLS, _CELLS, 3).astype(np.float32)
    shifts = np.zeros((_LEVELS, _CELLS, _CELLS, 2), np.float32)
    for sigma in reversed(_BLURS):
        blurred = _blurred(planes, sigma)
        counts = blurred[..., :1]
        shifts = (blurred[..., 1:] + _FEW * shifts) / (counts + _FEW)
    return shifts


def _blurred(planes: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Sums over the bins around each, ``(levels, cells, cells, C)``; a bin itself counts once."""
    peak = 2 * np.pi * sigma**2
    by_chroma = np.stack([cv2.GaussianBlur(each, (0, 0), sigma) for each in planes]) * np.float32(peak)
    padded = np.pad(by_chroma, ((1, 1), (0, 0), (0, 0), (0, 0)))
    return np.asarray(by_chroma + 0.5 * (padded[:-2] + padded[2:]), np.float32)
