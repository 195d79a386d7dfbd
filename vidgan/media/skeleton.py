"""Drawn skeletons: the parts of a body as lines, a color each."""

import cv2
import numpy as np

from vidgan.media.body_parts import PARTS, Floats, body_unit, segments
from vidgan.media.image import Pixels

_THICKNESS = 0.08
"""Lengths of the torso."""
_THICKEST = 32767
"""Largest thickness of OpenCV's lines, in pixels; a torso may be longer than any frame."""
_HUES = 180
"""Hues of OpenCV."""
_FINE_BITS = 4


def part_hues() -> list[float]:
    """Hues of the parts in degrees."""
    return [float(2 * hue) for hue in _hues()]


def _hues() -> list[int]:
    """The same in steps of OpenCV."""
    return [_HUES * part // len(PARTS) for part in range(len(PARTS))]


def draw_skeleton(image: Pixels, points: Floats) -> None:
    """Draws the parts of a body on an image ``(H, W, 3)`` uint8, the far ones first."""
    thickness = min(max(1, round(_THICKNESS * body_unit(points))), _THICKEST)
    ends = segments(points)
    for part in np.argsort(-ends[:, :, 2].mean(1)):
        hue = np.array([[[_hues()[part], 220, 255]]], np.uint8)
        color = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].tolist()
        start, end = (
            tuple(int(each) for each in np.rint(place[:2].clip(-1e4, 1e4) * (1 << _FINE_BITS)))
            for place in ends[part]
        )
        cv2.line(image, start, end, color, thickness, cv2.LINE_AA, _FINE_BITS)
