"""Lightness and chroma of CIE Lab in bytes: RGB of exactly a given lightness."""

from functools import cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, YuvImage

Chroma = NDArray[np.uint8]
"""a and b of CIE Lab, each plus 128, ``(h, w, 2)`` uint8."""
Lightness = NDArray[np.uint8]
"""L of CIE Lab times 255 / 100, ``(H, W)`` uint8."""

GRAY = 128
"""Zero of chroma in bytes."""
_LESS = 0.85, 0.7, 0.5, 0.3, 0.15, 0.0
"""Shares of the chroma to try where sRGB has no color of that lightness and chroma."""
_LEAST = 16
_STEPS = np.array(sorted(product((-1, 0, 1), repeat=3), key=lambda step: sum(map(abs, step))), np.int16)
"""Steps to the neighbors of a color, the nearest first."""


def lightness_of(pixels: Pixels) -> NDArray[np.uint8]:
    """L of CIE Lab times 255 / 100, ``(H, W)`` uint8, of RGB."""
    return np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)[:, :, 0], np.uint8)


def with_chroma(lightness: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> Pixels:
    """RGB of exactly that lightness and approximately that chroma.

    Where sRGB has no color of that lightness and chroma, the chroma is reduced; where 8 bits miss the lightness,
    the nearest color that has it is taken.

    Args:
        lightness: see :func:`lightness_of`, ``(H, W)`` uint8.
        chroma: a and b of CIE Lab, each plus 128, ``(h, w, 2)`` uint8; enlarged where it is smaller.
    """
    chroma = enlarged(chroma, *lightness.shape)
    pixels = rgb_of(lightness, chroma)
    rows, columns = np.nonzero(lightness_of(pixels) != lightness)
    wanted, ab = lightness[rows, columns], chroma[rows, columns].astype(np.float32) - GRAY
    for share in (1.0, *_LESS):
        if not len(rows):
            break
        less = np.asarray((share * ab + GRAY).round(), np.uint8)
        found, hit = _nearest_of(wanted, less)
        pixels[rows[hit], columns[hit]] = found[hit]
        rows, columns, wanted, ab = rows[~hit], columns[~hit], wanted[~hit], ab[~hit]
    return pixels


def _nearest_of(wanted: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> tuple[Pixels, NDArray[np.bool_]]:
    """Colors ``(N, 3)`` near lightness ``(N,)`` and chroma ``(N, 2)``, and which of them have the lightness."""
    start = rgb_of(wanted[:, np.newaxis], chroma[:, np.newaxis])[:, 0]
    found, missed = start.copy(), np.arange(len(start))
    for step in _STEPS:
        if not len(missed):
            break
        near = (start[missed] + step).clip(0, 255).astype(np.uint8)
        hits = lightness_of(near[:, np.newaxis])[:, 0] == wanted[missed]
        found[missed[hits]] = near[hits]
        missed = missed[~hits]
    hit = np.ones(len(start), np.bool_)
    hit[missed] = False
    return found, hit


def enlarged(chroma: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if chroma.shape[:2] == (height, width):
        return chroma
    # Guided upsampling helps true chroma a little, and a model's not: benchmarks/chroma.py.
    return np.asarray(cv2.resize(chroma, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def rgb_of(lightness: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> Pixels:
    lab = np.concatenate([lightness[..., np.newaxis], chroma], 2)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.uint8)


@cache
def lightness_of_gray() -> NDArray[np.uint8]:
    """Lightness of each gray level, ``(256,)``. OpenCV's first conversion to Lab takes 0.2 s, so not at import."""
    grays = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis], 3, axis=2)
    return lightness_of(grays).ravel()


def lightness_of_frame(frame: Frame) -> Lightness:
    """Lightness of a frame, of which only luma is asked where it has luma."""
    if isinstance(frame.image, YuvImage):
        return np.asarray(cv2.LUT(frame.image.luma, lightness_of_gray()), np.uint8)
    return lightness_of(frame.pixels)


def ycc_chroma(lightness: Lightness, chroma: Chroma) -> NDArray[np.uint8]:
    """Cr and Cb of that lightness and chroma of CIE Lab, which have one size, ``(h, w, 2)`` uint8."""
    converted = cv2.cvtColor(rgb_of(lightness, chroma), cv2.COLOR_RGB2YCrCb)[:, :, 1:]
    return np.ascontiguousarray(converted, np.uint8)


def shrunk(plane: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bytes averaged down to a width and height."""
    if plane.shape[1::-1] == size:
        return np.ascontiguousarray(plane)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def size_of_side(shape: tuple[int, ...], side: int | None) -> tuple[int, int]:
    """Width and height of an array ``(H, W, …)`` made so small that its shorter side is ``side`` at most."""
    height, width = shape[:2]
    if side is None or min(height, width) <= side:
        return width, height
    scale = side / min(height, width)
    return max(_LEAST, round(scale * width)), max(_LEAST, round(scale * height))
