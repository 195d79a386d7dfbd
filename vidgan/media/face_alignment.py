"""Alignment of faces: similarities between frames and the square that networks of faces are trained on.

Places are in pixels, where the center of the first pixel is (0, 0).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.face_guides import EYES, Points
from vidgan.media.image import Image, Pixels, YuvImage
from vidgan.media.yuv import Plane

Affine = NDArray[np.float32]
"""``(2, 3)``: a linear map and a translation."""

SIDE = 144
"""Pixels of an aligned image."""
FRAME_FROM, FRAME = 8, 128
"""The part of an aligned image that a generator is given."""

TEMPLATE: Points = np.array(
    [(54.2946, 63.6963), (89.5318, 63.5014), (72.0252, 83.7366), (57.5493, 104.3655), (86.7299, 104.2041)],
    np.float32,
)
"""Eyes, tip of the nose and corners of the mouth in an aligned image: ArcFace's template (Deng et al. 2019)."""
MESH_TEMPLATE: Points = np.array(
    [(52.81, 63.96), (88.88, 63.44), (71.08, 82.85), (55.56, 101.92), (86.89, 101.58)], np.float32
)
"""The same of the mesh of 468 points: medians over the training faces."""

_NOSE_TIP, _MOUTH = 4, (61, 291)


def similarity(source: Points, target: Points) -> Affine:
    """The similarity without reflection that brings points nearest to others in the least-squares sense.

    Args:
        source, target: ``(N, 2)``.
    """
    a, b = source - source.mean(0), target - target.mean(0)
    size = max(float((a * a).sum()), 1e-6)
    cos = float((a * b).sum()) / size
    sin = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / size
    linear = np.array([[cos, -sin], [sin, cos]], np.float32)
    return np.concatenate([linear, (target.mean(0) - linear @ source.mean(0))[:, np.newaxis]], 1)


def aligned_by_mesh(points: Points) -> Affine:
    """The similarity from a frame to the aligned image, of 468 points in the frame."""
    eyes = [points[list(rim)].mean(0) for rim in reversed(EYES)]
    corners = [points[each] for each in (_NOSE_TIP, *_MOUTH)]
    return similarity(np.stack([*eyes, *corners]), MESH_TEMPLATE)


def to_generator(side: int) -> Affine:
    """From the aligned image to the pixels of a generator's image of that side."""
    scale = side / FRAME
    shift = (0.5 - FRAME_FROM) * scale - 0.5
    return np.array([[scale, 0, shift], [0, scale, shift]], np.float32)


def moved(points: Points, placed: Affine) -> Points:
    """Points ``(N, 2)`` under a map."""
    return np.asarray(points @ placed[:, :2].T + placed[:, 2], np.float32)


def inverse(placed: Affine) -> Affine:
    return np.asarray(cv2.invertAffineTransform(placed), np.float32)


def after(first: Affine, second: Affine) -> Affine:
    """``second`` after ``first``."""
    linear = second[:, :2] @ first[:, :2]
    shift = second[:, :2] @ first[:, 2] + second[:, 2]
    return np.asarray(np.concatenate([linear, shift[:, np.newaxis]], 1), np.float32)


def of_chroma(placed: Affine, image: YuvImage) -> Affine:
    """A map of luma's pixels as one of chroma's pixels."""
    column = 0.0 if image.chroma_location == "left" else 0.5
    return after(np.array([[2, 0, column], [0, 2, 0.5]], np.float32), placed)


def cut_out(image: Image, placed: Affine, side: int) -> Pixels:
    """The square of an image that a map from its pixels leads to, RGB ``(side, side, 3)`` uint8.

    Beyond its border the image is mirrored.
    """
    if not isinstance(image, YuvImage):
        return _warped(image.pixels, placed, side)
    luma = _warped(image.luma, placed, side)
    chroma = _warped(image.chroma, of_chroma(placed, image), side)
    ycrcb = np.dstack([luma, chroma])
    return np.asarray(cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB), np.uint8)


def _warped(plane: Plane, placed: Affine, side: int) -> Plane:
    """Sampled linearly, after a whole-number reduction where pixels would be left out."""
    height, width = plane.shape[:2]
    corners = np.array([(0, 0), (side, 0), (0, side), (side, side)], np.float32) - 0.5
    place = moved(corners, inverse(placed))
    margin = 2 + float(np.ptp(place, axis=0).max()) / side
    low = np.clip(np.floor(place.min(0) - margin), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(place.max(0) + margin), 1, (width, height)).astype(int)
    high = np.maximum(high, low + 1)
    part = np.ascontiguousarray(plane[low[1] : high[1], low[0] : high[0]])
    placed = after(np.array([[1, 0, low[0]], [0, 1, low[1]]], np.float32), placed)
    times = int(1 / max(float(np.linalg.norm(placed[:, 0])), 1e-3))
    if times > 1:
        rows, columns = max(1, part.shape[0] // times), max(1, part.shape[1] // times)
        whole = part[: rows * times, : columns * times]
        part = np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
        of_columns, of_rows = whole.shape[1] / columns, whole.shape[0] / rows
        scaled = [[of_columns, 0, (of_columns - 1) / 2], [0, of_rows, (of_rows - 1) / 2]]
        placed = after(np.array(scaled, np.float32), placed)
    warped = cv2.warpAffine(
        part, placed, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)
