"""Likeness of what a foreign graph returns to the photo that it should come near to."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
"""RGB ``(H, W, 3)`` or luma ``(H, W, 1)``, 0 to 1."""

LUMA = np.asarray([0.299, 0.587, 0.114], np.float32)


class Likeness(NamedTuple):
    """Likeness of an image to its photo.

    Attributes:
        low: mean difference of the two seen from afar.
        detail: correlation of what is left of them then.
        score: of these, of colors, of contrast, of levels that would be clipped.
    """

    low: float
    detail: float
    score: float


def likeness(image: Image, photo: Image, scale: int) -> Likeness:
    """The likeness of ``image``, whose sides were enlarged ``scale`` times by the graph, to ``photo`` of its size."""
    seen = image.clip(0, 1)
    far, far_photo = _from_afar(seen, 8 * scale), _from_afar(photo, 8 * scale)
    low = float(np.abs(far - far_photo).mean())
    luma, luma_photo = _luma(seen), _luma(photo)
    detail = _cosine(_detail(luma, 4 * scale + 1), _detail(luma_photo, 4 * scale + 1))
    brightness, brightness_photo = _luma(far), _luma(far_photo)
    light = _cosine(brightness - brightness.mean(), brightness_photo - brightness_photo.mean())
    outside = float(((image < -0.03) | (image > 1.03)).mean())
    contrast = abs(_log_ratio(brightness.std(), brightness_photo.std()))
    score = detail + light - 10 * low - 2 * outside - 0.3 * contrast
    score -= abs(float(brightness.mean() - brightness_photo.mean()))
    if image.shape[2] == 1:
        return Likeness(low, detail, score + 1)
    chroma, chroma_photo = _chroma(far), _chroma(far_photo)
    saturation = abs(_log_ratio(np.sqrt((chroma**2).mean()), np.sqrt((chroma_photo**2).mean())))
    return Likeness(low, detail, score + _cosine(chroma, chroma_photo) - 0.3 * saturation)


def _from_afar(image: Image, cell: int) -> Image:
    """The means of cells of so many pixels a side."""
    height, width, channels = image.shape
    size = max(4, width // cell), max(4, height // cell)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA)).reshape(*size[::-1], channels)


def _detail(luma: Image, side: int) -> Image:
    """The detail that a box blur of that size removes."""
    return luma - np.asarray(cv2.blur(luma, (side, side)), np.float32)


def _luma(image: Image) -> Image:
    return image[..., 0] if image.shape[2] == 1 else np.asarray(image @ LUMA, np.float32)


def _chroma(image: Image) -> Image:
    luma = _luma(image)
    return np.stack([image[..., 0] - luma, image[..., 2] - luma])


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float((one * other).sum() / (np.sqrt((one**2).sum() * (other**2).sum()) + 1e-9))


def _log_ratio(one: float, other: float) -> float:
    return float(np.log((one + 0.01) / (other + 0.01)))
