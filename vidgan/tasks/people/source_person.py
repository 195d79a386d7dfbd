"""The person of an image: its pose, the square that a generator sees, and what is behind it."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError
from vidgan.media.body_parts import Floats, body_unit
from vidgan.media.image import Pixels, RgbImage
from vidgan.sources import is_image, open_source
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder, FoundFace
from vidgan.tasks.people.pose_finder import FoundPose, PoseFinder
from vidgan.tasks.people.retargeting import source_lengths

_TALL, _GROUND = 0.74, 0.94
"""A person's height, and the row of the ground, in sides of a generator's square."""
_BONES_OF_HEIGHT = 5, 0, 15, 17
"""Neck to ears, torso, thigh and shin: what a height is made of, with the head again above the ears."""
_LEAST_HEIGHT = 48
_SHOWN = 0.5
_FEET = (15, 16)
_FACE_SIZE = 640
_SIMILAR = 0.5
"""Share of the largest face's width from which on another face is another person, and no image on a wall."""
_WIDEST_FACE = 0.8
"""Width of a face in lengths of the torso, or widths of the shoulders: 0.2 to 0.5 of people, 1 to 2.5 of portraits."""
_SHORTEST_LEG = 0.9
"""Lengths of the torso from hip to ankle. Of people who stand 1.07 to 1.64; of those who sit, or whose legs are not
shown and imagined, up to 0.76."""
_HOLE_MARGIN = 0.02
_INPAINTED_SIDE = 480
"""Pixels; what has no detail need not be made in full size."""


@dataclass(frozen=True)
class Square:
    """A square of an image, in its pixels.

    Attributes:
        left, top: of its first pixel's corner.
        side: length.
    """

    left: float
    top: float
    side: float

    def inside(self, points: Floats, size: int) -> Floats:
        """Key points in the pixels of the square, resized to ``size``."""
        scale = size / self.side
        moved = points * np.float32(scale)
        moved[:, :2] += np.array([0.5 - self.left, 0.5 - self.top], np.float32) * scale - 0.5
        return np.asarray(moved, np.float32)

    def placed(self, size: int) -> NDArray[np.float32]:
        """From an image's pixels to those of the square, resized to ``size``, ``(2, 3)``."""
        scale = size / self.side
        offsets = [(0.5 - self.left) * scale - 0.5, (0.5 - self.top) * scale - 0.5]
        return np.array([[scale, 0, offsets[0]], [0, scale, offsets[1]]], np.float32)


@dataclass(frozen=True)
class SourcePerson:
    """Who is animated.

    Attributes:
        pixels: the image.
        points: key points ``(19, 3)``.
        lengths: of the bones, in pixels.
        square: that a generator sees.
        mask: opacity of the person in the image, ``(H, W)`` uint8.
        background: the image without the person, ``(H, W, 3)`` uint8.
        face: None where none is seen.
    """

    pixels: Pixels
    points: Floats
    lengths: Floats
    square: Square
    mask: NDArray[np.uint8]
    background: Pixels
    face: FoundFace | None = None

    @property
    def height(self) -> float:
        """In pixels, standing upright."""
        return _height_of(self.lengths)

    def crop(self, size: int) -> Pixels:
        """The square, ``(size, size, 3)`` uint8."""
        return self._crop(self.pixels, size)

    def mask_crop(self, size: int) -> NDArray[np.uint8]:
        """The mask in the square, ``(size, size)`` uint8."""
        return self._crop(self.mask, size)

    def _crop(self, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """By bilinear interpolation where it enlarges, and by areas where it reduces, which a warp cannot."""
        most = max(size, round(self.square.side))
        crop = cv2.warpAffine(
            image,
            self.square.placed(most),
            (most, most),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA), np.uint8)

    def target_square(self, points: Floats) -> Square:
        """The square for a pose, which follows the hips to the sides."""
        return Square(
            float(points[[11, 12], 0].mean()) - self.square.side / 2, self.square.top, self.square.side
        )


def read_person(path: Path) -> SourcePerson:
    """Reads the image of one person, whole.

    Raises:
        InputError: there is none, or several, or it is cut off or too small.
    """
    if not is_image(path):
        raise InputError(
            f"{path}: no image; give an image of the person, and the video that moves it as input"
        )
    with open_source(path) as source:
        pixels = next(iter(source)).pixels
    image = RgbImage(pixels)
    faces = [face for face in FaceFinder(_FACE_SIZE).find(image) if face.score >= CERTAIN_SCORE]
    face = max(faces, key=lambda each: each.box[2], default=None)
    widest = 0.0 if face is None else face.box[2]
    people = sum(face.box[2] > _SIMILAR * widest for face in faces)
    if people > 1:
        raise InputError(f"{path}: shows {people} people; give an image of one person")
    found = PoseFinder().find(image)
    if found is None:
        raise InputError(f"{path}: no person was found in it; give an image that shows one from head to foot")
    if is_cut_off(found, pixels.shape[:2], widest):
        raise InputError(
            f"{path}: the person is cut off or sits; give an image that shows it standing, from head to foot"
        )
    person = person_of(pixels, found, face)
    if person.height < _LEAST_HEIGHT:
        raise InputError(
            f"{path}: the person is {person.height:.0f} pixels tall, which is too small; {_LEAST_HEIGHT} are needed"
        )
    return person


def is_cut_off(found: FoundPose, size: tuple[int, int], face_width: float) -> bool:
    """Whether an image does not show a standing person from head to foot.

    Args:
        size: height and width of the image.
        face_width: of the person's face in pixels, 0 where none is seen.
    """
    height, width = size
    points = found.points
    below, beyond = -0.03 * height, 1.03 * np.array([width, height])
    outside = np.any((points[:, :2] < below) | (points[:, :2] > beyond), axis=1)
    if outside[list(_FEET)].any() or (found.shown[list(_FEET)] < _SHOWN / 5).all() or outside.sum() > 3:
        return True
    # In a portrait, the network puts the whole body on the face.
    shoulders = float(np.linalg.norm(points[3, :2] - points[4, :2]))
    unit = body_unit(points)
    if face_width > _WIDEST_FACE * max(unit, shoulders):
        return True
    legs = np.linalg.norm(points[[11, 12], :2] - points[list(_FEET), :2], axis=1)
    return bool(legs.max() < _SHORTEST_LEG * unit)


def person_of(pixels: Pixels, found: FoundPose, face: FoundFace | None = None) -> SourcePerson:
    """The person with that pose in an image."""
    height, width = pixels.shape[:2]
    points = found.points
    lengths = source_lengths(points)
    side = _height_of(lengths) / _TALL
    ground = float(points[[15, 16, 17, 18], 1].max())
    square = Square(float(points[[11, 12], 0].mean()) - side / 2, ground - _GROUND * side, side)
    mask = found.mask_in((width, height))
    opacity = mask.astype(np.uint8) * np.uint8(255)
    return SourcePerson(pixels, points, lengths, square, opacity, without_person(pixels, mask), face)


def _height_of(lengths: Floats) -> float:
    return float(lengths[list(_BONES_OF_HEIGHT)].sum() + lengths[_BONES_OF_HEIGHT[0]])


def without_person(pixels: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """The image with what is behind the person guessed from what is round it.

    Telea 2004, "An image inpainting technique based on the fast marching method", on a reduced image.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, _INPAINTED_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    margin = 2 * round(_HOLE_MARGIN * max(size)) + 3
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    hole = cv2.dilate(cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA), kernel)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(small, (hole > 0).astype(np.uint8), 4, cv2.INPAINT_TELEA)
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    share = cv2.GaussianBlur(cv2.resize(hole, (width, height)), (0, 0), 1 + 0.004 * max(height, width))
    weight = share.astype(np.float32)[:, :, np.newaxis] / 255
    return np.asarray(np.rint(pixels + weight * (large.astype(np.float32) - pixels)).clip(0, 255), np.uint8)
