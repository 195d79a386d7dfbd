"""Poses from motion capture files, BVH: joints become the directions of limbs, so that any skeleton will do."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.people.pose import Floats, Pose, rotation

_NAMES = {
    "hip": ("UpLeg", "Hip"), "knee": ("Leg", "Knee"), "ankle": ("Foot", "Ankle"),
    "shoulder": ("Arm", "Shoulder"), "elbow": ("ForeArm", "Elbow"), "wrist": ("Hand", "Wrist"),
}  # fmt: skip
"""Names of joints: as in Motion Builder, which comes first, or as in the CMU files."""
_LIMBS = {
    "upperarm01": ("shoulder", "elbow"), "lowerarm01": ("elbow", "wrist"),
    "upperleg01": ("hip", "knee"), "lowerleg01": ("knee", "ankle"),
}  # fmt: skip


@dataclass
class _Joint:
    name: str
    parent: int
    offset: Floats
    channels: list[str] = field(default_factory=list)


def read_motion(path: Path) -> tuple[list[Pose], float]:
    """The poses of a BVH file, which may be gzipped, and their rate in frames per second.

    Raises:
        ValueError: the file is none, or of a skeleton that is not known.
    """
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("ascii", "replace")
    head, _, motion = text.partition("MOTION")
    lines = motion.split("\n")
    try:
        joints = _joints(head.split())
        frames = [line for line in lines[3:] if line.strip()]
        interval = float(lines[2].split(":")[1])
        numbers = np.array([line.split() for line in frames], np.float64)
        places = _places(joints, numbers)
    except (IndexError, ValueError, StopIteration) as exc:
        raise ValueError(f"{path}: not a BVH file ({exc})") from exc
    by_name = {joint.name: places[:, number] for number, joint in enumerate(joints)}
    return list(_poses(path, by_name)), 1 / interval


def _joints(words: list[str]) -> list[_Joint]:
    joints: list[_Joint] = []
    open_joints: list[int] = []
    stream = iter(words)
    for word in stream:
        if word in ("ROOT", "JOINT", "End"):
            name = next(stream)
            joints.append(_Joint(name, open_joints[-1] if open_joints else -1, np.zeros(3)))
        elif word == "{":
            open_joints.append(len(joints) - 1)
        elif word == "}":
            open_joints.pop()
        elif word == "OFFSET":
            joints[-1].offset = np.array([float(next(stream)) for _ in range(3)])
        elif word == "CHANNELS":
            joints[-1].channels = [next(stream) for _ in range(int(next(stream)))]
    return joints


def _places(joints: list[_Joint], numbers: Floats) -> Floats:
    """World coordinates of the joints, ``(T, J, 3)``."""
    axes = {"X": np.array([1.0, 0, 0]), "Y": np.array([0, 1.0, 0]), "Z": np.array([0, 0, 1.0])}
    places = np.zeros((len(numbers), len(joints), 3))
    for time, row in enumerate(numbers):
        values = iter(row)
        turns: list[Floats] = []
        for number, joint in enumerate(joints):
            offset, turn = joint.offset.copy(), np.eye(3)
            for channel in joint.channels:
                value = next(values)
                if channel.endswith("position"):
                    offset["XYZ".index(channel[0])] = value
                else:
                    turn = turn @ rotation(axes[channel[0]], value)
            before = turns[joint.parent] if joint.parent >= 0 else np.eye(3)
            start = places[time, joint.parent] if joint.parent >= 0 else np.zeros(3)
            places[time, number] = start + before @ offset
            turns.append(before @ turn)
    return places


def _poses(path: Path, joints: dict[str, Floats]) -> Iterator[Pose]:
    found: dict[str, Floats] = {}
    # A CMU shoulder is a collar's end, called what the others call the collar.
    is_cmu = "LeftElbow" in joints
    for what, names in _NAMES.items():
        for side, letter in (("Left", "L"), ("Right", "R")):
            name = next((f"{side}{each}" for each in names[is_cmu:] if f"{side}{each}" in joints), None)
            if name is None:
                raise ValueError(f"{path}: no joint {side}{names[0]} or {side}{names[1]}")
            found[f"{what}.{letter}"] = joints[name]
    found["head"], found["neck"] = joints["Head"], joints["Neck"]
    upwards = (found["neck"] - (found["hip.L"] + found["hip.R"]) / 2).mean(0)
    if np.abs(upwards).argmax() == 1:
        # y up becomes z up.
        found = {name: each[:, [0, 2, 1]] * [1, -1, 1] for name, each in found.items()}
    tall = np.linalg.norm(upwards) * 2.0
    ground = min(float(found[f"ankle.{side}"][:, 2].min()) for side in "LR")
    for time in range(len(found["head"])):
        now = {name: each[time] for name, each in found.items()}
        lift = (min(now["ankle.L"][2], now["ankle.R"][2]) - ground) / tall
        yield _pose(now, float(np.clip(lift, 0, 0.5)))


def _pose(joints: dict[str, Floats], lift: float) -> Pose:
    middle = (joints["hip.L"] + joints["hip.R"]) / 2
    pelvis = _frame(joints["hip.L"] - joints["hip.R"], joints["neck"] - middle)
    chest = _frame(joints["shoulder.L"] - joints["shoulder.R"], joints["neck"] - middle)
    limbs = {}
    for bone, (first, second) in _LIMBS.items():
        for side in "LR":
            along = joints[f"{second}.{side}"] - joints[f"{first}.{side}"]
            limbs[f"{bone}.{side}"] = along / np.linalg.norm(along)
    return Pose(pelvis, chest, chest, limbs, lift)


def _frame(left: Floats, up: Floats) -> Floats:
    """The rotation from rest that has those directions."""
    left = left / np.linalg.norm(left)
    up = up - (up @ left) * left
    up = up / np.linalg.norm(up)
    return np.stack([left, np.cross(up, left), up], 1)
