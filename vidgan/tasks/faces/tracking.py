"""Follows faces from frame to frame, so that none slips out for a frame.

A face that is not found in some frames stays where it was, moved along the motion of the video, as long as it
may come back. What a tracker running backwards through the next frames has found is where it comes back, or
where it first comes into sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.one_euro import smoothed
from vidgan.tasks.faces.box import Box, Floats, likeness, matches, union
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FoundFace
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate

EXTENSION = 5
"""Frames by which a track begins before its face is found, and ends after."""
BRIDGED_SECONDS = 1.0
"""Longest gap in which a face is lost and found again."""

BRIDGED_CUT_SECONDS = 0.4
"""Longest stretch between two cuts over which a face is bridged, such as a flash of light, or a light that goes out."""

_LEAST_LIKENESS = 0.15
_LIKENESS_AFTER_CUTS = 0.3
_GROWTH, _MOST_GROWTH = 0.05, 1.4
"""Growth of a place for each frame in which its face is lost, and the largest."""


@dataclass(frozen=True)
class ComingFace:
    """A face that is found in a later frame.

    Attributes:
        box: where it is likely to be now.
        frames: until it is found.
        cuts: between this frame and that one.
    """

    box: Box
    frames: int
    cuts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchedFrame(Frame):
    """A frame in which faces were looked for.

    Attributes:
        found: the faces in it.
        coming: those of later frames.
    """

    found: tuple[FoundFace, ...] = ()
    coming: tuple[ComingFace, ...] = ()


@dataclass(frozen=True)
class Track:
    """A face that is followed.

    Attributes:
        number: 1 for the first one of a video.
        box, speed: smoothed, see :func:`vidgan.media.one_euro.smoothed`.
        lost: frames since it was found; 0 where it is in this one.
        face: what was found in this frame; None where nothing was.
        over_cut: whether it goes on over a cut, until another one.
    """

    number: int
    box: Box
    speed: Floats
    lost: int
    face: FoundFace | None = None
    over_cut: bool = False


class Tracker:
    """Follows the faces of a video.

    Args:
        rate: frames per second.
        looks_ahead: later frames say where a lost face comes back. Without that, any may come back within a
            second.

    Attributes:
        tracks: of the last frame.
        next_number: of the next track.
    """

    def __init__(self, rate: float, *, looks_ahead: bool) -> None:
        self.tracks: tuple[Track, ...] = ()
        self.next_number = 1
        self._rate, self._looks_ahead = rate, looks_ahead
        self._bridged = max(EXTENSION, round(rate * BRIDGED_SECONDS))
        self._bridged_cut = max(EXTENSION, round(rate * BRIDGED_CUT_SECONDS))
        self._held = EXTENSION if looks_ahead else self._bridged

    def update(self, frame: SearchedFrame, motion: MotionEstimate | None) -> tuple[Track, ...]:
        """The faces of the next frame, none of which may be shown.

        Args:
            motion: to the frame before, see :class:`vidgan.temporal.filter.TemporalFilter`.
        """
        scene_cut = motion is not None and motion.scene_cut
        places = [each.box if scene_cut else _carried(each.box, motion, frame.size) for each in self.tracks]
        before = [replace(each, box=place) for each, place in zip(self.tracks, places, strict=True)]
        known = self._after_a_cut(before, frame.coming) if scene_cut else before
        least = _LIKENESS_AFTER_CUTS if scene_cut else _LEAST_LIKENESS
        pairs, missing, new = matches([each.box for each in known], [each.box for each in frame.found], least)
        tracks = [self._followed(known[i], frame.found[j]) for i, j in pairs]
        tracks += [self._begun(frame.found[j]) for j in new if frame.found[j].score >= CERTAIN_SCORE]
        tracks += self._expected([known[i] for i in missing], frame.coming, tracks)
        self.tracks = tuple(sorted(tracks, key=lambda track: track.number))
        return self.tracks

    def restore(self, tracks: tuple[Track, ...], next_number: int) -> None:
        """Continues from such tracks."""
        self.tracks, self.next_number = tracks, next_number

    def _after_a_cut(self, tracks: Sequence[Track], coming: Sequence[ComingFace]) -> list[Track]:
        """The tracks that go on over a cut: those whose faces come back in their places after another one.

        Without look-ahead nobody knows, and all go on for as long as they are held.
        """
        if not self._looks_ahead:
            return [*tracks]
        return [
            replace(each, over_cut=not each.over_cut)
            for each in tracks
            if each.over_cut or self._comes_back(each, coming)
        ]

    def _comes_back(self, track: Track, coming: Sequence[ComingFace]) -> bool:
        return any(
            each.cuts == 1
            and track.lost + each.frames < self._bridged_cut
            and likeness(track.box, each.box) >= _LIKENESS_AFTER_CUTS
            for each in coming
        )

    def _followed(self, track: Track, face: FoundFace) -> Track:
        unit = float(face.box[2:].mean())
        box, speed = smoothed(face.box, track.box, track.speed, rate=self._rate, unit=unit)
        return Track(track.number, box, speed, 0, face, track.over_cut)

    def _begun(self, face: FoundFace) -> Track:
        return Track(self._number(), face.box, np.zeros(4, np.float32), 0, face)

    def _expected(
        self, missing: Sequence[Track], coming: Sequence[ComingFace], others: Sequence[Track]
    ) -> list[Track]:
        """Tracks whose face is not found, and faces that are found soon."""
        over_cut = [each for each in missing if each.over_cut and self._comes_back(each, coming)]
        tracks = [replace(each, lost=each.lost + 1, face=None) for each in over_cut]
        missing = [each for each in missing if not each.over_cut]
        # What comes back to a track that is there is that track.
        known, coming = [each.box for each in others], [each for each in coming if not each.cuts]
        _, _, unknown = matches(known, [each.box for each in coming], _LEAST_LIKENESS)
        coming = [coming[j] for j in unknown]
        pairs, gone, new = matches([each.box for each in missing], [each.box for each in coming], 0.05)
        for i, j in pairs:
            track, face = missing[i], coming[j]
            if track.lost + face.frames <= self._bridged:
                box = track.box + (face.box - track.box) / np.float32(face.frames + 1)
                tracks.append(replace(track, box=box.astype(np.float32), lost=track.lost + 1, face=None))
            else:
                gone, new = [*gone, i], [*new, j]
        held = (missing[i] for i in gone)
        tracks += [replace(each, lost=each.lost + 1, face=None) for each in held if each.lost < self._held]
        soon = (coming[j] for j in new)
        tracks += [
            Track(self._number(), each.box, np.zeros(4, np.float32), 1)
            for each in soon
            if each.frames <= EXTENSION
        ]
        return tracks

    def _number(self) -> int:
        self.next_number += 1
        return self.next_number - 1


def area_of(track: Track) -> Box:
    """The box that has to be hidden; it grows while the face is lost."""
    box = track.box if track.face is None else union(track.box, track.face.box)
    growth = np.float32(min(1 + _GROWTH * track.lost, _MOST_GROWTH))
    return np.concatenate([box[:2], box[2:] * growth]).astype(np.float32)


class ComingFaces:
    """Follows faces backwards: a temporal filter for :class:`vidgan.temporal.look_ahead.LookAhead`.

    Frames keep their pixels and get to know what comes.
    """

    def __init__(self) -> None:
        self.state: State | None = None
        self._faces: tuple[ComingFace, ...] = ()

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        assert isinstance(frame, SearchedFrame)
        scene_cut = motion is not None and motion.scene_cut
        faces = [
            _moved(each, scene_cut, motion, frame.size) for each in self._faces if each.cuts + scene_cut <= 1
        ]
        near = [each for each in faces if not each.cuts]
        _, missing, _ = matches(
            [each.box for each in near], [each.box for each in frame.found], _LEAST_LIKENESS
        )
        coming = (*(near[i] for i in missing), *(each for each in faces if each.cuts))
        here = (ComingFace(each.box, 0) for each in frame.found if each.score >= CERTAIN_SCORE)
        self._faces = (*here, *coming)
        return replace(frame, coming=coming)


def _moved(
    face: ComingFace, scene_cut: bool, motion: MotionEstimate | None, size: tuple[int, int]
) -> ComingFace:
    """A coming face of the next frame in this one; over a cut it stays in its place."""
    stays = scene_cut or face.cuts
    return ComingFace(
        face.box if stays else _carried(face.box, motion, size), face.frames + 1, face.cuts + scene_cut
    )


def _carried(box: Box, motion: MotionEstimate | None, size: tuple[int, int]) -> Box:
    """A box of the frame before, moved as most of what is in it moves."""
    if motion is None:
        return box
    rows, columns = motion.flow.shape[:2]
    scale = np.array([columns / size[0], rows / size[1]], np.float32)
    low = np.floor((box[:2] - box[2:] / 2) * scale).astype(int)
    high = np.ceil((box[:2] + box[2:] / 2) * scale).astype(int)
    low = np.clip(low, 0, (columns - 1, rows - 1))
    high = np.maximum(np.clip(high, 0, (columns, rows)), low + 1)
    flow = motion.flow[low[1] : high[1], low[0] : high[0]].reshape(-1, 2)
    shift = -np.median(flow, axis=0) / scale
    return np.concatenate([box[:2] + shift, box[2:]]).astype(np.float32)
