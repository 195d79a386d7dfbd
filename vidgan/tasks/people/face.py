"""The face of a source as it is, in place of a generated one."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import Floats
from vidgan.media.face_alignment import similarity
from vidgan.media.image import Pixels
from vidgan.tasks.faces.finder import FoundFace
from vidgan.tasks.people.source_person import SourcePerson

_FRONTAL = 0.3
"""Eye distances that the tip of the nose of a face seen from the front is off the middle between the eyes, at most."""
_SURE = 0.5
_LEAST_CELLS = 12
"""Places of the correspondence within a face."""
_KEPT, _LOST = 0.06, 0.16
"""Residual of the similarity in widths of the face: below the first, the face is kept as it is, above the second it is
as generated. A head that turns is no similarity."""
_FEATHER = 0.12
"""Widths of the face."""
_HEIGHT = 0.95
"""Height of the ellipse, in heights of the finder's box, which goes from the forehead to the chin."""


def is_frontal(face: FoundFace) -> bool:
    """Whether both halves of a face are seen about equally."""
    eyes, nose = face.points[:2], face.points[2]
    along = eyes[1] - eyes[0]
    apart = max(1e-3, float(along @ along))
    return abs(float((nose - eyes.mean(0)) @ along) / apart) < _FRONTAL


def face_of(person: SourcePerson, side: int) -> "SourceFace | None":
    """The face of a person's square at that side; None where none is seen from the front."""
    face = person.face
    if face is None or not is_frontal(face):
        return None
    (center,) = person.square.inside(face.box[np.newaxis, :2], side)
    size = face.box[2:] * (side / person.square.side)
    return SourceFace(person.crop(side), person.mask_crop(side), np.concatenate([center, size]))


class SourceFace:
    """The face of a source, put where a generator shows it, as one rigid piece.

    Where it belongs is the similarity that is nearest to the correspondence of the generated image, so that it moves
    with the head that it belongs to.

    Args:
        image: the source's square, ``(S, S, 3)`` uint8 RGB.
        mask: opacity of the person in it, ``(S, S)`` uint8.
        box: of the face in it: column and row of its middle, width and height.
    """

    def __init__(self, image: Pixels, mask: NDArray[np.uint8], box: Floats) -> None:
        self._image, self._side = image, image.shape[0]
        column, row, self._width, height = (float(each) for each in box)
        ellipse = np.zeros(mask.shape, np.uint8)
        axes = (self._width, _HEIGHT * height)
        cv2.ellipse(ellipse, ((column, row), axes, 0.0), (255,), cv2.FILLED, cv2.LINE_AA)
        self._inside = ellipse > 0
        soft = cv2.GaussianBlur(np.minimum(ellipse, mask), (0, 0), max(0.5, _FEATHER * self._width))
        # Blurring alone would mix the generated face into the middle of a small one.
        self._opacity = (2 * soft.astype(np.float32) / 255 - 0.5).clip(0, 1)

    def added(self, generated: Pixels, correspondence: Floats) -> Pixels:
        """A generated image with the face.

        Args:
            generated: ``(S, S, 3)`` uint8 RGB.
            correspondence: ``(h, w, 3)``, see :data:`vidgan.session.loading.CORRESPONDENCE`.
        """
        found = self._placed(correspondence)
        if found is None:
            return generated
        to_source, share = found
        size = self._side, self._side
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
        face = cv2.warpAffine(self._image, to_source, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        opacity = cv2.warpAffine(
            self._opacity, to_source, size, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        )
        weight = np.float32(share) * opacity[:, :, np.newaxis]
        made = generated + weight * (face.astype(np.float32) - generated)
        return np.asarray(np.rint(made).clip(0, 255), np.uint8)

    def _placed(self, correspondence: Floats) -> tuple[Floats, float] | None:
        """The map from the generated image to the source, and the share of the face; None where it is not shown."""
        scale = self._side / correspondence.shape[0]
        places = correspondence[:, :, :2] * np.float32(self._side) - np.float32(0.5)
        nearest = np.rint(places).astype(int).clip(0, self._side - 1)
        shown = self._inside[nearest[:, :, 1], nearest[:, :, 0]] & (correspondence[:, :, 2] > _SURE)
        if shown.sum() < _LEAST_CELLS:
            return None
        rows, columns = np.nonzero(shown)
        here = ((np.stack([columns, rows], 1) + 0.5) * scale - 0.5).astype(np.float32)
        there = places[shown].astype(np.float32)
        to_source = similarity(here, there)
        off = here @ to_source[:, :2].T + to_source[:, 2] - there
        residual = float(np.sqrt(np.square(off).sum(1).mean())) / self._width
        share = (_LOST - residual) / (_LOST - _KEPT)
        return (to_source, min(1.0, share)) if share > 0 else None
