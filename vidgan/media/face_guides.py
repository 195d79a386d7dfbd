"""Guides of a de-identifier: lines of its features, where it looks, and which part is hidden.

Points are MediaPipe's 468 of a face, ``(468, 2)`` float32, columns and rows, in pixels, where the center of
the first pixel is (0, 0).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Pixels

Points = NDArray[np.float32]

POINTS = 468
EYES = (
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
)
"""The rims of both eyes, all round; the lower lid comes first."""
LIPS = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
)
"""Outside and inside."""
BROWS = (276, 283, 282, 295, 285), (46, 53, 52, 65, 55)
NOSE = (168, 6, 197, 195, 5, 4), (98, 97, 2, 326, 327)
CLOSED, OPEN = (*EYES, *LIPS), (*BROWS, *NOSE)
INNER = tuple(sorted({point for line in (*CLOSED, *OPEN) for point in line}))
"""All that are drawn."""
FEATURES = [list(EYES[0]), list(EYES[1]), [*LIPS[0], *LIPS[1]]]
"""Eyes and lips; how far they are open is the original's to say."""
EYE_CORNERS = 33, 263
"""The outer ones, whose distance is the unit of a face."""

CHIN = 152
OPENINGS = (13, 14, 61, 291), (159, 145, 33, 133), (386, 374, 263, 362)
"""Points of mouth and eyes: two between which they open, and their corners."""

LINES, GAZE, MASK = range(3)
"""Channels of the guides."""

_GROWN = 0.06
"""Eye distances by which more is hidden than the hull of the points."""
_FEATHER = 0.04
"""Eye distances, standard deviation of the soft rim."""
_SUBPIXELS = 4
_SHUT = 0.12
"""Opening of an eye over its width below which nobody sees where it looks."""
_IRIS = 0.22
"""Radius over the width of an eye."""


def eye_distance(points: Points) -> float:
    """Between the outer corners, in pixels."""
    left, right = EYE_CORNERS
    return float(np.linalg.norm(points[left] - points[right]))


def draw_guides(points: Points, hidden: Points, gaze: NDArray[np.float32], side: int) -> Pixels:
    """``(side, side, 3)`` uint8: lines, irises, and the soft mask of what is hidden.

    Args:
        points: whose lines are drawn.
        hidden: of which the hull is hidden; several sets are ``(n · 468, 2)``.
        gaze: from :func:`find_gaze`, ``(2, 2)``; nan where an eye is shut.
    """
    guides = [np.zeros((side, side), np.uint8) for _ in range(3)]
    for line, closed in [*((each, True) for each in CLOSED), *((each, False) for each in OPEN)]:
        cv2.polylines(guides[LINES], [_fixed(points[list(line)])], closed, 255, 1, cv2.LINE_AA, _SUBPIXELS)
    for rim, place in zip(EYES, gaze, strict=True):
        if not np.isnan(place).any():
            center, across, down = _axes(points[list(rim)])
            iris = center + place[0] * across + place[1] * down
            radius = round(_IRIS * float(np.linalg.norm(across)) * 2**_SUBPIXELS)
            center_fixed = tuple(int(each) for each in _fixed(iris))
            cv2.circle(guides[GAZE], center_fixed, radius, 255, -1, cv2.LINE_AA, _SUBPIXELS)
    guides[MASK] = hull_mask(hidden, eye_distance(points), side)
    return np.stack(guides, 2)


def hull_mask(points: Points, unit: float, side: int) -> Pixels:
    """The soft mask of what is hidden: the hull of the points, grown, 255 inside, ``(side, side)``.

    Args:
        unit: the eye distance, in pixels.
    """
    mask = np.zeros((side, side), np.uint8)
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    cv2.fillConvexPoly(mask, _fixed(hull), 255, cv2.LINE_AA, _SUBPIXELS)
    grown = round(2 * _GROWN * unit)
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grown | 1, grown | 1)))
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), _FEATHER * unit), np.uint8)


def find_gaze(image: Pixels, points: Points) -> NDArray[np.float32]:
    """Where the irises are, by the dark in the openings of the eyes.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, with the points in its pixels.

    Returns:
        ``(2, 2)`` float32, of each eye: from its middle along its width, -1 and 1 at the corners, and down,
        in half widths too; nan where it is shut.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.stack([_iris(gray, points[list(rim)]) for rim in EYES])


def _iris(gray: Pixels, rim: Points) -> NDArray[np.float32]:
    nowhere = np.full(2, np.nan, np.float32)
    center, across, down = _axes(rim)
    half = float(np.linalg.norm(across))
    heights = (rim - center) @ down / max(half, 1e-3) ** 2
    if half < 2 or heights.max() - heights.min() < 2 * _SHUT:
        return nowhere
    inside = np.zeros(gray.shape, np.uint8)
    cv2.fillPoly(inside, [_fixed(rim)], 255, cv2.LINE_AA, _SUBPIXELS)
    rows, columns = np.nonzero(inside)
    if len(rows) < 4:
        return nowhere
    values, weights = gray[rows, columns].astype(np.float32), inside[rows, columns] / np.float32(255)
    # Of an opening a third to a half is iris; lashes at the rim weigh little where they are half outside.
    dark = weights * np.clip(np.quantile(values, 0.5) - values, 0, None)
    if dark.sum() < 1e-3:
        return nowhere
    place = np.stack([columns, rows], 1).astype(np.float32)
    mean = (place * dark[:, None]).sum(0) / dark.sum() - center
    along = np.array([mean @ across, mean @ down]) / half**2
    return along.clip(-1, 1).astype(np.float32)


def _axes(rim: Points) -> tuple[Points, Points, Points]:
    """Middle of an eye, half its width as a vector, and the same turned downwards."""
    first, second = rim[0], rim[8]
    left, right = (first, second) if first[0] < second[0] else (second, first)
    across = (right - left) / 2
    return (left + right) / 2, across, np.array([-across[1], across[0]], np.float32)


def _fixed(points: Points) -> NDArray[np.int32]:
    return np.asarray(np.round(points * 2**_SUBPIXELS), np.int32)


@dataclass(frozen=True)
class Shape:
    """The change of a face's geometry by an identity: a smooth field, alike on both sides of the face.

    Eyes and lips are moved by it as a whole.

    Attributes:
        along, down: ``(4, 3)`` float32 each, in eye distances, of a grid from the brows to the chin and from
            the middle of the face to its side: away from the middle, and downwards.
    """

    along: NDArray[np.float32]
    down: NDArray[np.float32]

    ROWS, COLUMNS = 4, 3
    COUNT = 2 * ROWS * COLUMNS - ROWS
    """Numbers that decide one."""

    @classmethod
    def of(cls, numbers: NDArray[np.float32], strength: float) -> "Shape":
        """From :attr:`COUNT` numbers, normally distributed.

        Args:
            strength: standard deviation of the field, in eye distances.
        """
        numbers = (strength * numbers[: cls.COUNT].clip(-2, 2)).astype(np.float32)
        sides = cls.ROWS * (cls.COLUMNS - 1)
        along = np.zeros((cls.ROWS, cls.COLUMNS), np.float32)
        along[:, 1:] = numbers[:sides].reshape(cls.ROWS, cls.COLUMNS - 1)
        return cls(along, numbers[sides:].reshape(cls.ROWS, cls.COLUMNS).astype(np.float32))

    def applied(self, points: Points) -> Points:
        """The points of a face of this shape."""
        unit = eye_distance(points)
        top, bottom = points[168], points[CHIN]
        down = (bottom - top) / max(float(np.linalg.norm(bottom - top)), 1e-3)
        right = np.array([down[1], -down[0]], np.float32)
        if right @ (points[263] - points[33]) < 0:
            right = -right
        offsets = points - top
        across, below = offsets @ right / unit, offsets @ down / unit
        # From a quarter of the eye distance above the bridge of the nose to the chin; half a face is 0.8.
        row = (below + 0.25) / 1.45 * (self.ROWS - 1)
        column = np.abs(across) / 0.8 * (self.COLUMNS - 1)
        aside = _bilinear(self.along, row, column) * np.sign(across)
        moved = aside[:, None] * right + _bilinear(self.down, row, column)[:, None] * down
        for feature in FEATURES:
            moved[feature] = moved[feature].mean(0)
        return np.asarray(points + unit * moved, np.float32)


def _bilinear(grid: NDArray[np.float32], row: Any, column: Any) -> NDArray[np.float32]:
    row, column = (np.clip(each, 0, size - 1) for each, size in zip((row, column), grid.shape, strict=True))
    top, left = (
        np.minimum(each.astype(int), size - 2) for each, size in zip((row, column), grid.shape, strict=True)
    )
    down, across = row - top, column - left
    upper = grid[top, left] * (1 - across) + grid[top, left + 1] * across
    lower = grid[top + 1, left] * (1 - across) + grid[top + 1, left + 1] * across
    return np.asarray(upper * (1 - down) + lower * down, np.float32)
