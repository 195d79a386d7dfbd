"""Images of the dead leaves model, which have the edges, the flat places and the spectra of photos.

Discs and stripes of all sizes fall on one another (Lee, Mumford and Huang 2001, "Occlusion Models for Natural
Images"). Photos to train with may not be given away; these can ship with a model, to calibrate it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_LEAVES = 300
_SMALLEST, _LARGEST = 2.0, 0.5
"""Radii: in pixels, and as a share of the side."""


def dead_leaves(count: int, side: int, *, seed: int = 0) -> list[NDArray[np.uint8]]:
    """``count`` images, RGB ``(side, side, 3)``, from dull ones to brilliant ones."""
    random = np.random.default_rng(seed)
    return [_image(side, (number + 1) / count, random) for number in range(count)]


def _image(side: int, contrast: float, random: np.random.Generator) -> NDArray[np.uint8]:
    center = random.uniform(0.25, 0.75) + random.normal(0, 0.06, 3)
    image = np.full((side, side, 3), center, np.float32)
    rows, columns = np.mgrid[:side, :side].astype(np.float32) / side - 0.5
    radii = np.exp(random.uniform(np.log(_SMALLEST), np.log(_LARGEST * side), _LEAVES))
    # Small ones lie on large ones more often than not.
    for radius in sorted(radii, key=lambda each: each * random.uniform(0.05, 1), reverse=True):
        # Lightness varies more than color does.
        color = np.clip(center + contrast * (random.normal(0, 0.3) + random.normal(0, 0.1, 3)), 0, 1)
        shade = contrast * random.normal(0, 0.25, 2)
        mask = _leaf(side, radius, random)[..., None]
        leaf = color + (shade[0] * rows + shade[1] * columns)[..., None]
        image = image * (1 - mask) + mask * leaf.astype(np.float32)
    noise = random.normal(0, 0.01 * random.uniform(), image.shape)
    return np.asarray(np.rint(255 * np.clip(image + noise, 0, 1)), np.uint8)


def _leaf(side: int, radius: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Where the leaf is, with a soft edge, ``(side, side)`` in [0, 1]."""
    mask = np.zeros((side, side), np.uint8)
    center = tuple(int(each) for each in random.integers(-side // 8, side + side // 8, 2))
    axes = round(radius), max(1, round(radius * random.uniform(0.15, 1)))
    cv2.ellipse(mask, center, axes, random.uniform(0, 180), 0, 360, 255, cv2.FILLED, cv2.LINE_AA)
    return np.asarray(mask / 255, np.float32)
