"""Where the joints of a drawn skeleton are, by the pixels of each of its colors.

What the styles of :mod:`vidgan.media.skeleton_reading` differ in: OpenPose's joints hang on each other by lines of
their own colors, ControlNet's are dots, and those of :mod:`vidgan.media.skeleton` are where lines meet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import HEAD, KEY_POINTS, PARTS, TORSO, Floats
from vidgan.media.pose_file import from_openpose

Labels = NDArray[np.int16]
Joints = dict[int, Floats]
"""Places by number of the joint, ``(2,)`` in pixels."""

_LEAST_PIXELS = 4
_LEAST_PIECE = 0.15
"""Area in areas of the largest piece of a line; a smaller one is an edge between other colors."""
_SAMPLES = np.linspace(0.2, 0.8, 9, dtype=np.float32)[:, None]
_ABOVE_EARS = 0.6
_SHIN, _FOOT = 1.05, 0.5
"""Longest shin in lengths of the longer thigh, and longest foot in lengths of its shin."""


COCO_LINES = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COCO_HUES = 17, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 14, 15, 13
"""Hues of OpenPose's joints, and of the lines that lead to them."""
BODY_25_LINES = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13), (13, 14),
    (1, 0), (0, 15), (15, 17), (0, 16), (16, 18),
)  # fmt: skip
BODY_25_HUES = 17, 0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12, 16, 14, 15, 13
_FEET = {11: 22, 14: 19}
"""Toes of ankles; the lines of a foot have the color of its ankle."""


@dataclass(frozen=True)
class Drawing:
    """The pixels of a skeleton by the number of their hue.

    Attributes:
        spots: their columns and rows, ``(n, 2)``.
        hues: number of the nearest hue, -1 where none is near, ``(n,)``.
        is_bright: ``(n,)``.
        shape: of the image, rows and columns.
    """

    spots: Floats
    hues: Labels
    is_bright: NDArray[np.bool_]
    shape: tuple[int, int]

    def places(self, hue: int) -> Floats:
        """Columns and rows of the pixels of that hue, ``(m, 2)``."""
        return np.asarray(self.spots[self.hues == hue])

    def bright_places(self, hue: int) -> Floats:
        """The bright ones of these."""
        return np.asarray(self.spots[(self.hues == hue) & self.is_bright])

    def labels(self) -> Labels:
        """The hues as an image ``(H, W)``, -1 elsewhere."""
        image = np.full(self.shape, -1, np.int16)
        columns, rows = self.spots.astype(int).T
        image[rows, columns] = self.hues
        return image


# OpenPose and ControlNet.


def dots(drawing: Drawing) -> Joints:
    """ControlNet's joints: each the middle of a dot that is brighter than lines, of a hue of its own."""
    joints = {}
    for joint in range(18):
        places = _pieces(drawing.bright_places(joint), 1)
        if len(places) >= _LEAST_PIXELS:
            joints[joint] = places.mean(0)
    return joints


def _pieces(places: Floats, least: float) -> Floats:
    """The places without those connected pieces of them that are smaller than the largest by that factor."""
    if len(places) < 2:
        return places
    corner = places.min(0).astype(int)
    image = np.zeros((places.max(0).astype(int) - corner + 1)[::-1], np.uint8)
    columns, rows = (places.astype(int) - corner).T
    image[rows, columns] = 1
    _, labels = cv2.connectedComponents(image)
    numbers = labels[rows, columns]
    areas = np.bincount(numbers)
    return np.asarray(places[areas[numbers] >= least * areas.max()])


def tree(drawing: Drawing, lines: Sequence[tuple[int, int]], hues: Sequence[int]) -> Joints:
    """OpenPose's joints: each at the end of a line of its own hue that is the farthest from where it hangs."""
    joints = _roots(drawing, hues)
    for parent, child in lines:
        places = _pieces(drawing.places(hues[child]), _LEAST_PIECE)
        if child in joints or len(places) < _LEAST_PIXELS:
            continue
        # A line that goes on from there covers the dot.
        covered = any(child == first for first, _ in lines)
        joints[child] = _end(places, joints[parent], covered=covered) if parent in joints else places.mean(0)
    return joints


def _roots(drawing: Drawing, hues: Sequence[int]) -> Joints:
    """The neck; in BODY_25 also the middle of the hips, at the other end of a line of the neck's hue."""
    places = _pieces(drawing.places(hues[1]), 1)
    if len(places) < _LEAST_PIXELS:
        return {}
    if hues is not BODY_25_HUES:
        return {1: places.mean(0)}
    shoulders = np.concatenate([drawing.places(hues[each]) for each in (2, 5)])
    neck, pelvis = _ordered(_ends(places), shoulders if len(shoulders) else places[:1])
    return {1: neck, 8: pelvis}


def body_25(drawing: Drawing) -> Joints:
    joints = tree(drawing, BODY_25_LINES, BODY_25_HUES)
    if not {1, 8, 9} <= joints.keys() or _apart(joints, 1, 8) < _apart(joints, 1, 9) / 2:
        # The neck is a dot: there is no line of the trunk, as in a drawing of 18 points.
        return {}
    thighs = [_apart(joints, hip, knee) for hip, knee in ((9, 10), (12, 13)) if {hip, knee} <= joints.keys()]
    for ankle, toe in _FEET.items():
        knee = joints.get(ankle - 1)
        if knee is None or ankle not in joints:
            continue
        places = _pieces(drawing.places(BODY_25_HUES[ankle]), _LEAST_PIECE)
        near = places[np.linalg.norm(places - knee, axis=1) < _SHIN * max(thighs, default=np.inf)]
        near = near if len(near) else places
        joints[ankle] = _corner(drawing.labels() == BODY_25_HUES[ankle], near, knee)
        tip = _end(places, joints[ankle], beyond=knee)
        if np.linalg.norm(tip - joints[ankle]) < _FOOT * np.linalg.norm(joints[ankle] - knee):
            joints[toe] = tip
    return joints


def _corner(there: NDArray[np.bool_], places: Floats, start: Floats) -> Floats:
    """The farthest place to which a straight line of places leads."""
    order = np.argsort(-np.linalg.norm(places - start, axis=1))
    for place in places[order][:: max(1, len(order) // 200)]:
        columns, rows = np.rint(start + _SAMPLES * (place - start)).astype(int).T
        if there[rows.clip(0, there.shape[0] - 1), columns.clip(0, there.shape[1] - 1)].mean() > 0.85:
            return np.asarray(place)
    return np.asarray(places[order[0]])


def _end(places: Floats, start: Floats, *, beyond: Floats | None = None, covered: bool = False) -> Floats:
    """The end of a line that is the farthest from ``start``; with ``beyond``, only of what is not nearer to that."""
    if beyond is not None:
        apart = np.linalg.norm(start - beyond)
        far = places[np.linalg.norm(places - beyond, axis=1) > 0.9 * apart]
        places = far if len(far) >= _LEAST_PIXELS else places
    distances = np.linalg.norm(places - start, axis=1)
    last = places[distances >= np.percentile(distances, 97)].mean(0)
    length = max(1.0, float(distances.max()))
    inward = 0.0 if covered else min(len(places) / length / 2, length / 3)
    return np.asarray(last - (last - start) / length * inward, np.float32)


def _ends(places: Floats) -> tuple[Floats, Floats]:
    """Both ends of a line."""
    middle = places.mean(0)
    far = places[np.linalg.norm(places - middle, axis=1).argmax()]
    one = _end(places, far)
    return one, _end(places, one)


def _apart(joints: Joints, first: int, second: int) -> float:
    return float(np.linalg.norm(joints[first] - joints[second]))


def _distance(places: Floats, place: Floats) -> float:
    return float(np.linalg.norm(places - place, axis=1).min())


def of_openpose(count: int) -> Callable[[Joints], tuple[Floats, NDArray[np.bool_]]]:
    def key_points(joints: Joints) -> tuple[Floats, NDArray[np.bool_]]:
        flat = np.zeros((count, 3), np.float32)
        for joint, place in joints.items():
            flat[joint] = [*place, 1]
        return from_openpose(flat)

    return key_points


# Drawings of vidgan.media.skeleton.

_NECK, _PELVIS, _TOP = len(KEY_POINTS), len(KEY_POINTS) + 1, len(KEY_POINTS) + 2
_CHAINS = ((2, 4, 6), (3, 5, 7), (8, 10, 12), (9, 11, 13))
"""Parts of each limb from the trunk outwards."""
_CHAIN_JOINTS = ((3, 5, 7, 9), (4, 6, 8, 10), (11, 13, 15, 17), (12, 14, 16, 18))
PART_LINES = [(_NECK, _TOP, 0), (_PELVIS, _NECK, 1)] + [
    (joints[n], joints[n + 1], parts[n])
    for parts, joints in zip(_CHAINS, _CHAIN_JOINTS, strict=True)
    for n in range(3)
]


def parts_joints(drawing: Drawing) -> Joints:
    """Each part is a line of its own; a joint is the middle of the ends that meet there."""
    lines = {part: _pieces(drawing.places(part), _LEAST_PIECE) for part in range(len(PARTS))}
    lines = {part: places for part, places in lines.items() if len(places) >= _LEAST_PIXELS}
    if not {HEAD, TORSO} <= lines.keys():
        return {}
    neck, pelvis = _ordered(_ends(lines[TORSO]), lines[HEAD])
    _, top = _ordered(_ends(lines[HEAD]), neck[None])
    joints = {_NECK: neck, _PELVIS: pelvis, _TOP: top}
    for parts, places in zip(_CHAINS, _CHAIN_JOINTS, strict=True):
        root = neck if parts is _CHAINS[0] or parts is _CHAINS[1] else pelvis
        joints |= _chain([lines.get(part) for part in parts], places, root)
    return joints


def _chain(lines: Sequence[Floats | None], numbers: Sequence[int], root: Floats) -> Joints:
    """Joints of a limb, by the lines of its parts from the trunk outwards."""
    meeting: dict[int, list[Floats]] = {}
    for n, line in enumerate(lines):
        if line is None:
            continue
        before = lines[n - 1] if n else None
        after = lines[n + 1] if n + 1 < len(lines) else None
        if before is None and after is not None:
            outer, inner = _ordered(_ends(line), after)
        else:
            inner, outer = _ordered(_ends(line), root[None] if before is None else before)
        meeting.setdefault(numbers[n], []).append(inner)
        meeting.setdefault(numbers[n + 1], []).append(outer)
    return {joint: np.asarray(np.mean(each, 0), np.float32) for joint, each in meeting.items()}


def _ordered(ends: tuple[Floats, Floats], places: Floats) -> tuple[Floats, Floats]:
    """The end of a line that is the nearer to some places, and the other one."""
    first, second = ends
    return (first, second) if _distance(places, first) <= _distance(places, second) else (second, first)


def of_parts(joints: Joints) -> tuple[Floats, NDArray[np.bool_]]:
    points, known = np.zeros((len(KEY_POINTS), 3), np.float32), np.zeros(len(KEY_POINTS), bool)
    for joint, place in joints.items():
        if joint < len(KEY_POINTS):
            points[joint, :2], known[joint] = place, True
    if _TOP in joints:
        ears = joints[_NECK] + (joints[_TOP] - joints[_NECK]) / (1 + _ABOVE_EARS)
        points[[1, 2], :2], known[[1, 2]] = ears, True
    return points, known
