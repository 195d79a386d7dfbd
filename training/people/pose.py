"""Poses: where trunk, head and limbs point, drawn at random or taken from a motion capture file."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LIMBS = {
    f"{bone}.{side}": f"{end}.{side}"
    for side in ("L", "R")
    for bone, end in {
        "upperarm01": "lowerarm01", "lowerarm01": "wrist", "upperleg01": "lowerleg01", "lowerleg01": "foot",
    }.items()
}  # fmt: skip
"""Bones whose direction a pose says, and those that they lead to."""
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Pose:
    """A pose of :class:`training.people.body.Rig`.

    Attributes:
        pelvis, chest, head: rotations from rest, ``(3, 3)``.
        limbs: unit vectors by bone of :data:`LIMBS`.
        lift: meters above the ground.
    """

    pelvis: Floats
    chest: Floats
    head: Floats
    limbs: Mapping[str, Floats]
    lift: float = 0.0

    @staticmethod
    def end_of(bone: str) -> str | None:
        """The bone that a limb's bone leads to."""
        return LIMBS.get(bone)

    def rotation(self, bone: str, before: Floats, rest: Floats) -> Floats:
        """A bone's rotation from rest.

        Args:
            before: its parent's.
            rest: its direction at rest, if it is one of :data:`LIMBS`.
        """
        if bone in self.limbs:
            return swing(before @ rest, self.limbs[bone]) @ before
        match bone:
            case "root":
                return self.pelvis
            case "spine03":
                return between(self.pelvis, self.chest, 0.5)
            case "spine02":
                return self.chest
            case "neck01":
                return between(self.chest, self.head, 0.5)
            case "head":
                return self.head
        return before

    def towards(self, other: "Pose", share: float) -> "Pose":
        """The pose that far on the way to another."""
        limbs = {}
        for bone, direction in self.limbs.items():
            turn = swing(direction, other.limbs[bone])
            limbs[bone] = between(np.eye(3), turn, share) @ direction
        return Pose(
            between(self.pelvis, other.pelvis, share),
            between(self.chest, other.chest, share),
            between(self.head, other.head, share),
            limbs,
            (1 - share) * self.lift + share * other.lift,
        )

    def turned(self, degrees: float) -> "Pose":
        """The pose seen from another side."""
        turn = rotation(UP, degrees)
        limbs = {bone: turn @ direction for bone, direction in self.limbs.items()}
        return Pose(turn @ self.pelvis, turn @ self.chest, turn @ self.head, limbs, self.lift)


def standing() -> Pose:
    """Upright, looking ahead, the arms hanging a little apart."""
    limbs = {}
    for side, sign in (("L", 1.0), ("R", -1.0)):
        limbs[f"upperarm01.{side}"] = _unit([0.35 * sign, 0.02, -1])
        limbs[f"lowerarm01.{side}"] = _unit([0.25 * sign, -0.15, -1])
        limbs[f"upperleg01.{side}"] = _unit([0.05 * sign, 0, -1])
        limbs[f"lowerleg01.{side}"] = _unit([0.05 * sign, 0.03, -1])
    return Pose(np.eye(3), np.eye(3), np.eye(3), limbs)


def random_pose(random: np.random.Generator) -> Pose:
    """A pose that people take when they dance, walk or stand about, looking ahead."""
    pelvis = _turns(random, yaw=8, pitch=7, roll=5)
    chest = pelvis @ _turns(random, yaw=14, pitch=8, roll=6)
    head = chest @ _turns(random, yaw=20, pitch=9, roll=7)
    limbs = {}
    stride = random.normal(0, 16) * random.random()
    for side, sign in (("L", 1.0), ("R", -1.0)):
        upper, lower = _arm(random, sign)
        limbs[f"upperarm01.{side}"], limbs[f"lowerarm01.{side}"] = chest @ upper, chest @ lower
        upper, lower = _leg(random, sign, sign * stride)
        limbs[f"upperleg01.{side}"], limbs[f"lowerleg01.{side}"] = pelvis @ upper, pelvis @ lower
    return Pose(pelvis, chest, head, limbs, max(0.0, random.normal(-0.05, 0.06)))


def swing(first: Floats, second: Floats) -> Floats:
    """The least rotation from one unit vector to another."""
    axis = np.cross(first, second)
    sine, cosine = float(np.linalg.norm(axis)), float(first @ second)
    if sine < 1e-8:
        if cosine > 0:
            return np.eye(3)
        axis = np.cross(first, [0.3, 1, 0.2])
        axis /= np.linalg.norm(axis)
        return _rodrigues(axis * np.pi)
    return _rodrigues(axis / sine * np.arctan2(sine, cosine))


def between(first: Floats, second: Floats, share: float) -> Floats:
    """The rotation that far on the way from one to another."""
    turn, _ = cv2.Rodrigues(first.T @ second)
    return first @ _rodrigues(share * turn.ravel())


def rotation(axis: Floats, degrees: float) -> Floats:
    """About a unit vector."""
    return _rodrigues(axis * np.radians(degrees))


def _rodrigues(vector: Floats) -> Floats:
    return np.asarray(cv2.Rodrigues(np.asarray(vector, np.float64))[0])


def _turns(random: np.random.Generator, *, yaw: float, pitch: float, roll: float) -> Floats:
    """Random rotations about the vertical, to the front and to the side: standard deviations in degrees."""
    angles = np.clip(random.standard_normal(3), -2, 2) * [pitch, roll, yaw]
    axes = np.eye(3)
    return rotation(axes[2], angles[2]) @ rotation(axes[0], angles[0]) @ rotation(axes[1], angles[1])


def _arm(random: np.random.Generator, sign: float) -> tuple[Floats, Floats]:
    """Directions of an upper arm and its forearm, in the chest's coordinates."""
    raised = np.radians(5 + 165 * random.beta(0.8, 1.3))
    forward = np.radians(random.uniform(-25, 95))
    upper = np.array(
        [sign * np.sin(raised) * np.cos(forward), -np.sin(raised) * np.sin(forward), -np.cos(raised)]
    )
    bent = np.radians(4 + 130 * random.beta(0.8, 1.5))
    to = np.array([-0.5 * sign, -1.0, 0.5]) + 0.6 * random.standard_normal(3)
    return upper, _bent(upper, to, bent)


def _leg(random: np.random.Generator, sign: float, stride: float) -> tuple[Floats, Floats]:
    """Directions of a thigh and its shin, in the pelvis' coordinates."""
    aside = np.radians(abs(random.normal(5, 7)))
    raised = np.radians(stride + (random.uniform(0, 75) if random.random() < 0.15 else random.normal(0, 5)))
    upper = _unit([sign * np.sin(aside), -np.sin(raised), -np.cos(raised)])
    bent = np.radians(max(2.0, random.normal(8, 10)) + 0.9 * max(0.0, np.degrees(raised)) * random.random())
    return upper, _bent(upper, np.array([0.0, 1.0, 0.0]), bent)


def _bent(upper: Floats, to: Floats, angle: float) -> Floats:
    """A direction at an angle to another, on the side of a third."""
    aside = to - (to @ upper) * upper
    length = np.linalg.norm(aside)
    return upper if length < 1e-6 else np.cos(angle) * upper + np.sin(angle) * aside / length


def _unit(vector: list[float]) -> Floats:
    direction = np.array(vector)
    return direction / np.linalg.norm(direction)
