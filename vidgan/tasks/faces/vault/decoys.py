"""Faces of nobody, for a passcode that is not the right one: by the generator, or soft ones without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import cv2
import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.image import Image, YuvImage
from vidgan.tasks.faces.box import Box, Floats, matches
from vidgan.tasks.faces.face_generator import FaceGenerator, Mesh
from vidgan.tasks.faces.identity import normal_numbers
from vidgan.tasks.faces.tracking import SearchedFrame, Track
from vidgan.tasks.faces.vault.crops import cut
from vidgan.tasks.faces.vault.layout import CropPlace
from vidgan.tasks.faces.vault.pasting import oval_mask, pasted
from vidgan.temporal.filter import State

_LEAST_LIKENESS = 0.1
_HIDDEN_SHARE = 1.68
"""Sides of a place over those of the face in it."""
_GRID = 6, 7
"""Cells of the video's own colors that a soft face keeps, columns and rows."""
_NUMBERS = 48
_SIDE = 64


class Decoys:
    """Gives the faces of a video to people who do not exist; a track is the same one throughout.

    Args:
        identity_key: decides who they are.
        generator: makes their faces where it finds the points of a face; None for soft faces everywhere.
    """

    def __init__(self, identity_key: bytes, generator: FaceGenerator | None) -> None:
        self._key, self._generator = identity_key, generator

    def drawn(self, frame: Frame, places: Sequence[CropPlace]) -> Image:
        """The image with other faces at these places."""
        image, rest = frame.image, list(places)
        if self._generator is not None:
            assert isinstance(frame, SearchedFrame)
            tracks = self._tracks(frame, places)
            image, unable = self._generator.replace_faces(image, tracks)
            done = {each.number for each in tracks} - {each.number for each in unable}
            rest = [each for each in places if _number(each) not in done]
        for place in rest:
            numbers = normal_numbers(self._key, f"soft/{place.track}", _NUMBERS)
            image = pasted(image, place, soft_face(cut(image, place), numbers), oval_mask(place))
        return image

    @property
    def state(self) -> State | None:
        meshes = {} if self._generator is None else self._generator.meshes
        points = (
            np.array([getattr(each, field.name) for each in meshes.values()], np.float32)
            for field in fields(Mesh)
        )
        return (np.array([*meshes], np.float32), *points)

    @state.setter
    def state(self, state: State | None) -> None:
        if self._generator is None:
            return
        self._generator.meshes = {}
        if state is not None:
            numbers, *points = state
            known = [Mesh(*rows) for rows in zip(*points, strict=True)]
            self._generator.meshes = {int(each): mesh for each, mesh in zip(numbers, known, strict=True)}

    def _tracks(self, frame: SearchedFrame, places: Sequence[CropPlace]) -> list[Track]:
        """The faces that are found at the places."""
        pairs, _, _ = matches(
            [_face_box(each) for each in places], [each.box for each in frame.found], _LEAST_LIKENESS
        )
        still = np.zeros(4, np.float32)
        return [
            Track(_number(places[i]), frame.found[j].box, still, 0, frame.found[j]) for i, j in sorted(pairs)
        ]


def _number(place: CropPlace) -> int:
    return max(1, place.track)


def _face_box(place: CropPlace) -> Box:
    middle = place.left + place.width / 2, place.top + place.height / 2
    return np.array([*middle, place.width / _HIDDEN_SHARE, place.height / _HIDDEN_SHARE], np.float32)


def soft_face(crop: YuvImage, numbers: Floats) -> YuvImage:
    """A face out of focus: the colors of a crop in a few cells, tinted, and the shades of eyes, nose and mouth.

    Args:
        numbers: 48 standard normal ones, which decide who it is.
    """
    inside = _inside(crop.size)
    luma = _coarse(crop.luma, crop.size)
    luma += inside * (20 * float(numbers[0].clip(-2, 2)) + 17 * _field(numbers[1:26], crop.size))
    luma -= cv2.resize(_features(numbers[26:40]), crop.size, interpolation=cv2.INTER_CUBIC)
    half = crop.size[0] // 2, crop.size[1] // 2
    chroma = _coarse(crop.chroma, half) + 5 * _inside(half)[..., np.newaxis] * numbers[40:42].clip(-2, 2)
    return YuvImage(
        np.rint(luma.clip(0, 255)).astype(np.uint8), np.rint(chroma.clip(0, 255)).astype(np.uint8)
    )


def _inside(size: tuple[int, int]) -> Floats:
    """1 in the middle of a face, and little at its rim."""
    columns, rows = ((np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1 for side in size)
    return np.exp(-4 * (columns[np.newaxis] ** 2 + rows[:, np.newaxis] ** 2)).astype(np.float32)


def _coarse(plane: np.ndarray, size: tuple[int, int]) -> Floats:
    small = cv2.resize(plane.astype(np.float32), _GRID, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _field(numbers: Floats, size: tuple[int, int]) -> Floats:
    grid = numbers.reshape(5, 5).clip(-2, 2)
    return np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _features(numbers: Floats) -> Floats:
    """Levels by which eyes, brows, nose and mouth are darker, ``(64, 64)``; the face fills three fifths of it."""
    shape = numbers.clip(-2, 2) * 0.02
    apart, eyes, nose, mouth = 0.13 + shape[0] / 2, 0.44 + shape[1], 0.56 + shape[2] / 2, 0.65 + shape[3]
    columns, rows = np.meshgrid(*2 * [(np.arange(_SIDE, dtype=np.float32) + 0.5) / _SIDE])
    shades = np.zeros((_SIDE, _SIDE), np.float32)
    for x, y, wide, high, depth in (
        (0.5 - apart, eyes, 0.045, 0.022, 46.0),
        (0.5 + apart, eyes, 0.045, 0.022, 46.0),
        (0.5 - apart, eyes - 0.07, 0.065, 0.018, 22.0),
        (0.5 + apart, eyes - 0.07, 0.065, 0.018, 22.0),
        (0.5, nose, 0.04, 0.03, 16.0),
        (0.5, mouth, 0.075 + float(shape[4]), 0.022, 34.0),
    ):
        distance = ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2
        shades += np.float32(depth) * np.exp(-distance / 2)
    return shades * np.float32(1 + shape[5] * 4)
