"""The two halves of de-identification: faces are searched in frames apart, followed and hidden in order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from vidgan.media.frame import Frame
from vidgan.tasks.faces.box import Box, Floats
from vidgan.tasks.faces.face_generator import FaceGenerator, Mesh
from vidgan.tasks.faces.finder import FaceFinder, FoundFace
from vidgan.tasks.faces.hiding import Place, Way, ellipse, hide
from vidgan.tasks.faces.track_sheet import TrackSheet
from vidgan.tasks.faces.tracking import SearchedFrame, Track, Tracker, area_of
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate

Region = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""

_MOST_TIMES = 8
"""Stretches of time that a warning names."""
_GAP_SECONDS = 0.5
"""Between two times of one stretch."""


class FaceSearch:
    """An effect that keeps frames as they are, and finds the faces in them.

    Args:
        finder: may be called from several threads.
        only: faces whose middle is in one of these regions are found; anywhere, if there are none.
        but: faces whose middle is in one of these are not.
    """

    def __init__(self, finder: FaceFinder, only: Sequence[Region] = (), but: Sequence[Region] = ()) -> None:
        self._finder, self._only, self._but = finder, only, but

    def apply(self, frame: Frame) -> SearchedFrame:
        found = tuple(face for face in self._finder.find(frame.image) if self._is_wanted(face))
        return SearchedFrame(**{each.name: getattr(frame, each.name) for each in fields(Frame)}, found=found)

    def _is_wanted(self, face: FoundFace) -> bool:
        wanted = not self._only or any(_contains(each, face.box) for each in self._only)
        return wanted and not any(_contains(each, face.box) for each in self._but)


def _contains(region: Region, box: Box) -> bool:
    left, top, width, height = region
    return bool(left <= box[0] < left + width and top <= box[1] < top + height)


@dataclass(frozen=True)
class Replacement:
    """The generator of faces of nobody, not yet opened.

    Attributes:
        open: makes a generator of a secret.
        secret: 32 bytes that decide who everybody becomes, unless a saved state has others.
    """

    open: Callable[[bytes], FaceGenerator]
    secret: bytes


class Deidentifier:
    """A temporal filter that follows faces and leaves none as it is.

    Its state: the next track's number and the secret, the tracks, the points of their faces, and when faces could not
    be replaced. A secret that was drawn for this run alone is in the journal until the run is complete, and nowhere
    afterwards.

    Args:
        tracker: follows the faces.
        way: how faces are hidden; with a replacement, those that cannot be replaced.
        replacement: None to hide all faces.

    Attributes:
        sheet: gets the faces of each frame, for a preview; None where nobody wants one.
    """

    def __init__(self, tracker: Tracker, way: Way, replacement: Replacement | None = None) -> None:
        self.sheet: TrackSheet | None = None
        self._tracker, self._way, self._replacement = tracker, way, replacement
        self._secret = replacement.secret if replacement is not None else b""
        self._generator = None if replacement is None else replacement.open(self._secret)
        self._hidden = Stretches()

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        assert isinstance(frame, SearchedFrame)
        followed = self._tracker.update(frame, motion)
        tracks: Sequence[Track] = followed
        image = frame.image
        if self._generator is not None:
            image, tracks = self._generator.replace_faces(image, tracks)
            if tracks:
                self._hidden.add(frame.pts_seconds)
        places = [ellipse(area_of(each), frame.size) for each in tracks]
        there: list[Place] = [each for each in places if each is not None]
        output = Frame(
            image=hide(image, there, self._way),
            pts=frame.pts,
            time_base=frame.time_base,
            duration=frame.duration,
            alpha=frame.alpha,
        )
        if self.sheet is not None:
            unable = set() if self._generator is None else {track.number for track in tracks}
            self.sheet.add(frame, output, followed, unable)
        return output

    def begin_sheet(self) -> TrackSheet:
        """The sheet that the faces of the coming frames get into."""
        self.sheet = TrackSheet()
        return self.sheet

    @property
    def tracks(self) -> Sequence[Track]:
        """The faces that are hidden in the last frame."""
        return self._tracker.tracks

    @property
    def state(self) -> State | None:
        tracks = self._tracker.tracks
        meshes = {} if self._generator is None else self._generator.meshes
        return (
            np.array([self._tracker.next_number, *self._secret], np.float32),
            np.array(
                [[each.number, each.lost, each.over_cut, *each.box, *each.speed] for each in tracks],
                np.float32,
            ),
            np.array([*meshes], np.float32),
            *(
                np.array([getattr(each, field.name) for each in meshes.values()], np.float32)
                for field in fields(Mesh)
            ),
            self._hidden.array,
        )

    @state.setter
    def state(self, state: State | None) -> None:
        if state is None:
            self._tracker.restore((), 1)
            self._hidden = Stretches()
            return
        (number, *secret), tracks, numbers, *meshes, hidden = state
        self._hidden = Stretches(hidden)
        self._tracker.restore(
            tuple(
                Track(int(row[0]), row[3:7], row[7:11], int(row[1]), over_cut=bool(row[2])) for row in tracks
            ),
            int(number),
        )
        if self._replacement is not None:
            self._secret = bytes(int(each) for each in secret)
            self._generator = self._replacement.open(self._secret)
            known = [Mesh(*rows) for rows in zip(*meshes, strict=True)]
            self._generator.meshes = {int(each): mesh for each, mesh in zip(numbers, known, strict=True)}

    def resize(self, scale: Floats) -> None:
        """Goes on with frames whose sides are so many times as long, ``(2,)`` float32."""
        four = np.concatenate([scale, scale])
        tracks = (
            replace(each, box=each.box * four, speed=each.speed * four) for each in self._tracker.tracks
        )
        self._tracker.restore(tuple(tracks), self._tracker.next_number)
        if self._generator is not None:
            self._generator.meshes = {}

    def warnings(self) -> list[str]:
        """Remarks on faces that could not be replaced."""
        if not self._hidden.count:
            return []
        frames = "1 frame" if self._hidden.count == 1 else f"{self._hidden.count} frames"
        return [
            f"in {frames} a face could not be replaced (too small, turned away, or lost for a moment) and was "
            f"pixelated, at {self._hidden}"
        ]


class Stretches:
    """Times in seconds, those that are near each other as one stretch.

    Args:
        array: of others, to go on with them.

    Attributes:
        count: of the times.
    """

    def __init__(self, array: Floats | None = None) -> None:
        (count, _), *bounds = [[0.0, 0.0]] if array is None else array.tolist()
        self.count = int(count)
        self._bounds: list[list[float]] = bounds

    def add(self, time: float) -> None:
        """Adds a time after all others."""
        self.count += 1
        if self._bounds and time - self._bounds[-1][1] <= _GAP_SECONDS:
            self._bounds[-1][1] = time
        else:
            self._bounds.append([time, time])

    @property
    def array(self) -> Floats:
        """All of it, ``(1 + N, 2)`` float32."""
        return np.array([[self.count, 0], *self._bounds], np.float32)

    def __str__(self) -> str:
        words = [f"{a:.2f} s" if a == b else f"{a:.2f}–{b:.2f} s" for a, b in self._bounds[:_MOST_TIMES]]
        more = len(self._bounds) - len(words)
        return ", ".join(words) + (f" and {more} more stretches" if more > 0 else "")


def stretches(times: Sequence[float]) -> str:
    """Times in seconds as words: those that are near each other as one stretch."""
    found = Stretches()
    for time in sorted(times):
        found.add(time)
    return str(found)
