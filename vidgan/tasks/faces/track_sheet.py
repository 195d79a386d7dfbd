"""A sheet of tracks: a row for each face that was followed, over time, before and after."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.image import Pixels
from vidgan.tasks.even_sample import EvenSample
from vidgan.tasks.faces.box import Box
from vidgan.tasks.faces.tracking import Track, area_of

_COLUMNS = 8
_SIDE = 96
"""Side of a thumbnail, in pixels."""
_GAP = 4
_CAPTION = 22
_AROUND = 1.5
"""Side of what a thumbnail shows, over the longer side of the area that is hidden."""
_MOST_ROWS = 40
_KEPT = 2 * _COLUMNS


@dataclass
class _Row:
    """A track so far.

    Attributes:
        thumbnails: of frames at equal distances, counted from the first.
        first, last: numbers of frames.
        times: seconds of these two.
        lost: frames in which the face was not found.
        hidden: frames in which a generator could not replace it.
    """

    first: int
    last: int
    times: tuple[float, float]
    lost: int = 0
    hidden: int = 0
    thumbnails: EvenSample[Pixels] = field(default_factory=lambda: EvenSample(_KEPT))

    def caption(self, number: int) -> str:
        frames = f"frames {self.first}-{self.last}" if self.last > self.first else f"frame {self.first}"
        words = [f"{number}: {frames}, {self.times[0]:.2f}-{self.times[1]:.2f} s"]
        if self.lost:
            words.append(f"not found in {self.lost}, hidden all the same")
        if self.hidden:
            words.append(f"not replaced but pixelated in {self.hidden}")
        return "; ".join(words)


class TrackSheet:
    """Collects the faces of frames in order, and draws them.

    Memory is bounded by the number of tracks: of a long one, thumbnails are kept further and further apart.
    """

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self._frames = 0

    def add(self, before: Frame, after: Frame, tracks: Sequence[Track], hidden: Collection[int]) -> None:
        """Adds the tracks of the next frame.

        Args:
            hidden: numbers of those whose faces a generator should have replaced, and could not.
        """
        seconds = before.pts_seconds
        for track in tracks:
            row = self._rows.setdefault(track.number, _Row(self._frames, self._frames, (seconds, seconds)))
            row.last, row.times = self._frames, (row.times[0], seconds)
            row.lost += track.face is None
            row.hidden += track.number in hidden
            row.thumbnails.offer(self._frames - row.first, partial(_pair, before, after, area_of(track)))
        self._frames += 1

    @property
    def summary(self) -> str:
        """A few words on what is in the sheet."""
        frames = "1 frame" if self._frames == 1 else f"{self._frames} frames"
        if not self._rows:
            return f"no face was found in {frames}"
        count = len(self._rows)
        tracks = "1 track of a face" if count == 1 else f"{count} tracks of faces"
        return f"{tracks} in {frames}" + (f", the first {_MOST_ROWS} drawn" if count > _MOST_ROWS else "")

    def draw(self) -> Pixels | None:
        """The sheet, RGB ``(H, W, 3)`` uint8; None where there was no face."""
        rows = list(self._rows.items())[:_MOST_ROWS]
        return np.concatenate([_drawn(row, number) for number, row in rows]) if rows else None


def _drawn(row: _Row, number: int) -> Pixels:
    """A caption, and below it the thumbnails at equal distances."""
    width = _COLUMNS * (_SIDE + _GAP) - _GAP
    drawn = np.full((_CAPTION + 2 * _SIDE + _GAP, width, 3), 255, np.uint8)
    cv2.putText(
        drawn, row.caption(number), (2, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA
    )
    for column, pair in enumerate(row.thumbnails.spread(_COLUMNS)):
        left = column * (_SIDE + _GAP)
        drawn[_CAPTION : _CAPTION + 2 * _SIDE, left : left + _SIDE] = pair
    return drawn


def _pair(before: Frame, after: Frame, area: Box) -> Pixels:
    """The face before and, below it, after."""
    return np.concatenate([_thumbnail(each.pixels, area) for each in (before, after)])


def _thumbnail(pixels: Pixels, area: Box) -> Pixels:
    """The square round a face; what is beyond the frame is white."""
    side = max(2, round(_AROUND * float(area[2:].max())))
    left, top = (round(float(each) - side / 2) for each in area[:2])
    part = pixels[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    patch = np.full((side, side, 3), 255, np.uint8)
    row, column = max(0, -top), max(0, -left)
    patch[row : row + part.shape[0], column : column + part.shape[1]] = part
    how = cv2.INTER_AREA if side > _SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(patch, (_SIDE, _SIDE), interpolation=how), np.uint8)
