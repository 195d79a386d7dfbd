"""Figures of passcodes on images and on a vault: who is recognized, who is found, and what a changed bit does."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations
from pathlib import Path
from unittest.mock import patch

import click
import numpy as np

from benchmarks.face_evaluators import MARGIN, Bytes, Detector, Floats, Recognizer, names_of
from benchmarks.face_figures import recognized
from training.data.image_crops import read_all
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage, YuvImage
from vidgan.models.registry import find_model
from vidgan.session import Session
from vidgan.tasks.deidentify import open_replacement
from vidgan.tasks.faces.deidentification import FaceSearch, Replacement
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder
from vidgan.tasks.faces.hiding import ellipse, hide
from vidgan.tasks.faces.tracking import Track, area_of
from vidgan.tasks.faces.vault import opened
from vidgan.tasks.faces.vault.cipher import derive_keys
from vidgan.tasks.faces.vault.decoys import Decoys
from vidgan.tasks.faces.vault.opened import OpenedVault
from vidgan.tasks.faces.vault.passcode import Passcode
from vidgan.tasks.faces.vault.recorder import VaultRecorder
from vidgan.tasks.reveal import Revealing

RIGHT = "the right passcode"
RATE = Fraction(25)

_ANOTHER_PERSON = 0.348
"""Cosine of the held-out recognizer below which two images are of two people, at a FAR of 1e-2."""
_FRAME_MICROSECONDS = float(1_000_000 / RATE)
_SALT = b"of the benchmark, 32 bytes long.."
_SMALL = 96, 64
_SMALL_FRAMES = 4


@dataclass(frozen=True)
class Figure:
    """A line of the table.

    Attributes:
        value, goal: as they are printed.
    """

    name: str
    value: str
    goal: str


def wrong_passcodes(count: int) -> list[str]:
    """Passcodes that no vault of a benchmark is made with."""
    return [f"wrong passcode {number}" for number in range(count)]


def table(figures: Sequence[Figure]) -> str:
    """Markdown, a line a figure."""
    lines = [f"| {each.name} | {each.value} | {each.goal} |" for each in figures]
    return "\n".join(["| | measured | goal |", "|---|---|---|", *lines])


def spread(values: Sequence[float] | Floats, digits: int = 3) -> str:
    """The least, the mean and the greatest of some values."""
    found = np.asarray(values, float)
    return " / ".join(f"{each:.{digits}f}" for each in (found.min(), found.mean(), found.max()))


# Images.


@dataclass(frozen=True)
class _Portrait:
    """An image as a frame of a video.

    Attributes:
        frame: with a margin.
        hidden: the same, its face pixelated or another one's.
        track: its face.
    """

    frame: Frame
    hidden: Frame
    track: Track


def figures_of_images(
    paths: list[Path], weights: Path, generator: str | None, passcodes: Sequence[str]
) -> list[Figure]:
    """Figures of recognition and detection with the right passcode and with wrong ones.

    Args:
        paths: aligned images of faces, see :func:`benchmarks.face_evaluators.names_of`.
        weights: folder of the evaluators' networks.
        generator: name or file of a generator of faces; None for faces that are pixelated.
        passcodes: wrong ones.
    """
    names = names_of(paths)
    originals = np.stack([each.permute(1, 2, 0).numpy() for each in read_all(paths)])
    recognizer, detector = Recognizer(weights), Detector(weights)
    embeddings = recognizer(originals)
    replacement = None if generator is None else _opened_generator(generator)
    portraits = _portraits(originals, replacement)
    vault = _stored(portraits, "pixelate" if replacement is None else "generator")
    hidden = np.stack([_without_margin(each.hidden) for each in portraits])
    right = _revealed(portraits, vault, RIGHT, replacement)
    accepts, found, codes = [], [], []
    for passcode in passcodes:
        wrong = _revealed(portraits, vault, passcode, replacement)
        codes.append(recognizer(wrong))
        accepts.append(recognized(embeddings, codes[-1], names).other[1])
        found.append(float(detector(wrong).mean()))
        click.echo(f"{len(codes)} of {len(passcodes)} wrong passcodes", err=True)
    original = recognized(embeddings, embeddings, names).other[1]
    shown = recognized(embeddings, recognizer(right), names).other[1]
    return [
        Figure("TAR at FAR 1e-3, originals", f"{original:.3f}", ""),
        Figure("TAR at FAR 1e-3, right passcode", f"{shown:.3f}", f"≥ {original - 0.01:.3f}"),
        Figure("TAR at FAR 1e-3, wrong passcodes", spread(accepts), "≤ 0.03"),
        Figure("YuNet finds a face, as hidden", f"{detector(hidden).mean():.3f}", ""),
        Figure("YuNet finds a face, wrong passcodes", spread(found), "≥ 0.97"),
        Figure("two wrong passcodes show two people", f"{two_people(codes):.3f}", "≥ 0.95"),
    ]


def two_people(codes: Sequence[Floats]) -> float:
    """Share of images that two passcodes show two people in, of all pairs of passcodes.

    Args:
        codes: embeddings by each passcode, ``(N, D)``.
    """
    cosines = np.stack([(one * other).sum(1) for one, other in combinations(codes, 2)])
    return float((cosines < _ANOTHER_PERSON).mean())


def _opened_generator(name: str) -> Replacement:
    session = Session(find_model(name, precision="int8", task="deidentify"), device="cpu", threads=1)
    return open_replacement(session, None, float(RATE))


def _portraits(originals: Bytes, replacement: Replacement | None) -> list[_Portrait]:
    finder, made = FaceFinder(originals.shape[1] + 2 * MARGIN), []
    generator = None if replacement is None else replacement.open(_SALT)
    for number, original in enumerate(originals):
        image = RgbImage(np.pad(original, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="reflect"))
        found = [face for face in finder.find(image) if face.score >= CERTAIN_SCORE]
        middle = np.array([MARGIN + 72, MARGIN + 84, 80, 106], np.float32)
        box, face = (found[0].box, found[0]) if found else (middle, None)
        track = Track(number + 1, box, np.zeros(4, np.float32), 0, face)
        shown, left = (image, [track]) if generator is None else generator.replace_faces(image, [track])
        places = [each for each in (ellipse(area_of(one), image.size) for one in left) if each is not None]
        hidden = hide(shown, places, "pixelate")
        frame = Frame(image=image, pts=number, time_base=1 / RATE)
        made.append(_Portrait(frame, frame.with_image(hidden), track))
    return made


def _stored(portraits: Sequence[_Portrait], way: str) -> bytes:
    recorder = VaultRecorder(Passcode(RIGHT), way)
    for each in portraits:
        recorder.add(each.frame, [each.track])
    return recorder.finish()


def _revealed(
    portraits: Sequence[_Portrait], data: bytes, passcode: str, replacement: Replacement | None
) -> Bytes:
    vault = OpenedVault(data, Passcode(passcode))
    generator = None if replacement is None else replacement.open(vault.identity_key)
    shown = Revealing(vault, Decoys(vault.identity_key, generator), 0.0, _FRAME_MICROSECONDS)
    search = FaceSearch(FaceFinder(portraits[0].frame.size[0]))
    return np.stack([_without_margin(shown.apply(search.apply(each.hidden), None)) for each in portraits])


def _without_margin(frame: Frame) -> Bytes:
    return frame.image.pixels[MARGIN:-MARGIN, MARGIN:-MARGIN]


# A vault.


def figure_of_bits() -> Figure:
    """Every bit of a small vault is changed by itself; the rest is as it was."""
    data = small_vault()
    bits = 8 * len(data)
    showing = sum(not shows_nobody(_with_bit_changed(data, bit)) for bit in range(bits))
    return Figure(f"changed bits that do not act as a wrong passcode, of all {bits}", str(showing), "0")


def small_vault() -> bytes:
    """The vault of a face in four frames, by the right passcode."""
    recorder = VaultRecorder(Passcode(RIGHT), "pixelate")
    rows, columns = np.mgrid[: _SMALL[1], : _SMALL[0]].astype(np.float32)
    for number in range(_SMALL_FRAMES):
        waves = [np.sin((columns + 3 * number) / 9 + shift) * np.cos(rows / 7) for shift in (0, 1, 2)]
        pixels = (128 + 90 * np.stack(waves, 2)).astype(np.uint8)
        frame = Frame(image=YuvImage.from_rgb(pixels), pts=number, time_base=1 / RATE)
        box = np.array([40 + number, 32, 20, 24], np.float32)
        recorder.add(frame, [Track(1, box, np.zeros(4, np.float32), 0)])
    return recorder.finish()


def _with_bit_changed(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def shows_nobody(data: bytes) -> bool:
    """Whether the right passcode opens no face of a small vault; any error is raised."""
    # scrypt takes half a second; all bits but those of the salt have the same keys.
    with patch.object(opened, "derive_keys", _derived):
        vault = OpenedVault(data, Passcode(RIGHT))
    faces = [
        crop
        for number in range(_SMALL_FRAMES)
        for _, crop in vault.faces_at(round(number * _FRAME_MICROSECONDS), _FRAME_MICROSECONDS)
    ]
    return all(crop is None for crop in faces)


_derived = cache(derive_keys)
