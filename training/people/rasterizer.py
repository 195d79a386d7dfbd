"""Triangles to pixels, in NumPy: which triangle a pixel shows, and where in it.

All pixels of all triangles' bounding boxes are tested at once. A dressed person has some 40,000 triangles of a few
pixels each, for which that takes less time than going through them one by one would in anything but C.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
NOTHING = -1


@dataclass(frozen=True)
class Fragments:
    """The triangles that pixels show.

    Attributes:
        triangle: ``(H, W)``; :data:`NOTHING` where there is none.
        weights: of its second and third corner, ``(H, W, 2)``; the first has the rest.
    """

    triangle: Ints
    weights: Floats


def rasterize(
    points: Floats,
    triangles: Ints,
    size: tuple[int, int],
    is_opaque: Callable[[Ints, Floats], NDArray[np.bool_]] | None = None,
) -> Fragments:
    """Draws triangles with a depth buffer.

    Args:
        points: ``(V, 3)``: column and row in pixels, 0 at the corner of the first pixel; depth, smaller is nearer.
        triangles: ``(F, 3)``, both sides of which are seen.
        size: rows and columns.
        is_opaque: of triangles ``(n,)`` and weights ``(n, 2)``, for textures with holes.
    """
    height, width = size
    corners = points[triangles]
    # Of the pixels whose middles are between the least and the largest of the corners.
    low = np.ceil(corners[:, :, :2].min(1) - 0.5).clip(0, [width, height]).astype(np.int32)
    high = np.floor(corners[:, :, :2].max(1) + 0.5).clip(0, [width, height]).astype(np.int32)
    sides = (high - low).clip(0)
    first, second = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    area = first[:, 0] * second[:, 1] - second[:, 0] * first[:, 1]
    counts = np.where(np.abs(area) > 1e-6, sides[:, 0] * sides[:, 1], 0)
    which = np.repeat(np.arange(len(triangles), dtype=np.int32), counts)
    starts = np.cumsum(counts, dtype=np.int32) - counts.astype(np.int32)
    number = np.arange(len(which), dtype=np.int32) - starts[which]
    row = number // sides[which, 0]
    columns, rows = low[which, 0] + number - row * sides[which, 0], low[which, 1] + row
    x = columns + np.float32(0.5) - corners[which, 0, 0]
    y = rows + np.float32(0.5) - corners[which, 0, 1]
    first, second = first / area[:, None], second / area[:, None]
    b = x * second[which, 1] - y * second[which, 0]
    c = y * first[which, 0] - x * first[which, 1]
    inside = np.flatnonzero((b >= 0) & (c >= 0) & (b + c <= 1))
    which, weights = which[inside], np.stack([b[inside], c[inside]], 1).astype(np.float32)
    pixels = rows[inside] * width + columns[inside]
    if is_opaque is not None:
        kept = np.flatnonzero(is_opaque(which, weights))
        which, weights, pixels = which[kept], weights[kept], pixels[kept]
    depth = interpolated(corners[:, :, 2:], which, weights)[:, 0]
    # Where a place is assigned to several times, the last value stays: the nearest.
    order = np.argsort(-depth)
    triangle = np.full(height * width, NOTHING, np.int32)
    place = np.zeros((height * width, 2), np.float32)
    triangle[pixels[order]] = which[order]
    place[pixels[order]] = weights[order]
    return Fragments(triangle.reshape(size), place.reshape(height, width, 2))


def interpolated(corners: Floats, triangles: Ints, weights: Floats) -> Floats:
    """Values of corners ``(F, 3, C)`` in triangles ``(n,)`` at weights ``(n, 2)``: ``(n, C)``."""
    first, second, third = (corners[triangles, corner] for corner in range(3))
    return first + weights[:, :1] * (second - first) + weights[:, 1:] * (third - first)
