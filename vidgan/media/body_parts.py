"""The parts of a body between its key points: where they are, and how they move from one image to another.

Pose transfer warps an image part by part: each part has an affine map, given by the two joints that it
lies between. What is computed here is what a generator is trained on and what it is given at run time.

Key points are ``(19, 3)``: x and y in pixels, z the depth in pixels, smaller where nearer to the camera, with 0
at the middle of the hips.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

KEY_POINTS = (
    "nose", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow", "right elbow",
    "left wrist", "right wrist", "left hand", "right hand", "left hip", "right hip", "left knee",
    "right knee", "left ankle", "right ankle", "left toe", "right toe",
)  # fmt: skip
"""Left and right are the body's; a hand is the middle of its knuckles."""
PARTS = (
    "head", "torso", "left upper arm", "right upper arm", "left forearm", "right forearm", "left hand",
    "right hand", "left thigh", "right thigh", "left shin", "right shin", "left foot", "right foot",
)  # fmt: skip
LABELS = len(PARTS) + 1
"""Labels of part maps: 0 for what is no body, 1 to 14 for the parts."""
HEAD, TORSO = 0, 1
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 3, 4, 11, 12
_EARS = 1, 2
_LIMBS = (
    (3, 5), (4, 6), (5, 7), (6, 8), (7, 9), (8, 10), (11, 13), (12, 14), (13, 15), (14, 16), (15, 17), (16, 18),
)  # fmt: skip
"""Key points at the ends of the parts from 2 on; the first is where the part hangs."""
_RADII = np.array(
    [0.24, 0.34, *(2 * [0.13]), *(2 * [0.11]), *(2 * [0.11]), *(2 * [0.2]), *(2 * [0.14]), *(2 * [0.12])]
)
"""Half the thickness of the parts, in lengths of the torso."""
_ABOVE_EARS = 0.6
"""How far a head goes on beyond the ears, in distances of ears and neck."""
_STRETCH = 3.0
"""Largest change of a part's length or of the torso's width; what points at the camera has no length."""
_LEAST_WIDTH = 0.12
"""Lengths of the torso that its width counts for at least; seen from the side it has none."""
_SHARPNESS = 2.0


def body_unit(points: Floats) -> float:
    """The length of the torso in pixels, in the round; at least 1."""
    between = points[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0) - points[[LEFT_HIP, RIGHT_HIP]].mean(0)
    return max(1.0, float(np.linalg.norm(between)))


def facing(points: Floats) -> float:
    """Which way a body faces, in radians: 0 to the camera, positive where its left side is the farther one."""
    across = (points[[LEFT_SHOULDER, LEFT_HIP]] - points[[RIGHT_SHOULDER, RIGHT_HIP]]).mean(0)
    return float(np.arctan2(across[2], across[0]))


def turned(points: Floats, degrees: float) -> Floats:
    """Key points of a body that turns about the middle of its hips, to its own left where ``degrees`` is positive."""
    angle, result = np.radians(degrees), points.copy()
    middle = points[[LEFT_HIP, RIGHT_HIP]].mean(0)
    across, depth = points[:, 0] - middle[0], points[:, 2] - middle[2]
    result[:, 0] = middle[0] + np.cos(angle) * across - np.sin(angle) * depth
    result[:, 2] = middle[2] + np.sin(angle) * across + np.cos(angle) * depth
    return result


def segments(points: Floats) -> Floats:
    """Both ends of each part, ``(14, 2, 3)``, the one that it hangs on first."""
    neck, pelvis = points[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0), points[[LEFT_HIP, RIGHT_HIP]].mean(0)
    ears = points[list(_EARS)].mean(0)
    ends = [(neck, ears + _ABOVE_EARS * (ears - neck)), (pelvis, neck)]
    ends += [(points[first], points[second]) for first, second in _LIMBS]
    return np.asarray(ends, np.float32)


def part_affines(source: Floats, target: Floats) -> Floats:
    """Where each part of the target is in the source, ``(14, 2, 3)``: pixels there → pixels here.

    Along a part lengths change as between its joints; across it they stay. The torso is as wide as its shoulders and
    hips are apart, and mirrored where one of the two shows its back.
    """
    here, there = segments(source)[:, :, :2], segments(target)[:, :, :2]
    along_here, length_here = _directions(here)
    along_there, length_there = _directions(there)
    stretch = np.clip(length_here / np.maximum(length_there, 1e-3), 1 / _STRETCH, _STRETCH)
    across = np.ones(len(PARTS))
    across[TORSO] = _torso_ratio(source, along_here[TORSO], target, along_there[TORSO])
    linear = stretch[:, None, None] * along_here[:, :, None] * along_there[:, None, :]
    linear += across[:, None, None] * _normals(along_here)[:, :, None] * _normals(along_there)[:, None, :]
    offset = here[:, 0] - np.einsum("pij,pj->pi", linear, there[:, 0])
    return np.concatenate([linear, offset[:, :, None]], 2).astype(np.float32)


def part_guides(points: Floats, side: int, size: int) -> tuple[Floats, Floats]:
    """Maps of the parts of an image of ``side`` pixels, in ``size`` cells.

    Returns:
        Guides ``(28, size, size)``: how near each part is, in [0, 1], and the same times its depth, in lengths of the
        torso; and shares ``(14, size, size)``, which sum to 1: whose a place is, going by distances alone.
    """
    steps = (np.arange(size, dtype=np.float32) + 0.5) * (side / size) - 0.5
    unit = body_unit(points)
    ends = segments(points)
    first, along = ends[:, 0], ends[:, 1] - ends[:, 0]
    offset = [steps[None, None, :] - first[:, 0, None, None], steps[None, :, None] - first[:, 1, None, None]]
    squared = np.maximum((along[:, :2] ** 2).sum(1), 1e-3)
    share = (offset[0] * along[:, 0, None, None] + offset[1] * along[:, 1, None, None]) / squared[
        :, None, None
    ]
    share = np.clip(share, 0, 1)
    apart = [offset[axis] - share * along[:, axis, None, None] for axis in (0, 1)]
    distance = (apart[0] ** 2 + apart[1] ** 2) / (_RADII * unit)[:, None, None] ** 2
    near = np.exp(-0.5 * distance)
    depth = np.clip((first[:, 2, None, None] + share * along[:, 2, None, None]) / unit, -2, 2)
    weight = -_SHARPNESS * distance - depth
    weight = np.exp(weight - weight.max(0))
    guides = np.concatenate([near, near * depth]).astype(np.float32)
    return guides, (weight / weight.sum(0)).astype(np.float32)


def _directions(ends: Floats) -> tuple[Floats, Floats]:
    """Unit vectors and lengths of segments ``(14, 2, 2)``; what has no length points down."""
    along = ends[:, 1] - ends[:, 0]
    length = np.linalg.norm(along, axis=1)
    short = length < 1e-3
    unit = np.where(short[:, None], [0.0, 1.0], along / np.maximum(length, 1e-3)[:, None])
    return unit, length


def _normals(directions: Floats) -> Floats:
    return np.stack([-directions[:, 1], directions[:, 0]], 1)


def _torso_ratio(source: Floats, along_source: Floats, target: Floats, along_target: Floats) -> float:
    """The source's width of the torso, left to right, per the target's."""
    widths = []
    for points, along in ((source, along_source), (target, along_target)):
        across = points[[LEFT_SHOULDER, LEFT_HIP], :2] - points[[RIGHT_SHOULDER, RIGHT_HIP], :2]
        width = float((across @ np.array([-along[1], along[0]])).mean())
        least = _LEAST_WIDTH * body_unit(points)
        widths.append(width if abs(width) > least else (least if width >= 0 else -least))
    ratio = widths[0] / widths[1]
    return float(np.sign(ratio) * np.clip(abs(ratio), 1 / _STRETCH, _STRETCH))
