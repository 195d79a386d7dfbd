"""Faces of one person in the place, pose and light of another's, as targets of a generator.

Losses of recognizers alone teach a generator textures that recognizers take for a face. A photo of the
person who is wanted, warped to the lines and lit as the image is, shows what is meant pixel by pixel. After
the triplets of Yuan et al. 2023, "ReliableSwap: Boosting general face swapping via reliable supervision".
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.face_guides import INNER, Points
from vidgan.media.image import Pixels

Floats = NDArray[np.float32]

_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The rim of the face."""
_CHEEKS = 50, 280, 101, 330, 123, 352, 187, 411, 205, 425, 151, 9, 69, 299
_CONTROL = sorted({*INNER, *_OVAL, *_CHEEKS})
"""Points that a warp goes through."""
_STEP = 3
"""Pixels of the grid on which a warp is computed; between its points it is smooth."""
_STIFFNESS = 0.05
"""Smoothing of the spline, so that points that lie close together do not fold it."""
_LEAST_LIGHT, _RANGE = 24.0, 2.5
"""Levels below which a ratio of lights means nothing, and the largest ratio."""


def nearest_shape(points: Points, candidates: Points) -> int:
    """Number of the candidate whose features lie most alike.

    Args:
        points: ``(468, 2)``, aligned.
        candidates: ``(N, 468, 2)``.
    """
    inner = list(INNER)
    offsets = candidates[:, inner] - points[inner]
    offsets -= offsets.mean(1, keepdims=True)
    return int(np.square(offsets).sum((1, 2)).argmin())


def swapped_face(target: Pixels, there: Points, face: Pixels, points: Points, mask: Floats) -> Pixels:
    """A face in the place of another: warped to points, and lit as the image is.

    Args:
        target: image into which it comes, ``(H, W, 3)`` uint8 RGB.
        there: where its points are to be, ``(468, 2)``.
        face: image of the face, of the same size, and ``points`` in it.
        mask: where it replaces the image, ``(H, W)`` in [0, 1].

    Returns:
        ``(H, W, 3)`` uint8 RGB.
    """
    places = _warp(there, points, face.shape[:2])
    warped = cv2.remap(face, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    ratio = np.clip(_light(target, mask) / _light(warped, mask), 1 / _RANGE, _RANGE)
    lit = warped * ratio
    mixed = target + mask[..., np.newaxis] * (lit - target)
    return np.asarray(np.rint(mixed.clip(0, 255)), np.uint8)


def _light(image: Pixels, mask: Floats) -> Floats:
    """The plane nearest to the colors of an image within a mask, ``(H, W, 3)``.

    Anything finer, such as a beard, would be handed over from one person to the other.
    """
    y, x = np.indices(mask.shape, np.float32) / mask.shape[1]
    terms = np.stack([np.ones_like(x), x, y], 2)
    weights = np.sqrt(mask)[..., np.newaxis]
    plane, *_ = np.linalg.lstsq((weights * terms).reshape(-1, 3), (weights * image).reshape(-1, 3))
    return np.asarray((terms @ plane).clip(0, 255) + _LEAST_LIGHT, np.float32)


def _warp(there: Points, points: Points, size: tuple[int, int]) -> Floats:
    """Where each pixel comes from, ``(H, W, 2)``: a thin-plate spline through the points (Bookstein 1989)."""
    ends, starts = there[_CONTROL], points[_CONTROL]
    count, unit = len(_CONTROL), float(size[1])
    placed = ends / unit
    system = np.zeros((count + 3, count + 3), np.float64)
    system[:count, :count] = _kernel(placed, placed)
    system[range(count), range(count)] += _STIFFNESS / unit
    system[:count, count] = system[count, :count] = 1
    system[:count, count + 1 :], system[count + 1 :, :count] = placed, placed.T
    wanted = np.zeros((count + 3, 2))
    wanted[:count] = starts - ends
    weights = np.linalg.solve(system, wanted).astype(np.float32)
    shape = tuple(-(-side // _STEP) + 1 for side in size)
    grid = np.stack(np.meshgrid(*(np.arange(side) * _STEP for side in shape[::-1])), 2).reshape(-1, 2)
    scaled = (grid / unit).astype(np.float32)
    moved = _kernel(scaled, placed.astype(np.float32)) @ weights[:count]
    moved += weights[count] + scaled @ weights[count + 1 :]
    coarse = moved.reshape(*shape, 2)
    rows, columns = (np.arange(side, dtype=np.float32) for side in size)
    x, y = np.meshgrid(columns, rows)
    fine = cv2.remap(coarse, x / _STEP, y / _STEP, cv2.INTER_LINEAR)
    return np.asarray(fine + np.stack([x, y], 2), np.float32)


def _kernel(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    return squares * np.log(np.maximum(squares, 1e-9))
