"""What becomes of aligned images of faces: they stay, are blurred or pixelated, or a generator replaces them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.face_evaluators import MARGIN, Bytes, Floats, People, session
from training.faces.dataset import aligned_inputs
from vidgan.media.face_alignment import FRAME, FRAME_FROM, SIDE
from vidgan.media.face_guides import MASK, Shape
from vidgan.media.image import RgbImage
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder
from vidgan.tasks.faces.hiding import Way, ellipse, hide

_USUAL_BOX = np.array([72, 84, 80, 106], np.float32)
"""Center and size of a face in an aligned image."""
_MARGIN_SHIFT = np.array([MARGIN, MARGIN, 0, 0], np.float32)
_AT_ONCE = 16


@dataclass(frozen=True)
class Change:
    """One way.

    Attributes:
        name: a column of a table.
        key: names what it makes; another model has another.
        apply: the images as they become. People of the same name become the same person.
    """

    name: str
    key: str
    apply: Callable[[People], Bytes]


class Deidentifier:
    """A model file, as it is used on aligned images."""

    def __init__(self, file: Path) -> None:
        self._session = session(file)
        facts = self._session.get_modelmeta().custom_metadata_map
        if facts.get("vidgan.task") != "deidentify":
            raise click.ClickException(
                f"{file}: is no model of a de-identifier; export one with python -m export"
            )
        self.side, self.codes = int(facts["vidgan.side"]), int(facts["vidgan.codes"])
        self.shape = float(facts["vidgan.shape"])

    def __call__(self, people: People, codes: Floats) -> Bytes:
        """The images with faces of nobody, ``codes`` of each."""
        made = []
        for start in range(0, len(people.images), _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, len(people.images)))
            inputs = [
                aligned_inputs(people.images[n], people.points[n], Shape.of(codes[n], self.shape), self.side)
                for n in some
            ]
            faces, guides = (np.stack(each) for each in zip(*inputs, strict=True))
            (output,) = self._session.run(
                None, {"faces": faces, "guides": guides, "codes": codes[some.start : some.stop]}
            )
            made += [
                pasted(people.images[n], face, guide[..., MASK])
                for n, face, guide in zip(some, output, guides, strict=True)
            ]
        return np.stack(made)


def pasted(image: Bytes, face: Bytes, mask: Bytes) -> Bytes:
    """A made face in its place in an aligned image, where the mask is."""
    place = slice(FRAME_FROM, FRAME_FROM + FRAME)
    face, mask = (cv2.resize(each, (FRAME, FRAME), interpolation=cv2.INTER_LINEAR) for each in (face, mask))
    share = mask[..., np.newaxis].astype(np.float32) / 255
    result = image.copy()
    result[place, place] = np.rint(image[place, place] * (1 - share) + face * share).astype(np.uint8)
    return result


def codes_of(names: NDArray[np.str_], count: int, *, secret: str = "benchmark") -> Floats:
    """The codes that people get, one a name, ``(N, count)``."""
    rows = []
    for name in names:
        seed = hashlib.sha256(f"{secret}/{name}".encode()).digest()
        rows.append(np.random.default_rng(list(seed)).standard_normal(count))
    return np.array(rows, np.float32)


def hidden(image: Bytes, way: Way) -> Bytes:
    """An aligned image whose face the runtime hides; it is where aligned faces are if it is not found."""
    framed = RgbImage(np.pad(image, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="reflect"))
    found = [face for face in _finder().find(framed) if face.score >= CERTAIN_SCORE]
    place = ellipse(found[0].box if found else _USUAL_BOX + _MARGIN_SHIFT, framed.size)
    assert place is not None
    return hide(framed, [place], way).pixels[MARGIN:-MARGIN, MARGIN:-MARGIN]


@cache
def _finder() -> FaceFinder:
    return FaceFinder(SIDE + 2 * MARGIN)


def _hidden(way: Way, people: People) -> Bytes:
    return np.stack([hidden(each, way) for each in people.images])


UNCHANGED = Change("unchanged", "unchanged", lambda people: people.images)
ALTERNATIVES = (
    Change("blur", "blur", partial(_hidden, "blur")),
    Change("pixelate", "pixelate", partial(_hidden, "pixelate")),
)


def generated(file: Path) -> Change:
    """By a generator's file."""
    model = Deidentifier(file)
    key = f"{file.stem}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
    return Change(
        f"{file.parent.name}/{file.stem}",
        key,
        lambda people: model(people, codes_of(people.names, model.codes)),
    )
