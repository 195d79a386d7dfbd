"""Reads the joints of a drawn skeleton from the colors of its lines.

Drawings of OpenPose (Cao et al. 2017: 18 points of COCO, or BODY_25), of ControlNet's copy of it (Zhang et al. 2023),
whose lines are darker than its joints, and of :mod:`vidgan.media.skeleton`. Each is read as every style, and the style
whose lines have the expected colors is the one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import Floats
from vidgan.media.image import Pixels
from vidgan.media.skeleton import part_hues
from vidgan.media.skeleton_joints import (
    BODY_25_HUES,
    BODY_25_LINES,
    COCO_HUES,
    COCO_LINES,
    PART_LINES,
    Drawing,
    Joints,
    Labels,
    body_25,
    dots,
    of_openpose,
    of_parts,
    parts_joints,
    tree,
)

_LONGEST = 720
"""Pixels of the longer side in which joints are looked for."""
_DARK, _LIT = 40, 64
_LEAST_DARK, _LEAST_LIT = 0.7, 40
"""Share of black pixels, and number of others, of a drawing."""
_THICKEST = 0.045
"""Half the width of lines in diagonals of the box round all of them; people have 0.08 and more."""
_REACH = 0.05
"""Gap, in such diagonals, across which lines belong to one skeleton."""
_OTHER_PERSON = 0.4
"""Area in areas of the largest skeleton from which on lines apart from it are another one."""
_LEAST_SATURATION, _LEAST_VALUE = 0.4, 0.25
_HUE_ERROR = 8.0
"""Degrees."""
_BRIGHT = 0.8
"""Share of the brightest value above which ControlNet's joints are, and its lines are not."""
_LEAST_LINES, _LEAST_SCORE = 3, 0.5
_SAMPLES = np.linspace(0.2, 0.8, 9, dtype=np.float32)[:, None]
_STEP = 20
"""Degrees between the hues of OpenPose."""


@dataclass(frozen=True)
class DrawnPose:
    """A pose that was read from a drawing.

    Attributes:
        style: of the drawing, in words.
        points: key points ``(19, 3)`` in pixels, without depth.
        known: which of them the drawing shows, ``(19,)``.
    """

    style: str
    points: Floats
    known: NDArray[np.bool_]


@dataclass(frozen=True)
class _Style:
    """A way to draw skeletons.

    Attributes:
        name: in words.
        hues: degrees of its hues, by number.
        lines: joints at the ends of each line, and the number of its hue.
        find: joints of a drawing.
        key_points: of joints, with which of them are known.
    """

    name: str
    hues: Sequence[float]
    lines: Sequence[tuple[int, int, int]]
    find: Callable[[Drawing], Joints]
    key_points: Callable[[Joints], tuple[Floats, NDArray[np.bool_]]]


def is_line_drawing(pixels: Pixels) -> bool:
    """Whether an image ``(H, W, 3)`` shows nothing but thin lines on black."""
    if np.median(pixels[::8, ::8].max(2)) > _DARK:
        return False
    value = _value(_reduced(pixels))
    lit = value > _LIT
    if (value <= _DARK).mean() < _LEAST_DARK or lit.sum() < _LEAST_LIT:
        return False
    thickest = cv2.distanceTransform(lit.astype(np.uint8), cv2.DIST_L2, 3).max()
    return bool(thickest - 1 < _THICKEST * _diagonal(lit))


def read_skeleton(pixels: Pixels) -> DrawnPose | None:
    """The pose of the largest skeleton of a line drawing; None where its colors are those of no known style."""
    small = _reduced(pixels)
    rows, columns = np.nonzero(_largest_skeleton(small))
    spots = np.stack([columns, rows], 1).astype(np.float32)
    hsv = cv2.cvtColor(small[rows, columns][None].astype(np.float32) / 255, cv2.COLOR_RGB2HSV)[0]
    best, best_score = None, _LEAST_SCORE
    for style in _STYLES:
        drawing = _classified(spots, hsv, small.shape[:2], style.hues)
        joints = style.find(drawing)
        score = _score(drawing.labels(), joints, style.lines)
        if score > best_score:
            best, best_score = (style, joints), score
    if best is None:
        return None
    style, joints = best
    points, known = style.key_points(joints)
    scale = pixels.shape[1] / small.shape[1]
    points[:, :2] = (points[:, :2] + 0.5) * scale - 0.5
    return DrawnPose(style.name, points, known)


def _reduced(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = _LONGEST / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _value(pixels: Pixels) -> NDArray[np.uint8]:
    """The largest of the three channels, in a tenth of the time of ``max(2)``."""
    red, green, blue = cv2.split(pixels)
    return np.asarray(np.maximum(np.maximum(red, green), blue), np.uint8)


def _diagonal(there: NDArray[np.bool_]) -> float:
    """The diagonal of the box round what is there."""
    rows, columns = np.nonzero(there)
    return float(np.hypot(np.ptp(rows), np.ptp(columns)))


def _largest_skeleton(pixels: Pixels) -> NDArray[np.bool_]:
    """The lines of one skeleton, ``(H, W)``."""
    lit = _value(pixels) > _LIT
    reach = 2 * round(_REACH * _diagonal(lit) / 2) + 1
    joined = cv2.dilate(lit.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    _, labels = cv2.connectedComponents(joined)
    areas = np.bincount(labels[lit])
    if len(areas) < 3 or np.sort(areas)[-2] < _OTHER_PERSON * areas.max():
        return np.asarray(lit)
    return np.asarray(lit & (labels == areas.argmax()))


def _classified(spots: Floats, hsv: Floats, shape: tuple[int, int], hues: Sequence[float]) -> Drawing:
    hue, saturation, value = hsv.T
    apart = np.abs((hue[:, None] - np.asarray(hues, np.float32) + 180) % 360 - 180)
    known = (saturation > _LEAST_SATURATION) & (value > _LEAST_VALUE) & (apart.min(1) < _HUE_ERROR)
    numbers = np.where(known, apart.argmin(1), -1).astype(np.int16)
    brightest = float(np.percentile(value[known], 99)) if known.any() else 1.0
    return Drawing(spots, numbers, value > _BRIGHT * brightest, shape)


def _score(labels: Labels, joints: Mapping[int, Floats], lines: Sequence[tuple[int, int, int]]) -> float:
    """Share of the lines, between the joints that were found, that have the colors that they should have."""
    hits = []
    for first, second, hue in lines:
        if first in joints and second in joints:
            places = joints[first] + _SAMPLES * (joints[second] - joints[first])
            columns, rows = np.rint(places).astype(int).clip(0, np.array(labels.shape[::-1]) - 1).T
            hits.append(float((labels[rows, columns] == hue).mean()))
    return float(np.mean(hits)) if len(hits) >= _LEAST_LINES else 0.0


_OPENPOSE = [float(_STEP * number) for number in range(18)]
_STYLES = (
    _Style("ControlNet, 18 points", _OPENPOSE, [(*ends, n) for n, ends in enumerate(COCO_LINES)], dots,
           of_openpose(18)),
    _Style("OpenPose, 18 points", _OPENPOSE, [(a, b, COCO_HUES[b]) for a, b in COCO_LINES],
           lambda drawing: tree(drawing, COCO_LINES, COCO_HUES), of_openpose(18)),
    _Style("OpenPose, 25 points", _OPENPOSE, [(a, b, BODY_25_HUES[b]) for a, b in BODY_25_LINES], body_25,
           of_openpose(25)),
    _Style("vidgan's own, of BlazePose", part_hues(), PART_LINES, parts_joints, of_parts),
)  # fmt: skip
