"""The person of one or several images, generated in other poses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError, ModelError
from vidgan.media.body_parts import Floats, facing, part_affines, part_guides
from vidgan.media.image import Pixels
from vidgan.session import Session
from vidgan.session.loading import AFFINES, CORRESPONDENCE, GUIDES
from vidgan.tasks.people.detail import LEAST_RATIO, detail_of
from vidgan.tasks.people.face import face_of
from vidgan.tasks.people.source_person import SourcePerson, Square

GUIDE_SCALE = 2
"""Pixels along a side of a cell of the guides."""
_DIRECTION_SHARPNESS = 8.0
"""Factor of the cosines between where a source and where the target faces, before the softmax: images of front and back
are mixed within 10 degrees of a side view."""
_LEAST_SHARE = 0.05
_LEAST_MASK = 1e-3


@dataclass(frozen=True, eq=False)
class GeneratedPerson:
    """A person in a pose.

    Attributes:
        pixels: ``(H, W, 3)`` float32 RGB, 0 to 255; beyond the mask they mean nothing.
        mask: opacity, ``(H, W, 1)`` float32 in [0, 1].
    """

    pixels: Floats
    mask: Floats

    def over(self, background: Pixels) -> Pixels:
        """The person before a background of the same size."""
        made = background + self.mask * (self.pixels - background)
        return np.asarray(np.rint(made).clip(0, 255), np.uint8)


class PoseGenerator:
    """Generates a person in other poses.

    Args:
        session: a model of the task ``animate``.
        people: the same person in one or several images; place, size and background are those of the first. Where they
            face different ways, each target is made of those that face as it does.
        side: of the model's images.
        background: behind the person; None for the first image's own.
        keep_face: put the face of an image in place of the generated one, where both are seen from the front.

    Attributes:
        people: as they were given.
        background: as given, or the first image's own.

    Raises:
        ModelError: the face is to be kept, and the model does not say where it is.
        InputError: the face is to be kept, and none is seen from the front.
    """

    def __init__(
        self,
        session: Session,
        people: Sequence[SourcePerson],
        side: int,
        background: Pixels | None = None,
        *,
        keep_face: bool = False,
    ) -> None:
        self.people, self._side = people, side
        self._person = people[0]
        self.background = self._person.background if background is None else background
        self._views = [SourceView(session, each, side, keep_face=keep_face) for each in people]
        if keep_face and CORRESPONDENCE not in session.conditions:
            raise ModelError(f"{session.spec.file.path}: does not say where faces are, so none can be kept")
        if keep_face and not any(each.has_face for each in self._views):
            raise InputError("`keep_face`: no face is seen from the front in the image of the person")
        self._directions = np.array([facing(each.points) for each in people])

    def generate(self, points: Floats) -> Pixels:
        """The person with these key points before the background, ``(H, W, 3)`` uint8."""
        return self.drawn(points).over(self.background)

    def drawn(self, points: Floats) -> GeneratedPerson:
        """The person with these key points, as large as the background."""
        square = self._person.target_square(points)
        drawings = [
            (share, view.drawn(points, square, self.background.shape)) for share, view in self._shares(points)
        ]
        return drawings[0][1] if len(drawings) == 1 else _mixed(drawings)

    def degrees_from_images(self, points: Floats) -> float:
        """How far that pose faces from the nearest of the images."""
        nearest = np.cos(self._directions - facing(points)).max()
        return float(np.degrees(np.arccos(min(1.0, nearest))))

    def _shares(self, points: Floats) -> Iterator[tuple[float, "SourceView"]]:
        """The views that a target is made of, and their shares."""
        fit = np.exp(_DIRECTION_SHARPNESS * (np.cos(self._directions - facing(points)) - 1))
        shares = fit / fit.sum()
        shares[shares < _LEAST_SHARE] = 0
        for share, view in zip(shares / shares.sum(), self._views, strict=True):
            if share > 0:
                yield float(share), view


class SourceView:
    """One image of a person, as a generator takes it.

    Args:
        session: a model of the task ``animate``.
        person: in the image.
        side: of the model's images.
        keep_face: as of :class:`PoseGenerator`.
    """

    def __init__(self, session: Session, person: SourcePerson, side: int, *, keep_face: bool = False) -> None:
        self._session, self._side = session, side
        self._image = person.crop(side)
        self._points = person.square.inside(person.points, side)
        self._guides, _ = part_guides(self._points, side, side // GUIDE_SCALE)
        self._detail = detail_of(person, side) if CORRESPONDENCE in session.conditions else None
        full = side if self._detail is None else self._detail.side
        self._face = face_of(person, full) if keep_face else None

    @property
    def has_face(self) -> bool:
        return self._face is not None

    def drawn(self, points: Floats, square: Square, shape: tuple[int, ...]) -> GeneratedPerson:
        """The person with these key points in an image ``(H, W, 3)``, of which the model sees a square."""
        target = square.inside(points, self._side)
        guides = part_guides(target, self._side, self._side // GUIDE_SCALE)
        return _placed(*self._generated(target, np.concatenate(guides)), square, shape)

    def _generated(self, target: Floats, guides: Floats) -> tuple[Pixels, NDArray[np.uint8]]:
        """Colors and mask, each square, with or without detail, by key points in the model's square."""
        given = {
            GUIDES: np.concatenate([self._guides, guides])[np.newaxis],
            AFFINES: part_affines(self._points, target)[np.newaxis],
        }
        (output,), extra = self._session.run_conditioned(self._image[np.newaxis], given)
        colors, mask = np.ascontiguousarray(output[:, :, :3]), np.ascontiguousarray(output[:, :, 3])
        if self._detail is not None:
            colors = self._detail.added(colors, extra[CORRESPONDENCE][0])
        if self._face is not None:
            colors = self._face.added(colors, extra[CORRESPONDENCE][0])
        return colors, mask


def _placed(
    colors: Pixels, mask: NDArray[np.uint8], square: Square, shape: tuple[int, ...]
) -> GeneratedPerson:
    """A person of a square where the square is in an image ``(H, W, 3)``."""

    def warped(image: NDArray[np.uint8], border: int) -> Floats:
        enlarges = square.side > LEAST_RATIO * image.shape[0]
        flags = (cv2.INTER_CUBIC if enlarges else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
        map_ = np.asarray(square.placed(image.shape[0]))
        made = cv2.warpAffine(image, map_, (shape[1], shape[0]), flags=flags, borderMode=border)
        return np.asarray(made, np.float32)

    share = warped(mask, cv2.BORDER_CONSTANT)[:, :, np.newaxis] / np.float32(255)
    return GeneratedPerson(warped(colors, cv2.BORDER_REPLICATE), share)


def _mixed(drawings: Sequence[tuple[float, GeneratedPerson]]) -> GeneratedPerson:
    """The mean of drawings by their shares."""
    mask = sum(np.float32(share) * each.mask for share, each in drawings)
    pixels = sum(np.float32(share) * each.mask * each.pixels for share, each in drawings)
    return GeneratedPerson(np.asarray(pixels / np.maximum(mask, _LEAST_MASK)), np.asarray(mask))
