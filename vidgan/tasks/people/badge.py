"""A badge in a corner that says that a model made what is shown."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Pixels

_TEXT = "AI"
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_HEIGHT = 0.05
"""Height of the letters, in shorter sides."""
_LEAST = 14
_PAPER = 0.55
"""Opacity of the dark ground of the text."""


def with_badge(pixels: Pixels) -> Pixels:
    """The image with the badge in its upper right corner, ``(H, W, 3)`` uint8."""
    height, width = pixels.shape[:2]
    tall = max(_LEAST, round(_HEIGHT * min(height, width)))
    text = _drawn(tall)
    rows, columns = min(text.shape[0], height), min(text.shape[1], width)
    made = pixels.copy()
    margin = min(tall // 2, height - rows, width - columns)
    place = np.s_[margin : margin + rows, width - margin - columns : width - margin]
    light = text[:rows, :columns, np.newaxis]
    ground = made[place].astype(np.float32) * (1 - _PAPER)
    made[place] = np.rint(ground + light * (255 - ground)).astype(np.uint8)
    return made


@lru_cache(maxsize=4)
def _drawn(tall: int) -> NDArray[np.float32]:
    """Opacity of the letters, with a rim."""
    scale = tall / 22
    (width, height), _ = cv2.getTextSize(_TEXT, _FONT, scale, max(1, round(1.6 * scale)))
    rim = max(2, tall // 4)
    ground = np.zeros((height + 2 * rim, width + 2 * rim), np.uint8)
    thickness = max(1, round(1.6 * scale))
    cv2.putText(ground, _TEXT, (rim, rim + height), _FONT, scale, 255, thickness, cv2.LINE_AA)
    return np.asarray(ground, np.float32) / np.float32(255)
