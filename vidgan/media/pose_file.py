"""Poses of a video as JSON: vidgan's own key points, or those of OpenPose (Cao et al. 2017) and its kin.

::

    {"width": 640, "height": 360, "rate": 25, "frames": [{"people": [{"pose_keypoints_2d": [x, y, c, ...]}]}, ...]}

``frames`` holds an object a frame, as OpenPose writes them to a file each; or the list is all of the file, where
each frame has ``canvas_width`` and ``canvas_height``. ``pose_keypoints_2d`` has 25 points (BODY_25) or 18 (COCO), in
pixels, with confidence; ``key_points`` in its place has vidgan's 19, ``[x, y, z, c]`` each, z as in
:mod:`vidgan.media.body_parts`. The first person of a frame counts. A point of confidence 0 is missing.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError, OutputError
from vidgan.media.body_parts import KEY_POINTS, Floats, body_unit
from vidgan.media.frame_rate import parse_frame_rate

DEFAULT_RATE = Fraction(25)
_LARGEST = 16384
_MOST_BYTES = 256 << 20
_FASTEST = 1000
_DECIMALS = 2
_TRUNK = [3, 4, 11, 12]
"""Without shoulders and hips there is no pose."""
_COCO = (0, 17, 16, 5, 2, 6, 3, 7, 4, None, None, 11, 8, 12, 9, 13, 10, None, None)
"""Place of each key point among the 18 of COCO as OpenPose numbers them."""
_BODY_25 = (0, 18, 17, 5, 2, 6, 3, 7, 4, None, None, 12, 9, 13, 10, 14, 11, 19, 22)
_PLACES: Mapping[int, Sequence[int | None]] = {18: _COCO, 25: _BODY_25}
_HANGING = (
    (0, None, (0.0, -0.5)), (1, 0, (0.14, -0.05)), (2, 0, (-0.14, -0.05)), (5, 3, (0.08, 0.53)),
    (6, 4, (-0.08, 0.53)), (7, 5, (0.04, 0.49)), (8, 6, (-0.04, 0.49)), (9, 7, (0.0, 0.18)), (10, 8, (0.0, 0.18)),
    (13, 11, (0.02, 0.79)), (14, 12, (-0.02, 0.79)), (15, 13, (0.0, 0.78)), (16, 14, (0.0, 0.78)),
    (17, 15, (0.08, 0.2)), (18, 16, (-0.08, 0.2)),
)  # fmt: skip
"""Points that may be missing, from which they hang, None for the neck, and where from it they usually are, in lengths
of the torso."""
_FOREARMS = {9: (5, 7), 10: (6, 8)}
"""Hands that go on as forearms do."""
_HAND = 0.35
"""Length of half a hand in lengths of a forearm."""


@dataclass(frozen=True)
class Poses:
    """The poses of a video.

    Attributes:
        width, height: of its frames.
        rate: frames per second.
        frames: key points ``(19, 3)`` each, None where there is nobody.
    """

    width: int
    height: int
    rate: Fraction
    frames: Sequence[Floats | None]


def read_poses(path: Path) -> Poses:
    """Reads a file of poses; points that are missing are put where they were, or where they usually are.

    Raises:
        InputError: the file cannot be read, or is not of that form.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: is too large for a file of poses")
        parsed = json.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc.strerror}") from exc
    except RecursionError as exc:
        raise InputError(f"{path}: not a file of poses: its lists are nested too deeply") from exc
    except ValueError as exc:
        raise InputError(f"{path}: not JSON, so no file of poses: {exc}") from exc
    try:
        return _poses(parsed)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as exc:
        what = "a list, an object or a number is something else there"
        if isinstance(exc, KeyError) and isinstance(exc.args[0], str):
            what = f"{exc.args[0]} is missing"
        elif isinstance(exc, ValueError):
            what = str(exc)
        raise InputError(f"{path}: not a file of poses as docs/animation.md describes it: {what}") from exc


def write_poses(path: Path, poses: Poses) -> None:
    """Writes a file of poses, which appears when it is complete; an older one is replaced.

    Raises:
        OutputError: it cannot be written.
    """
    frames = [{"people": [] if each is None else [{"key_points": _rows(each)}]} for each in poses.frames]
    head = {"width": poses.width, "height": poses.height, "rate": str(poses.rate), "names": list(KEY_POINTS)}
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(head | {"frames": frames}) + "\n", "utf-8")
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {exc.strerror}") from exc


def _rows(points: Floats) -> list[list[float]]:
    return [[*(round(float(each), _DECIMALS) for each in row), 1.0] for row in points]


def _poses(parsed: Any) -> Poses:
    frames = parsed if isinstance(parsed, list) else parsed["frames"]
    if not isinstance(frames, list) or not frames:
        raise ValueError("frames is no list of frames")
    head = frames[0] if isinstance(parsed, list) else parsed
    width, height = (int(head.get(f"canvas_{name}") or head[name]) for name in ("width", "height"))
    if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        raise ValueError(f"{width}x{height} is no size of frames")
    rate = _rate(str(head.get("rate") or DEFAULT_RATE))
    found: list[Floats | None] = []
    last: Floats | None = None
    for number, frame in enumerate(frames, 1):
        points = _points(frame["people"], last, number)
        last = last if points is None else points
        found.append(points)
    return Poses(width, height, rate, found)


def _rate(text: str) -> Fraction:
    rate = parse_frame_rate(text).limit_denominator(100_000)
    if not 0 < rate <= _FASTEST:
        raise ValueError(f"{text} is no frame rate; it is at most {_FASTEST}")
    return rate


def _points(people: Any, before: Floats | None, number: int) -> Floats | None:
    """Key points of the first person, complete; None where its trunk is missing."""
    if not people:
        return None
    person = people[0]
    if "key_points" in person:
        rows = np.asarray(person["key_points"], np.float32).reshape(-1, 4)
        if len(rows) != len(KEY_POINTS):
            raise ValueError(f"frame {number} has {len(rows)} key points, not {len(KEY_POINTS)}")
        points, known = rows[:, :3].copy(), rows[:, 3] > 0
    else:
        rows = np.asarray(person["pose_keypoints_2d"], np.float32).reshape(-1, 3)
        if len(rows) not in _PLACES:
            raise ValueError(f"frame {number} has {len(rows)} points; 18 or 25 are known")
        points, known = from_openpose(rows)
    if not np.isfinite(rows).all() or np.abs(rows).max() > 100 * _LARGEST:
        raise ValueError(f"frame {number} has numbers that are no places")
    return completed(points, known, before)


def from_openpose(rows: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Key points of OpenPose's 18 or 25 points, x, y and confidence each; and which of them are known."""
    taken = [[0, 0, 0] if place is None else rows[place] for place in _PLACES[len(rows)]]
    found = np.asarray(taken, np.float32)
    return found * np.array([1, 1, 0], np.float32), found[:, 2] > 0


def completed(points: Floats, known: NDArray[np.bool_], before: Floats | None) -> Floats | None:
    """Key points with missing ones where they were, seen from what they hang on, or where they usually are.

    Args:
        points: key points ``(19, 3)``; those that are not known mean nothing.
        known: ``(19,)``.
        before: those of the frame before; None for the first.

    Returns:
        None where shoulders or hips are missing.
    """
    if not known[_TRUNK].all():
        return None
    points = points.copy()
    unit, neck = body_unit(points), points[[3, 4]].mean(0)
    for place, parent, usual in _HANGING:
        if known[place]:
            continue
        start = neck if parent is None else points[parent]
        if place in _FOREARMS:
            elbow, wrist = _FOREARMS[place]
            offset = _HAND * (points[wrist] - points[elbow])
        elif before is not None:
            offset = before[place] - (before[[3, 4]].mean(0) if parent is None else before[parent])
        else:
            offset = unit * np.array([*usual, 0.0], np.float32)
        points[place] = start + offset
    return points
