"""The driver's pose on the source's body: directions of one, bone lengths of the other, feet on the ground.

How long a bone of the driver is in the round cannot be seen where it points at the camera. The longest that was seen of
it, in lengths of the torso, stands for it, and what is missing to it is depth.
"""

from dataclasses import dataclass

import numpy as np

from vidgan.media.body_parts import KEY_POINTS, Floats, body_unit, turned

_NECK, _PELVIS, _EARS = len(KEY_POINTS), len(KEY_POINTS) + 1, len(KEY_POINTS) + 2
"""Points besides the key points: the middles of shoulders, hips and ears."""
_BONES = (
    (_PELVIS, _NECK, 1.0), (_PELVIS, 11, 0.18), (_PELVIS, 12, 0.18), (_NECK, 3, 0.32), (_NECK, 4, 0.32),
    (_NECK, _EARS, 0.39), (_EARS, 0, 0.2), (_EARS, 1, 0.15), (_EARS, 2, 0.15), (3, 5, 0.54), (4, 6, 0.54),
    (5, 7, 0.49), (6, 8, 0.49), (7, 9, 0.18), (8, 10, 0.18), (11, 13, 0.79), (12, 14, 0.79), (13, 15, 0.78),
    (14, 16, 0.78), (15, 17, 0.35), (16, 18, 0.35),
)  # fmt: skip
"""From which point to which, and how long an average person's is, in lengths of the torso."""
_USUAL = np.array([length for _, _, length in _BONES], np.float32)
_TWINS = {1: 2, 3: 4, 7: 8, 9: 10, 11: 12, 13: 14, 15: 16, 17: 18, 19: 20}
"""Bones of the left and the right that are equally long."""
_SHORTEST, _LONGEST = 0.8, 1.3
"""Bounds in usual lengths; a bone that is measured beyond them is foreshortened or wrong."""
_SLACK = 1.08
"""A bone that looks shorter by less than this factor lies in the plane of the image."""
_FEET = (15, 16, 17, 18)
_LEAST_LIFT = 0.15
"""Lengths of the torso; below that a foot has not left the ground."""


@dataclass(frozen=True)
class Driver:
    """Facts about the driver.

    Attributes:
        longest: of each bone seen so far, in lengths of the torso, ``(21,)``.
        start: column of the hips in the first frame, and the lowest row that a foot had, ``(2,)``.
    """

    longest: Floats
    start: Floats

    @classmethod
    def first_seen(cls, points: Floats) -> "Driver":
        """From the first frame's key points."""
        every = _with_middles(points)
        start = np.array([every[_PELVIS, 0], points[list(_FEET), 1].max()], np.float32)
        return cls(_clipped(_lengths(every) / body_unit(points)), start)

    def seen(self, points: Floats) -> "Driver":
        """With what the next frame shows."""
        lengths = _lengths(_with_middles(points)) / body_unit(points)
        lowest = max(float(self.start[1]), float(points[list(_FEET), 1].max()))
        return Driver(
            np.maximum(self.longest, _clipped(lengths)), np.array([self.start[0], lowest], np.float32)
        )


def source_lengths(points: Floats) -> Floats:
    """Lengths of a person's bones in pixels, from one image, ``(21,)``."""
    unit = body_unit(points)
    return unit * _clipped(_lengths(_with_middles(points)) / unit)


def retargeted(points: Floats, driver: Driver, lengths: Floats, source: Floats) -> Floats:
    """The source's key points in the driver's pose, ``(19, 3)``, where the source stands.

    Args:
        points: the driver's.
        lengths: the source's, from :func:`source_lengths`.
        source: the source's key points.
    """
    given, unit = _with_middles(points), body_unit(points)
    made = np.zeros_like(given)
    for bone, (start, end, _) in enumerate(_BONES):
        along = given[end] - given[start]
        flat = along[:2] / (unit * driver.longest[bone])
        share = float(np.linalg.norm(flat))
        flat = flat / max(1.0, share)
        depth = np.sqrt(max(0.0, 1 - min(share, 1.0) ** 2)) * (1 if along[2] > 0 else -1)
        made[end] = made[start] + lengths[bone] * np.array([*flat, depth], np.float32)
    own = body_unit(source)
    lift = max(0.0, float(driver.start[1] - points[list(_FEET), 1].max())) / unit
    column = source[[11, 12], 0].mean() + (given[_PELVIS, 0] - driver.start[0]) / unit * own
    ground = source[list(_FEET), 1].max() - (lift if lift > _LEAST_LIFT else 0.0) * own
    made[:, 0] += column
    made[:, 1] += ground - made[list(_FEET), 1].max()
    return np.asarray(made[: len(KEY_POINTS)], np.float32)


def seen_from_aside(points: Floats, lengths: Floats, degrees: float) -> Floats:
    """Retargeted key points ``(19, 3)`` of a body that turns to its own left by so many degrees.

    Depth is what a bone lacks in length, but for the few percent by which pose networks are off: their root would be
    a third of the bone.

    Args:
        points: from :func:`retargeted`.
        lengths: of the bones, the same as there.
    """
    given = _with_middles(points)
    made = given.copy()
    for (start, end, _), length in zip(_BONES, lengths, strict=True):
        along = given[end] - given[start]
        share = min(1.0, _SLACK * float(np.linalg.norm(along[:2])) / float(length))
        made[end, 2] = made[start, 2] + np.copysign(length * np.sqrt(1 - share**2), along[2])
    return turned(made[: len(KEY_POINTS)], degrees)


def _with_middles(points: Floats) -> Floats:
    middles = [points[[a, b]].mean(0) for a, b in ((3, 4), (11, 12), (1, 2))]
    return np.concatenate([points, middles]).astype(np.float32)


def _lengths(every: Floats) -> Floats:
    """Lengths in the image."""
    return np.array(
        [np.linalg.norm(every[end, :2] - every[start, :2]) for start, end, _ in _BONES], np.float32
    )


def _clipped(lengths: Floats) -> Floats:
    """Lengths within what people have, the longer one of left and right for both."""
    found = lengths.clip(_SHORTEST * _USUAL, _LONGEST * _USUAL)
    for left, right in _TWINS.items():
        found[[left, right]] = found[[left, right]].max()
    return np.asarray(found, np.float32)
