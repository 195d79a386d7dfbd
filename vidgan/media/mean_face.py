"""Where the features of a mean face lie, in the pose of another.

Of how a face differs from the mean, a recognizer could tell whose it is. A de-identifier draws its lines where those of
the mean face are; how far eyes and mouth are open, the face itself says.
"""

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from vidgan.media.face_guides import CHIN, EYES, LIPS, OPENINGS, Points

FILE = "mean_face.npy"
"""``(468, 3)`` float32 beside this module: right, down and away, the outer corners of the eyes 1 apart."""

_UPPER_LIP = 61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291
_LIP_MIDDLES, _MOUTH = OPENINGS[0][:2], OPENINGS[0][2:]
_LARGEST = 1.25
"""Ratio by which an eye or a mouth is made as wide as the mean's."""
_MOUTH_SHARE = 0.5
"""Share of the mouth's ratio: how wide it is, is an expression too."""


def mean_shift(points: Points) -> Points:
    """The shift from a face's points to those of the mean face in its pose, ``(468, 2)``.

    Eyes and mouth come to the mean's places, directions and widths, and are as open as before; so is the jaw.

    Args:
        points: ``(468, 2)``.
    """
    mean = _opened(_posed(points), points)
    shift = mean - points
    for rim in EYES:
        shift[list(rim)] = _feature_shift(points, mean, list(rim), list(rim), (rim[0], rim[8]), 1.0)
    lips = [*LIPS[0], *LIPS[1]]
    shift[lips] = _feature_shift(points, mean, lips, list(_UPPER_LIP), _MOUTH, _MOUTH_SHARE)
    return np.asarray(shift, np.float32)


@cache
def mean_face() -> Points:
    """``(468, 3)``, see :data:`FILE`; its middle is 0."""
    with files(__package__).joinpath(FILE).open("rb") as file:
        face = np.load(file, allow_pickle=False)
    return np.asarray(face - face.mean(0), np.float32)


@cache
def _inverse() -> NDArray[np.float32]:
    return np.asarray(np.linalg.pinv(mean_face()), np.float32)


def _posed(points: Points) -> Points:
    """The mean face under the scaled rotation that brings it nearest to the points."""
    middle = points.mean(0)
    # Of the affine map that does, the nearest such rotation: how long and wide a face is, is its own.
    linear = _inverse() @ (points - middle)
    left, sizes, right = np.linalg.svd(linear, full_matrices=False)
    return np.asarray(mean_face() @ (sizes.mean() * left @ right) + middle, np.float32)


def _opened(mean: Points, points: Points) -> Points:
    """The mean face with its jaw as open as that of the points."""
    upper, lower = _LIP_MIDDLES
    opening = (points[lower] - points[upper]) - (mean[lower] - mean[upper])
    corners = mean[list(_MOUTH)].mean(0)
    down = mean[CHIN] - corners
    share = ((mean - corners) @ down / max(float(down @ down), 1e-6)).clip(0, 1)
    return np.asarray(mean + share[:, np.newaxis] * opening, np.float32)


def _feature_shift(
    points: Points, mean: Points, feature: list[int], anchor: list[int], ends: tuple[int, int], share: float
) -> Points:
    """The shift that moves, turns and resizes a feature, so that its ends lie as the mean's do.

    Args:
        share: of the change of its size, as an exponent.
    """
    wanted, own = (_vector(each[ends[1]] - each[ends[0]]) for each in (mean, points))
    turn = wanted / (own or 1.0)
    size = float(np.clip(abs(turn), 1 / _LARGEST, _LARGEST)) ** share
    turn = size * turn / (abs(turn) or 1.0)
    middle = points[anchor].mean(0)
    rotation = np.array([[turn.real, turn.imag], [-turn.imag, turn.real]], np.float32)
    offsets = points[feature] - middle
    return np.asarray(mean[anchor].mean(0) - middle + offsets @ rotation - offsets, np.float32)


def _vector(ends: Points) -> complex:
    return complex(float(ends[0]), float(ends[1]))
