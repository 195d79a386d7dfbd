"""The clothes of another image: appearance transfer by parts (after Liu et al. 2019, "Liquid Warping GAN").

The person of the other image is generated in the pose and the proportions of the source, before anything moves. What
the trunk, the arms and the legs show there takes the place of the source's; head, hands and feet stay. The result is
another source, so it costs nothing per frame.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import PARTS, Floats, body_unit, part_guides
from vidgan.media.image import Pixels
from vidgan.session import Session
from vidgan.tasks.people.generator import SourceView
from vidgan.tasks.people.source_person import SourcePerson

_GARMENT = [
    n for n, part in enumerate(PARTS) if part.split()[-1] in ("torso", "arm", "forearm", "thigh", "shin")
]
_CELLS = 256
"""Side of the map of parts."""
_EDGE = 0.35
"""Width of the transition from the source's parts to the other's, in shares of a part."""
_SKIN_ERROR = np.array([30.0, 9.0, 9.0], np.float32)
"""Lab from the skin's color within which a place is skin; shading changes lightness more than the other two."""
_PATCH = 0.09
"""Lengths of the torso round the tip of the nose in which the color of the skin is looked up."""


def dressed(session: Session, side: int, person: SourcePerson, other: SourcePerson) -> SourcePerson:
    """The person in the clothes of another.

    Args:
        session: a model of the task ``animate``, whose images have that side.
        person: who wears them.
        other: whose they are.
    """
    worn = SourceView(session, other, side).drawn(person.points, person.square, person.pixels.shape)
    garments = _garments(person)
    cloth = garments * worn.mask
    kept = (1 - garments) * (person.mask[:, :, np.newaxis].astype(np.float32) / 255)
    colors = _with_skin_of(person, other, worn.pixels)
    pixels = person.background + kept * (person.pixels.astype(np.float32) - person.background)
    pixels = np.rint(pixels + cloth * (colors - pixels)).clip(0, 255)
    mask = np.rint(255 * np.maximum(kept, cloth)[:, :, 0])
    return replace(person, pixels=np.asarray(pixels, np.uint8), mask=np.asarray(mask, np.uint8))


def _garments(person: SourcePerson) -> Floats:
    """Where in the person's image the parts are that wear clothes, ``(H, W, 1)`` in [0, 1]."""
    target = person.square.inside(person.points, _CELLS)
    _, shares = part_guides(target, _CELLS, _CELLS)
    share = shares[_GARMENT].sum(0)
    there = ((share - 0.5) / _EDGE + 0.5).clip(0, 1)
    height, width = person.pixels.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    map_ = np.asarray(person.square.placed(_CELLS))
    placed = cv2.warpAffine(there, map_, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(placed[:, :, np.newaxis], np.float32)


def _with_skin_of(person: SourcePerson, other: SourcePerson, pixels: Floats) -> Floats:
    """Bare arms and legs of the other, ``(H, W, 3)`` RGB, with the person's color of skin."""
    own, others = _skin(person), _skin(other)
    lab = _lab(pixels.clip(0, 255))
    share = np.exp(-np.square((lab - others) / _SKIN_ERROR).sum(2))
    moved = lab + share[:, :, np.newaxis].astype(np.float32) * (own - others)
    return np.asarray(255 * cv2.cvtColor(moved, cv2.COLOR_LAB2RGB), np.float32)


def _skin(person: SourcePerson) -> Floats:
    """The color of the face, Lab."""
    radius = max(1, round(_PATCH * body_unit(person.points)))
    column, row = np.rint(person.points[0, :2]).astype(int)
    height, width = person.pixels.shape[:2]
    top, left = (int(each) for each in np.clip([row - radius, column - radius], 0, [height - 1, width - 1]))
    patch = person.pixels[top : max(top + 1, row + radius), left : max(left + 1, column + radius)]
    return np.asarray(np.median(_lab(patch).reshape(-1, 3), 0), np.float32)


def _lab(pixels: Pixels | Floats) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
