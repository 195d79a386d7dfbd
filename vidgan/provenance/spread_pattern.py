"""Where the bits of the pixel mark lie, and how strongly an image has the pattern of each.

The shorter side of a frame is divided into 45 blocks, whatever its size, so that a scaled video still has the mark.
Each block carries one of 64 bits, as the sign of a pattern of one cycle across a block one way and half a cycle the
other. Which bit, and which sign stands for 1, is drawn once for all, so that a bit is in about 56 places
all over a frame of 16:9.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 64
BLOCK = 8
"""Pixels a side of a block, in the scale in which the pattern is drawn and read."""
BLOCKS = 45
"""Along the shorter side of a frame."""
MOST_BLOCKS = 256
"""Along the longer one; beyond 5.7:1 the rest of it goes without."""

_LIMIT = 1.0
"""Gray levels above which a block's pattern is sooner the image's than the mark's, where the image is flat ..."""
_LIMIT_FOR_DETAIL = 0.25
"""... and by how much more of them that is for each level around it."""
_FLOOR = 0.6
"""Gray levels of noise that even a flat image has."""


class Grid(NamedTuple):
    """Blocks of a frame."""

    rows: int
    columns: int

    @classmethod
    def of(cls, height: int, width: int) -> Grid:
        """Rows and columns of blocks, of which the shorter side has 45."""
        longer = min(MOST_BLOCKS, round(BLOCKS * max(height, width) / min(height, width)))
        return cls(BLOCKS, longer) if width >= height else cls(longer, BLOCKS)


def amplitudes(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Amplitudes of the pattern in each block, in gray levels, ``(rows, columns)``."""
    rows, columns = (each // BLOCK for each in small.shape)
    blocks = small[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.asarray(np.einsum("iajb,ab->ij", blocks, basis()) / np.square(basis()).sum(), np.float32)


def weighted(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each counts the less, the more of the pattern images have around it, and none more than a mark may have."""
    around = cv2.blur(np.abs(found), (3, 3))
    limit = _LIMIT + _LIMIT_FOR_DETAIL * around
    return np.asarray(np.clip(found, -limit, limit) / (_FLOOR + around))


def slope(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much :func:`weighted` grows for each gray level that the mark adds to a block."""
    around = cv2.blur(np.abs(found), (3, 3))
    free = np.abs(found) < _LIMIT + _LIMIT_FOR_DETAIL * around
    return np.asarray(free / (_FLOOR + around), np.float32)


@lru_cache(maxsize=1)
def basis() -> NDArray[np.float32]:
    """The pattern of a block, ``(8, 8)``: two low frequencies of the DCT, of mean amplitude 1."""
    once, twice = (np.cos((2 * np.arange(BLOCK) + 1) * each * np.pi / (2 * BLOCK)) for each in (1, 2))
    both = np.outer(twice, once) + np.outer(once, twice)
    return np.asarray(both / np.abs(both).mean(), np.float32)


@lru_cache(maxsize=1)
def signs_of_blocks() -> NDArray[np.int8]:
    """The sign that stands for 1 in each block, −1 or 1, ``(256, 256)``."""
    return (_drawn(b"vidgan pixel mark 1: signs") & 1).astype(np.int8) * 2 - 1


@lru_cache(maxsize=1)
def bits_of_blocks() -> NDArray[np.uint8]:
    """Which bit each block carries, 0 to 63, ``(256, 256)``."""
    return _drawn(b"vidgan pixel mark 1: bits") % BITS


def _drawn(label: bytes) -> NDArray[np.uint8]:
    """Random bytes that are the same everywhere and for ever, which NumPy does not promise of its own."""
    count = MOST_BLOCKS * MOST_BLOCKS
    drawn = np.frombuffer(hashlib.shake_256(label).digest(count), np.uint8)
    return drawn.reshape(MOST_BLOCKS, MOST_BLOCKS)
