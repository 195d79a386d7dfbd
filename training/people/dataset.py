"""Views of people as training data of pose transfer: rendered once into a folder, then drawn in batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.people.body import Rig
from training.people.motion_capture import read_motion
from training.people.person import Camera, Person, View, surface_flow
from training.people.pose import Pose, random_pose, standing
from training.people.rasterizer import NOTHING
from training.people.wardrobe import Wardrobe, read_texture
from vidgan.media.body_parts import KEY_POINTS, part_affines, part_guides

_NO_TRIANGLE = 65_535
_FIXED_POINT = 64
"""Steps of a pixel, in which places of vertices are stored."""
_CAPTURED = 0.4
"""Share of poses from motion capture."""
_NEXT_SECONDS = 1 / 15
POINT_NOISE = 0.006
"""Sides by which a pose network is off, standard deviation."""
GUIDE_SCALE = 2
"""Pixels along a side of a cell of the guides."""


@dataclass(frozen=True)
class Motions:
    """Motion capture by file: poses and frames per second."""

    captured: Sequence[tuple[list[Pose], float]]

    @classmethod
    def read(cls, folder: Path) -> "Motions":
        """All ``.bvh`` and ``.bvh.gz`` of a folder."""
        return cls([read_motion(path) for path in sorted(folder.glob("*.bvh*"))])

    def two_frames(self, random: np.random.Generator) -> tuple[Pose, Pose]:
        """A pose, and that of the next frame, a fifteenth of a second later."""
        turn = _heading(random)
        if self.captured and random.random() < _CAPTURED:
            poses, rate = self.captured[int(random.integers(len(self.captured)))]
            step = max(1, round(rate * _NEXT_SECONDS))
            start = int(random.integers(len(poses) - step))
            return poses[start].turned(turn), poses[start + step].turned(turn)
        first = random_pose(random)
        if random.random() < 0.15:
            first = standing().towards(first, 0.3 * random.random())
        second = first.towards(random_pose(random), random.uniform(0.03, 0.15))
        return first.turned(turn), second.turned(turn + random.normal(0, 3))


def _heading(random: np.random.Generator) -> float:
    """Degrees: most look at the camera, some stand aside of it or show their backs."""
    chance = random.random()
    if chance < 0.55:
        return float(random.normal(0, 22))
    return float(random.uniform(-180, 180) if chance < 0.8 else random.normal(0, 55))


def render_people(
    folder: Path,
    count: int,
    *,
    people: Path,
    photos: Sequence[Path],
    views: int = 16,
    side: int = 256,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> None:
    """Renders people into ``folder``, one folder each; those that are there stay.

    Args:
        people: folder with clothes, hair, skins and motions.
        photos: for prints.
        views: of each person, an even number: two frames of a movement each.
        side: of the images, pixels.
    """
    rig, wardrobe = Rig(), Wardrobe(people, photos)
    motions = Motions.read(people / "motions")
    for number in range(count):
        place = folder / f"{number:04}"
        if (place / "faces.npy").exists():
            continue
        random = np.random.default_rng([seed, number])
        write_views(place, *_rendered(random, rig, wardrobe, motions, views, side))
        report(f"{place}: {views} views")


def _rendered(
    random: np.random.Generator, rig: Rig, wardrobe: Wardrobe, motions: Motions, views: int, side: int
) -> tuple[list[View], NDArray[np.int32]]:
    outfit = wardrobe.outfit(random)
    person = Person(rig, rig.shape(phenotype(random, rig.phenotypes, outfit.is_female)), outfit)
    camera = Camera.drawn(random, person.height, side)
    poses = [pose for _ in range(views // 2) for pose in motions.two_frames(random)]
    return [person.view(pose, camera) for pose in poses], person.faces


def phenotype(random: np.random.Generator, names: Sequence[str], is_female: bool) -> dict[str, float]:
    """Numbers of an adult's body, drawn at random."""
    numbers = dict.fromkeys(names, 0.5)
    numbers |= {name: random.uniform(0.25, 0.85) for name in ("muscle", "weight", "height", "proportions")}
    numbers |= {name: random.random() for name in ("african", "asian", "caucasian")}
    return numbers | {"gender": 1.0 if is_female else 0.0, "age": random.uniform(0.5, 0.95)}


def write_views(place: Path, views: Sequence[View], faces: NDArray[np.int32]) -> None:
    """Writes a person's views as arrays that can be read in parts."""
    place.mkdir(parents=True, exist_ok=True)
    used, renumbered = np.unique(faces, return_inverse=True)
    arrays: dict[str, NDArray[Any]] = {
        "images": np.stack([view.image for view in views]),
        "parts": np.stack([view.parts for view in views]),
        "points": np.stack([view.points for view in views]).astype(np.float32),
        "triangles": np.stack(
            [np.where(view.triangle == NOTHING, _NO_TRIANGLE, view.triangle) for view in views]
        ).astype(np.uint16),
        "weights": np.stack([(view.weights * 255).round() for view in views]).astype(np.uint8),
        "vertices": np.stack(
            [(view.vertices[used] * _FIXED_POINT).round().clip(-32768, 32767) for view in views]
        ).astype(np.int16),
        # Written last: where it is, all is.
        "faces": renumbered.reshape(faces.shape).astype(np.uint16),
    }
    for name, array in arrays.items():
        np.save(place / f"{name}.npy", array)


class StoredPerson:
    """The views of one person, read when they are asked for."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._arrays = {
            name: np.load(place / f"{name}.npy", mmap_mode="r")
            for name in ("images", "parts", "points", "triangles", "weights", "vertices")
        }
        self._faces = np.load(place / "faces.npy").astype(np.int32)
        self.side = int(self._arrays["parts"].shape[1])

    def __len__(self) -> int:
        return len(self._arrays["parts"])

    def image(self, view: int, side: int) -> NDArray[np.float32]:
        """RGBA with colors multiplied by alpha, in [0, 1], ``(side, side, 4)``."""
        image = self._arrays["images"][view].astype(np.float32) / 255
        image[:, :, :3] *= image[:, :, 3:]
        if side == self.side:
            return image
        return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.float32)

    def parts(self, view: int, side: int) -> NDArray[np.uint8]:
        """Labels ``(side, side)``."""
        step = self.side // side
        return np.asarray(self._arrays["parts"][view, step // 2 :: step, step // 2 :: step])

    def points(self, view: int, side: int) -> NDArray[np.float32]:
        """Key points ``(19, 3)``."""
        points = np.array(self._arrays["points"][view])
        scale = side / self.side
        points[:, :2] = (points[:, :2] + 0.5) * scale - 0.5
        points[:, 2] *= scale
        return points

    def flow(self, source: int, target: int, side: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """As :func:`training.people.person.surface_flow`."""
        step = self.side // side
        vertices = self._arrays["vertices"][source].astype(np.float32) / (_FIXED_POINT * step)
        vertices[:, :2] += 0.5 / step - 0.5
        triangle, weights = self._surface(source, step)
        return surface_flow((triangle, weights, vertices), self._surface(target, step), self._faces)

    def _surface(self, view: int, step: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        part = np.s_[view, step // 2 :: step, step // 2 :: step]
        triangle = self._arrays["triangles"][part].astype(np.int32)
        return np.where(triangle == _NO_TRIANGLE, NOTHING, triangle), (
            self._arrays["weights"][part].astype(np.float32) / 255
        )


@dataclass(frozen=True)
class PairBatch:
    """Sources and targets, S pixels a side; targets are of the same person on the same background.

    Attributes:
        sources, targets, backgrounds: ``(N, 3, S, S)`` RGB in [-1, 1].
        masks: the person in the target, ``(N, 1, S, S)`` in [0, 1].
        source_parts, parts: labels ``(N, S, S)`` int64.
        affines: target's pixels → source's, ``(N, 14, 2, 3)``.
        source_guides, guides: ``(N, 28, S / 2, S / 2)``, see :func:`vidgan.media.body_parts.part_guides`.
        shares: of the target, ``(N, 14, S / 2, S / 2)``.
        flow: where the target's pixels are in the source, ``(N, 2, S, S)`` pixels.
        visible: where that is seen in the source, ``(N, 1, S, S)`` in {0, 1}.
        motion, moved: flow and visibility from the last n targets, which are next frames, to the first n.
    """

    sources: Tensor
    targets: Tensor
    backgrounds: Tensor
    masks: Tensor
    source_parts: Tensor
    parts: Tensor
    affines: Tensor
    source_guides: Tensor
    guides: Tensor
    shares: Tensor
    flow: Tensor
    visible: Tensor
    motion: Tensor
    moved: Tensor


class People:
    """People in a folder that :func:`render_people` has written.

    Args:
        folder: of them.
        count: how many of them are used; the same ones, however many are there.
        held_out: how many of these are for evaluation alone.
        backgrounds: photos.

    Raises:
        FileNotFoundError: there are fewer people, or no photos.
    """

    def __init__(self, folder: Path, count: int, held_out: int, backgrounds: Sequence[Path]) -> None:
        places = sorted(each.parent for each in folder.glob("*/faces.npy"))[:count]
        if len(places) < count:
            raise FileNotFoundError(
                f"{folder}: {len(places)} people are there, {count} are asked for; "
                f"render them by: python -m training render-people"
            )
        if not backgrounds:
            raise FileNotFoundError("no photos for backgrounds")
        everybody = [StoredPerson(each) for each in places]
        self.known, self.held_out = everybody[held_out:], everybody[:held_out]
        self._backgrounds = list(backgrounds)

    def batch(
        self,
        count: int,
        following: int,
        side: int,
        random: torch.Generator,
        *,
        held_out: bool = False,
        point_noise: float = POINT_NOISE,
    ) -> PairBatch:
        """Random pairs.

        Args:
            count: pairs.
            following: of the first pairs the targets' next frames come after the others.
            side: of the images.
            held_out: of people who are not trained on.
            point_noise: standard deviation of key points, in sides; with another one, the pairs are the same.
        """
        numbers = np.random.default_rng(int(torch.randint(2**62, (), generator=random)))
        people = self.held_out if held_out else self.known
        rows, motions = [], []
        next_rows = []
        for pair in range(count):
            person = people[int(numbers.integers(len(people)))]
            source, target = _views(numbers, len(person))
            background = self._background(numbers, side)
            jitter = numbers.uniform(0.8, 1.2, 3).astype(np.float32) * np.float32(numbers.uniform(0.85, 1.15))
            noise = numbers.normal(0, point_noise, (2, len(KEY_POINTS), 3))
            rows.append(_pair(person, source, target, background, jitter, noise, side))
            if pair < following:
                second = target ^ 1
                noise = np.stack([noise[0], noise[1] + numbers.normal(0, 0.5 * point_noise, noise[1].shape)])
                next_rows.append(_pair(person, source, second, background, jitter, noise, side))
                flow, visible = person.flow(target, second, side)
                motions.append((flow.transpose(2, 0, 1), visible[None].astype(np.float32)))
        columns = [np.stack(each) for each in zip(*rows, *next_rows, strict=True)]
        still = np.zeros((0, 2, side, side), np.float32), np.zeros((0, 1, side, side), np.float32)
        moved = [np.stack(each) for each in zip(*motions, strict=True)] if motions else still
        return PairBatch(*(torch.from_numpy(each) for each in (*columns, *moved)))

    def _background(self, random: np.random.Generator, side: int) -> NDArray[np.float32]:
        """``(side, side, 3)`` in [0, 1]: part of a photo, or one color."""
        if random.random() < 0.2:
            return np.broadcast_to(random.random(3).astype(np.float32), (side, side, 3)).copy()
        path = self._backgrounds[int(random.integers(len(self._backgrounds)))]
        photo = read_texture(path)[:, :, :3]
        part = random.uniform(0.5, 1) * min(photo.shape[:2])
        top, left = (int(random.uniform(0, length - part)) for length in photo.shape[:2])
        crop = photo[top : top + int(part), left : left + int(part)]
        return cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _views(random: np.random.Generator, count: int) -> tuple[int, int]:
    """A source, and a target of another movement."""
    source = int(random.integers(count))
    others = [view for view in range(count) if view // 2 != source // 2]
    return source, others[int(random.integers(len(others)))]


def _pair(
    person: StoredPerson,
    source: int,
    target: int,
    background: NDArray[np.float32],
    jitter: NDArray[np.float32],
    noise: NDArray[np.float64],
    side: int,
) -> tuple[NDArray[Any], ...]:
    """The columns of a :class:`PairBatch` but the last two."""
    images = [person.image(view, side) for view in (source, target)]
    for image in images:
        image[:, :, :3] = np.minimum(image[:, :, :3] * jitter, image[:, :, 3:])
    shown = [2 * (each[:, :, :3] + (1 - each[:, :, 3:]) * background) - 1 for each in images]
    points = [
        (person.points(view, side) + side * noise[number]).astype(np.float32)
        for number, view in enumerate((source, target))
    ]
    guides, shares = part_guides(points[1], side, side // GUIDE_SCALE)
    source_guides, _ = part_guides(points[0], side, side // GUIDE_SCALE)
    flow, visible = person.flow(source, target, side)
    return (
        shown[0].transpose(2, 0, 1).astype(np.float32),
        shown[1].transpose(2, 0, 1).astype(np.float32),
        (2 * background - 1).transpose(2, 0, 1),
        images[1][None, :, :, 3],
        person.parts(source, side).astype(np.int64),
        person.parts(target, side).astype(np.int64),
        part_affines(points[0], points[1]),
        source_guides,
        guides,
        shares,
        flow.transpose(2, 0, 1),
        visible[None].astype(np.float32),
    )
