"""Steady faces: what a generator made of a face before goes along with its points, and is mixed with what it makes now.

As :mod:`vidgan.temporal.flow`, but the motion is that of the points, which is known, and of no pixel of the original.
"""

import cv2
import numpy as np

from vidgan.media.face_guides import EYES, LIPS, Points, eye_distance
from vidgan.media.image import Pixels
from vidgan.tasks.faces.box import Floats

_PAST = 0.75
"""Share of the past."""
_CELLS = 16
"""Points along a side at which the motion is computed; between them it is smooth."""
_REACH = 0.12
"""Eye distances within which a point moves what is around it."""
_GROWN = 0.08
"""Eye distances by which eyes and lips are grown, where nothing of the past is shown: they are to move at once."""
_DOUBT = 8.0, 24.0
"""Levels of difference between which the past counts for less, down to nothing: in a head that turns, new skin comes
into sight."""
_SUBPIXELS = 4


def steadied(now: Pixels, past: Pixels, points: Points, before: Points) -> Pixels:
    """The generated face of a frame, with a share of that of the frame before.

    Args:
        now, past: ``(S, S, 3)`` uint8 RGB.
        points, before: where their features are, ``(468, 2)``, in their pixels.
    """
    side = now.shape[0]
    flow = _flow(points, before, side)
    columns, rows = np.meshgrid(*2 * [np.arange(side, dtype=np.float32)])
    moved = cv2.remap(
        past, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    share = _share(points, side) * _confidence(now, np.asarray(moved, np.uint8))
    return np.asarray(cv2.blendLinear(moved, now, share, 1 - share), np.uint8)


def _flow(points: Points, before: Points, side: int) -> Floats:
    """From each pixel to where it was, ``(side, side, 2)``: that of the points near it."""
    scale = side / _CELLS
    middles = (np.arange(_CELLS, dtype=np.float32) + 0.5) * scale - 0.5
    places = np.stack(np.meshgrid(middles, middles), 2).reshape(-1, 2)
    squares = np.square(places).sum(1)[:, np.newaxis] + np.square(points).sum(1) - 2 * places @ points.T
    squares /= np.float32((_REACH * eye_distance(points)) ** 2)
    # The nearest point has weight 1, however far it is.
    weights = np.exp(np.float32(-0.5) * (squares - squares.min(1, keepdims=True)))
    coarse = weights @ (before - points) / weights.sum(1, keepdims=True)
    return np.asarray(
        cv2.resize(
            coarse.reshape(_CELLS, _CELLS, 2).astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR
        ),
        np.float32,
    )


def _confidence(now: Pixels, moved: Pixels) -> Floats:
    """0 to 1, ``(side, side)``."""
    differences = cv2.absdiff(now, moved).astype(np.float32).mean(2)
    low, high = _DOUBT
    return np.asarray(((high - cv2.blur(differences, (5, 5))) / (high - low)).clip(0, 1), np.float32)


def _share(points: Points, side: int) -> Floats:
    """The share of the past, ``(side, side)``."""
    features = np.zeros((side, side), np.uint8)
    for rim in (*EYES, LIPS[0]):
        fixed = np.round(points[list(rim)] * 2**_SUBPIXELS).astype(np.int32)
        cv2.fillPoly(features, [fixed], 255, cv2.LINE_AA, _SUBPIXELS)
    unit = eye_distance(points)
    size = round(2 * _GROWN * unit) | 1
    features = np.asarray(
        cv2.dilate(features, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8
    )
    soft = cv2.GaussianBlur(features, (0, 0), max(_GROWN * unit / 2, 0.5)).astype(np.float32)
    return np.asarray(_PAST * (1 - soft / 255), np.float32)
