"""Boxes round faces, and how they overlap."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

Box = Floats
"""Center and size, ``(4,)`` float32: column, row, width, height, in pixels."""


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    low = np.maximum(one[:2] - one[2:] / 2, other[:2] - other[2:] / 2)
    high = np.minimum(one[:2] + one[2:] / 2, other[:2] + other[2:] / 2)
    shared = float(np.prod(np.maximum(high - low, 0)))
    union = float(np.prod(one[2:]) + np.prod(other[2:])) - shared
    return shared / union if union > 0 else 0.0


def likeness(one: Box, other: Box) -> float:
    """How much two boxes look like those of one face: the overlap, or less where only their middles are near."""
    size = float(one[2:].mean() + other[2:].mean()) / 2
    distance = float(np.linalg.norm(one[:2] - other[:2])) / max(size, 1e-3)
    ratio = float(one[2:].mean() / max(float(other[2:].mean()), 1e-3))
    near = 0.3 * (1 - distance) if 0.5 < ratio < 2 else 0.0
    return max(overlap(one, other), near)


def union(one: Box, other: Box) -> Box:
    """The smallest box round both."""
    low = np.minimum(one[:2] - one[2:] / 2, other[:2] - other[2:] / 2)
    high = np.maximum(one[:2] + one[2:] / 2, other[:2] + other[2:] / 2)
    return np.concatenate([(low + high) / 2, high - low]).astype(np.float32)


def matches(
    first: list[Box], second: list[Box], least: float
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pairs of boxes of the same face, the most alike first, and what is left over of both.

    Args:
        least: :func:`likeness` of a pair.
    """
    alike = sorted(
        ((likeness(a, b), i, j) for i, a in enumerate(first) for j, b in enumerate(second)), reverse=True
    )
    pairs: list[tuple[int, int]] = []
    free_first, free_second = set(range(len(first))), set(range(len(second)))
    for value, i, j in alike:
        if value >= least and i in free_first and j in free_second:
            pairs.append((i, j))
            free_first.remove(i)
            free_second.remove(j)
    return pairs, sorted(free_first), sorted(free_second)
