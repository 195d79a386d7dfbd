"""Faces replaced by faces of nobody, after Gafni, Wolf and Taigman 2019, "Live Face De-Identification in Video".

A generator is given the surrounding of a face, the shading of its hidden inside, and the lines of its features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.face_alignment import (
    SIDE,
    TEMPLATE,
    Affine,
    after,
    aligned_by_mesh,
    cut_out,
    inverse,
    moved,
    of_chroma,
    similarity,
    to_generator,
)
from vidgan.media.face_guides import FEATURES, MASK, Points, Shape, draw_guides, eye_distance, find_gaze
from vidgan.media.image import Image, Pixels, YuvImage
from vidgan.media.mean_face import mean_shift
from vidgan.media.one_euro import smoothed
from vidgan.media.yuv import Plane
from vidgan.session import Session
from vidgan.session.loading import CODES, GUIDES
from vidgan.tasks.faces.box import Box, Floats
from vidgan.tasks.faces.face_steadying import steadied
from vidgan.tasks.faces.hiding import Change, Place, replaced
from vidgan.tasks.faces.identity import Identities
from vidgan.tasks.faces.landmarks import FaceLandmarks
from vidgan.tasks.faces.tracking import Track

_LEAST_EYES = 14.0
"""Pixels between the outer corners of the eyes."""
_LEAST_SIDE = 40.0
"""Pixels of a frame that a generator's image covers."""
_MOST_TURNED = 3.5
"""Ratio of the distances of the tip of the nose to the two eyes."""
_MOST_OUTSIDE = 0.25
"""Share of the points of a face that may be beyond the frame."""
_NEAR = 0.35
"""Sizes of a box by which the middle of the points may be off."""
_MOST_LAG = 0.05
"""Eye distances by which smoothed points may be behind; a mask reaches further beyond them."""
_EXPRESSION_CUTOFF = 10.0
"""Hz, of how far eyes and mouth are open: syllables come at 3 to 8 Hz."""
_SHIFT_SECONDS = 1.0
"""Over which the difference of a face from the mean face is averaged."""
_RING = 13, 153
"""Levels of the mask at the rim of a face, where frame and generated face are compared."""
_MOST_TINT, _TINT_SHARE = 12.0, 0.15
"""Levels by which a generated face is corrected at most, and the weight of a new frame in the correction."""
_EYE_MIDDLES = (33, 133), (362, 263)
_NOSE = 4


@dataclass(frozen=True)
class Mesh:
    """The points of a face, smoothed.

    Attributes:
        points, speed: ``(468, 2)``, in pixels of the frame.
        gaze, gaze_speed: ``(2, 2)``, see :func:`vidgan.media.face_guides.find_gaze`.
        tint: levels by which the frame is lighter than what was generated, round the face, ``(3,)`` RGB; nan before
            anything was.
        shift: what brings the points to the mean face, in pixels of the aligned image, ``(468, 2)``, see
            :func:`vidgan.media.mean_face.mean_shift`.
        made: what was generated in the frame before, ``(S, S, 3)`` RGB.
        lines: where its features are, ``(468, 2)``, in its pixels; nan where nothing was generated.
    """

    points: Points
    speed: Points
    gaze: Floats
    gaze_speed: Floats
    tint: Floats
    shift: Points
    made: Floats
    lines: Points


@dataclass(frozen=True)
class GeneratedPlace(Place):
    """A place with what a generator made of it.

    Attributes:
        generated: ``(S, S, 3)`` uint8 RGB.
        placed: from the frame to its pixels.
    """

    generated: Pixels
    placed: Affine


class FaceGenerator:
    """Replaces faces.

    Args:
        session: a model of the task ``deidentify``.
        identities: who each track becomes.
        rate: frames per second.
        shape: strength of the change of geometry, see :class:`vidgan.media.face_guides.Shape`.

    Attributes:
        meshes: of the faces of the last frame, by number of their tracks.
    """

    def __init__(
        self, session: Session, side: int, identities: Identities, rate: float, shape: float
    ) -> None:
        self.meshes: dict[int, Mesh] = {}
        self._session, self._side, self._identities = session, side, identities
        self._rate, self._shape = rate, shape
        self._landmarks = FaceLandmarks()

    def replace_faces(self, image: Image, tracks: Sequence[Track]) -> tuple[Image, list[Track]]:
        """The image with other faces, and the tracks whose faces could not be replaced and are in it still."""
        meshes = {track.number: self._followed(image, track) for track in tracks}
        self.meshes = {number: mesh for number, mesh in meshes.items() if mesh is not None}
        able = {
            number: mesh for number, mesh in self.meshes.items() if is_replaceable(mesh.points, image.size)
        }
        for number in self.meshes.keys() - able.keys():
            mesh = self.meshes[number]
            self.meshes[number] = replace(mesh, lines=np.full_like(mesh.lines, np.nan))
        places = self._generated(image, able)
        unable = [track for track in tracks if track.number not in places]
        return replaced(image, list(places.values()), _of_pixels, _of_chroma(image)), unable

    def _followed(self, image: Image, track: Track) -> Mesh | None:
        """The points of a track's face in this frame; None where they are not found."""
        before = self.meshes.get(track.number)
        starts = [] if before is None else [aligned_by_mesh(before.points)]
        if track.face is not None:
            starts.append(similarity(track.face.points, TEMPLATE))
        for placed in starts:
            points, score = self._landmarks.find(cut_out(image, placed, SIDE))
            points = moved(points, inverse(placed))
            if score > 0 and _is_in(points, track.box if track.face is None else track.face.box):
                return self._smoothed(image, points, before)
        return None

    def _smoothed(self, image: Image, points: Points, before: Mesh | None) -> Mesh:
        speed = np.zeros_like(points)
        if before is not None:
            points, speed = smoothed_points(points, before.points, before.speed, self._rate)
        placed = aligned_by_mesh(points)
        aligned = moved(points, placed)
        shift = mean_shift(aligned)
        gaze = find_gaze(cut_out(image, placed, SIDE), aligned)
        if before is None:
            return self._begun(points, shift, gaze)
        # What is left of the shift's changes are expressions, which a face is to keep.
        shift = before.shift + (shift - before.shift) / np.float32(1 + _SHIFT_SECONDS * self._rate)
        eyes = [
            (look, np.zeros_like(look))
            if np.isnan(look).any() or np.isnan(past).any()
            else smoothed(look, past, speeds, rate=self._rate, unit=1.0)
            for look, past, speeds in zip(gaze, before.gaze, before.gaze_speed, strict=True)
        ]
        gaze, gaze_speed = (np.stack(each) for each in zip(*eyes, strict=True))
        return replace(before, points=points, speed=speed, shift=shift, gaze=gaze, gaze_speed=gaze_speed)

    def _begun(self, points: Points, shift: Points, gaze: Floats) -> Mesh:
        """The mesh of a face that was not seen before."""
        still, nowhere = np.zeros_like(points), np.full_like(points, np.nan)
        made = np.zeros((self._side, self._side, 3), np.float32)
        tint = np.full(3, np.nan, np.float32)
        return Mesh(points, still, gaze, np.zeros_like(gaze), tint, shift, made, nowhere)

    def _generated(self, image: Image, meshes: dict[int, Mesh]) -> dict[int, GeneratedPlace]:
        if not meshes:
            return {}
        codes = np.stack([self._identities.of(number) for number in meshes])
        placed = [after(aligned_by_mesh(each.points), to_generator(self._side)) for each in meshes.values()]
        faces = np.stack([cut_out(image, each, self._side) for each in placed])
        lines = [self._lines(mesh, code) for mesh, code in zip(meshes.values(), codes, strict=True)]
        guides = np.stack(
            [
                draw_guides(drawn, np.concatenate([drawn, moved(mesh.points, each)]), mesh.gaze, self._side)
                for mesh, drawn, each in zip(meshes.values(), lines, placed, strict=True)
            ]
        )
        generated, _ = self._session.run_conditioned(faces, {GUIDES: guides, CODES: codes})
        places = {}
        for number, face, made, drawn, guide, each in zip(
            meshes, faces, generated, lines, guides, placed, strict=True
        ):
            steady = self._steadied(number, made, drawn)
            tinted = self._tinted(number, face, steady, guide[..., MASK])
            place = _place(tinted, guide[..., MASK], each, image.size)
            if place is not None:
                places[number] = place
        return places

    def _tinted(self, number: int, face: Pixels, generated: Pixels, mask: NDArray[np.uint8]) -> Pixels:
        """The generated face in the light of the frame round it."""
        ring = (mask > _RING[0]) & (mask < _RING[1])
        if not ring.any():
            return generated
        mesh = self.meshes[number]
        tint = (face[ring].astype(np.float32) - generated[ring]).mean(0).clip(-_MOST_TINT, _MOST_TINT)
        if not np.isnan(mesh.tint).any():
            tint = mesh.tint + np.float32(_TINT_SHARE) * (tint - mesh.tint)
        self.meshes[number] = replace(mesh, tint=tint.astype(np.float32))
        inside = cv2.GaussianBlur(mask, (0, 0), self._side / 16).astype(np.float32) / 255
        share = np.clip(2 * (1 - inside), 0, 1)[..., np.newaxis]
        return np.asarray(np.rint(generated + share * tint).clip(0, 255), np.uint8)

    def _steadied(self, number: int, made: Pixels, lines: Points) -> Pixels:
        mesh = self.meshes[number]
        if not np.isnan(mesh.lines).any():
            made = steadied(made, mesh.made.astype(np.uint8), lines, mesh.lines)
        self.meshes[number] = replace(mesh, made=made.astype(np.float32), lines=lines)
        return made

    def _lines(self, mesh: Mesh, code: Floats) -> Points:
        """Where the features of the new face are, in the generator's pixels."""
        points = moved(mesh.points, aligned_by_mesh(mesh.points))
        lines = Shape.of(code, self._shape).applied(points + mesh.shift)
        return moved(lines, to_generator(self._side))


def smoothed_points(measured: Points, before: Points, speed: Points, rate: float) -> tuple[Points, Points]:
    """The points of a face in the next frame, and their speeds.

    The face is smoothed as one. Eyes and lips go with it, but are open as measured: in a head that stands still, a
    mouth speaks.

    Args:
        measured: ``(468, 2)``.
        before, speed: of the frame before.
        rate: frames per second.
    """
    unit = eye_distance(measured)
    points, speeds = smoothed(measured, before, speed, rate=rate, unit=unit)
    for feature in FEATURES:
        shape, past, changes = (each[feature] - each[feature].mean(0) for each in (measured, before, speed))
        shape, changes = smoothed(shape, past, changes, rate=rate, unit=unit, cutoff=_EXPRESSION_CUTOFF)
        points[feature] = points[feature].mean(0) + shape
        speeds[feature] = speeds[feature].mean(0) + changes
    return _not_far(points, measured, _MOST_LAG * unit), speeds


def _not_far(points: Points, measured: Points, most: float) -> Points:
    """Smoothed points, brought nearer to the measured ones where they are further away on average."""
    lag = measured - points
    mean = float(np.linalg.norm(lag, axis=1).mean())
    return points if mean <= most else np.asarray(measured - lag * np.float32(most / mean), np.float32)


def is_replaceable(points: Points, size: tuple[int, int]) -> bool:
    """Whether a face is large enough, turned little enough, and in the frame, so that a generator can replace it.

    Args:
        points: ``(468, 2)``, in pixels of the frame.
        size: of the frame.
    """
    if eye_distance(points) < _LEAST_EYES:
        return False
    placed = aligned_by_mesh(points)
    if to_generator(1)[0, 0] * float(np.linalg.norm(placed[:, 0])) * _LEAST_SIDE > 1:
        return False
    left, right = (float(np.linalg.norm(points[list(each)].mean(0) - points[_NOSE])) for each in _EYE_MIDDLES)
    if not 1 / _MOST_TURNED < left / max(right, 1e-3) < _MOST_TURNED:
        return False
    outside = (points < 0).any(1) | (points > np.array(size) - 1).any(1)
    return float(outside.mean()) <= _MOST_OUTSIDE


def _is_in(points: Points, box: Box) -> bool:
    """Whether points are where the face was found, and as large."""
    low, high = points.min(0), points.max(0)
    off = np.abs((low + high) / 2 - box[:2]) / np.maximum(box[2:], 1)
    ratio = (high - low) / np.maximum(box[2:], 1)
    return bool((off < _NEAR).all() and (ratio > 0.5).all() and (ratio < 2).all())


def _place(
    generated: Pixels, mask: NDArray[np.uint8], placed: Affine, size: tuple[int, int]
) -> GeneratedPlace | None:
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    corners = np.array(
        [(x, y) for x in (columns[0] - 1, columns[-1] + 1) for y in (rows[0] - 1, rows[-1] + 1)], np.float32
    )
    there = moved(corners, inverse(placed))
    left, top = (max(0, int(each) // 2 * 2) for each in np.floor(there.min(0)))
    right, bottom = (min(side, int(each) + 1) for each, side in zip(np.ceil(there.max(0)), size, strict=True))
    if right <= left or bottom <= top:
        return None
    place = GeneratedPlace(
        left, top, right, bottom, np.zeros((1, 1), np.float32), (float(right - left), float(bottom - top)),
        generated, placed,
    )  # fmt: skip
    shown = _back(mask, placed, place.left, place.top, (right - left, bottom - top))
    share = shown.astype(np.float32) / np.float32(255)
    return GeneratedPlace(left, top, right, bottom, share, place.length, generated, placed)


def _back(plane: Plane, placed: Affine, left: int, top: int, size: tuple[int, int]) -> Plane:
    """A generator's plane in the pixels of a part of the frame."""
    shift = np.array([[1, 0, left], [0, 1, top]], np.float32)
    enlarged = float(np.linalg.norm(placed[:, 0])) < 1 and plane.ndim == 3
    flags = (cv2.INTER_CUBIC if enlarged else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE if plane.ndim == 3 else cv2.BORDER_CONSTANT
    warped = cv2.warpAffine(plane, after(shift, placed), size, flags=flags, borderMode=border)
    return np.asarray(warped, np.uint8)


def _of_pixels(plane: Plane, place: Place) -> Plane:
    assert isinstance(place, GeneratedPlace)
    height, width = plane.shape[:2]
    if plane.ndim == 3:
        return _back(place.generated, place.placed, place.left, place.top, (width, height))
    ycrcb = np.asarray(cv2.cvtColor(place.generated, cv2.COLOR_RGB2YCrCb), np.uint8)
    return _back(ycrcb, place.placed, place.left, place.top, (width, height))[..., 0]


def _of_chroma(image: Image) -> Change:
    def change(plane: Plane, place: Place) -> Plane:
        assert isinstance(place, GeneratedPlace) and isinstance(image, YuvImage)
        height, width = plane.shape[:2]
        ycrcb = np.asarray(cv2.cvtColor(place.generated, cv2.COLOR_RGB2YCrCb), np.uint8)
        placed = of_chroma(place.placed, image)
        return _back(ycrcb, placed, place.left // 2, place.top // 2, (width, height))[..., 1:]

    return change
