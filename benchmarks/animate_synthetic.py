"""Pose transfer on people who do not exist, drawn for the purpose: in other clothes, and turned.

``python -m benchmarks.animate clothes`` and ``turntable``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.animate_videos import box_of, color_difference, distance
from training.evaluation.lpips import Lpips
from training.people.body import BodyShape, Rig
from training.people.dataset import phenotype
from training.people.person import Camera, Person, View
from training.people.pose import Pose, standing
from training.people.wardrobe import Outfit, Wardrobe
from vidgan.errors import InputError
from vidgan.media.body_parts import Floats, body_unit
from vidgan.media.image import Pixels, RgbImage
from vidgan.session import Session
from vidgan.tasks.people.clothes import dressed
from vidgan.tasks.people.generator import PoseGenerator
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.people.retargeting import Driver, retargeted, seen_from_aside
from vidgan.tasks.people.source_person import SourcePerson, person_of

SIDE = 256
_WALL, _FLOOR = (220, 212, 206), (128, 140, 150)
_HORIZON = 0.78


def room() -> Floats:
    """A wall and a floor, ``(S, S, 3)``."""
    image = np.full((SIDE, SIDE, 3), _WALL, np.float32)
    image[round(_HORIZON * SIDE) :] = _FLOOR
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 2), np.float32)


def in_room(view: View) -> Pixels:
    """A person in a room."""
    image = view.image.astype(np.float32)
    share = image[:, :, 3:] / 255
    return np.rint(share * image[:, :, :3] + (1 - share) * room()).astype(np.uint8)


@dataclass(frozen=True)
class Somebody:
    """Who does not exist.

    Attributes:
        rig: that all share.
        shape: of the body.
        outfit: worn.
        camera: of all views.
    """

    rig: Rig
    shape: BodyShape
    outfit: Outfit
    camera: Camera

    @classmethod
    def drawn(cls, rig: Rig, wardrobe: Wardrobe, seed: int) -> "Somebody":
        """Somebody by chance."""
        random = np.random.default_rng(seed)
        outfit = wardrobe.outfit(random)
        shape = rig.shape(phenotype(random, rig.phenotypes, outfit.is_female))
        height = Person(rig, shape, outfit).height
        return cls(rig, shape, outfit, Camera.drawn(random, height, SIDE))

    def dressed_as(self, other: "Somebody") -> "Somebody":
        """The same body, skin, shoes and hair in another's suit."""
        suit, *_ = other.outfit.garments
        return replace(self, outfit=replace(self.outfit, garments=(suit, *self.outfit.garments[1:])))

    def views(self, poses: Sequence[Pose]) -> Iterator[View]:
        """Images of it."""
        person = Person(self.rig, self.shape, self.outfit)
        for pose in poses:
            yield person.view(pose, self.camera)

    def source(self) -> SourcePerson:
        """The person of its image, standing, as the product finds it.

        Raises:
            InputError: it does not.
        """
        (view,) = self.views([standing()])
        return found_in(in_room(view))


def found_in(pixels: Pixels) -> SourcePerson:
    """The person of an image, who is known to be one and whole.

    Raises:
        InputError: nobody was found.
    """
    found = PoseFinder().find(RgbImage(pixels))
    if found is None:
        raise InputError("nobody was found")
    return person_of(pixels, found)


def some_people(people: Path, count: int) -> list[Somebody]:
    """People by chance, other ones than those of the samples.

    Args:
        people: folder of clothes, hair, skins and motions.
    """
    rig, wardrobe = Rig(), Wardrobe(people)
    return [Somebody.drawn(rig, wardrobe, 1000 + number) for number in range(count)]


# Clothes.


def clothes_figures(
    people: Sequence[Somebody], session: Session, lpips: Lpips
) -> dict[str, dict[str, float]]:
    """Means over people who wear the clothes of the next one, in the pose of their own image.

    Returns:
        Before and after: CIE76 of clothes to the other's, and LPIPS, in the person's box, to the same body in the same
        clothes.
    """
    side = session.spec.side
    assert side is not None
    rows: list[list[tuple[float, float]]] = []
    for somebody, other in zip(people, [*people[1:], people[0]], strict=True):
        source, others = somebody.source(), other.source()
        (view,) = somebody.dressed_as(other).views([standing()])
        wanted, box = in_room(view), box_of(source.points)
        worn = dressed(session, side, source, others)
        driven = PoseGenerator(session, [worn], side).generate(source.points)
        images = [source.pixels, worn.pixels, driven]
        rows.append(
            [
                (
                    color_difference(others, each, source.points),
                    distance(lpips, each, wanted, box),
                )
                for each in images
            ]
        )
    means = np.mean(rows, 0)
    names = "own clothes", "the other's", "the other's, generated again"
    return {
        name: {"Lab": float(mean[0]), "LPIPS": float(mean[1])}
        for name, mean in zip(names, means, strict=True)
    }


# Turning.


def turntable_figures(
    people: Sequence[Somebody], session: Session, lpips: Lpips, angles: Sequence[float]
) -> dict[str, dict[str, float]]:
    """Means over people who stand, looking ahead in their image, and are turned to both sides.

    Returns:
        By angle: PCK@0.2 of the turned key points, and LPIPS in the person's box to the same person from there: of the
        image as it is, of the turned person, and of one with another image from behind.
    """
    side = session.spec.side
    assert side is not None
    rows: dict[float, list[list[float]]] = {angle: [] for angle in angles}
    for somebody in people:
        signed = [angle * sign for angle in angles for sign in (1, -1)]
        ahead, behind, *views = somebody.views([standing().turned(each) for each in (0, 180, *signed)])
        front, back = (found_in(in_room(each)) for each in (ahead, behind))
        alone, both = (PoseGenerator(session, each, side) for each in ([front], [front, back]))
        driver = Driver.first_seen(front.points)
        ahead_points = retargeted(front.points, driver, front.lengths, front.points)
        for angle, view in zip(signed, views, strict=True):
            target = seen_from_aside(ahead_points, front.lengths, angle)
            wanted, box = in_room(view), box_of(view.points)
            off = np.linalg.norm(target[:, :2] - view.points[:, :2], axis=1)
            images = [front.pixels, alone.generate(target), both.generate(target)]
            rows[abs(angle)].append(
                [
                    float((off < 0.2 * body_unit(view.points)).mean()),
                    *(distance(lpips, each, wanted, box) for each in images),
                ]
            )
    names = "PCK", "LPIPS, not turned", "LPIPS", "LPIPS, with a back"
    return {
        f"{angle:g} degrees": dict(zip(names, map(float, np.mean(each, 0)), strict=True))
        for angle, each in rows.items()
    }
