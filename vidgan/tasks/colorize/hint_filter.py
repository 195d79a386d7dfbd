"""A temporal filter that puts color hints into colorized frames and moves them along."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.tasks.colorize.chroma_filter import ChromaFilter, half_chroma, with_half_chroma
from vidgan.tasks.colorize.hints import Hint, spread
from vidgan.tasks.colorize.lab import (
    Lightness,
    enlarged,
    lightness_of_frame,
    shrunk,
    size_of_side,
    ycc_chroma,
)
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate

_WAITING, _FOLLOWED, _GONE = 0.0, 1.0, 2.0
_X, _Y, _STATUS, _LIGHTNESS = range(4)
_SIDE = 192
_ROUNDS = 3
"""Steps in which a place is found that the flow leads back from to where a hint was."""
_TRUSTED = 0.3
"""Confidence of the motion below which a hint stays where it is."""
_UNLIKE = 32.0
"""Difference in lightness, in bytes, from which on a hint is on something else, and waits."""
_ADAPTED = 0.1
"""Share of a frame's lightness in that of what a hint is on."""


class HintFilter:
    """A :class:`vidgan.temporal.filter.TemporalFilter`: colors of hints, then smoothing of chroma.

    A hint that leaves the frame is gone, and with a scene cut all are that began before it. Where something else
    covers its place, it waits.

    Its state: of each hint x and y (0 to 1), whether it waits for its time (0), is followed (1) or gone (2), and the
    lightness of what it is on, ``(n, 4)`` float32; and then that of the smoothing.

    Args:
        hints: to put in.
        size: width and height of the frames.
        start: seconds of the input at which the frames begin.
        smoothing: for what comes out; None for none.

    Raises:
        InputError: a hint is outside of the frames.

    Attributes:
        warnings: of hints that are gone, for the user.
    """

    def __init__(
        self, hints: Sequence[Hint], *, size: tuple[int, int], start: float, smoothing: ChromaFilter | None
    ) -> None:
        self.warnings: list[str] = []
        self._hints = list(hints)
        self._places = [each.place(*size) for each in hints]
        self._start = start
        self._smoothing = smoothing
        self._followed: NDArray[np.float32] | None = None

    @property
    def state(self) -> State | None:
        if self._followed is None:
            return None
        smoothed = None if self._smoothing is None else self._smoothing.state
        return self._followed, *(smoothed or ())

    @state.setter
    def state(self, state: State | None) -> None:
        self._followed = None if state is None else state[0]
        if self._smoothing is not None:
            self._smoothing.state = None if state is None or len(state) == 1 else state[1:]

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        lightness = lightness_of_frame(frame)
        seconds = self._start + frame.pts_seconds
        followed = self._waiting() if self._followed is None else self._followed.copy()
        if motion is not None:
            self._move(followed, motion, seconds)
        small = shrunk(lightness, size_of_side(lightness.shape, _SIDE))
        for row, hint, place in zip(followed, self._hints, self._places, strict=True):
            if row[_STATUS] == _WAITING and (hint.seconds is None or hint.seconds <= seconds + _half(frame)):
                row[:] = *place, _FOLLOWED, _at(small, *place)
        active = [index for index, row in enumerate(followed) if _sees(row, small)]
        self._followed = followed
        if active:
            frame = self._colored(frame, lightness, followed, active)
        return frame if self._smoothing is None else self._smoothing.apply(frame, motion)

    def _waiting(self) -> NDArray[np.float32]:
        return np.zeros((len(self._hints), 4), np.float32)

    def _move(self, followed: NDArray[np.float32], motion: MotionEstimate, seconds: float) -> None:
        """Moves hints from the previous frame to this one, in place."""
        for row, hint in zip(followed, self._hints, strict=True):
            if row[_STATUS] != _FOLLOWED:
                continue
            if motion.scene_cut:
                row[_STATUS] = _GONE
                self.warnings.append(f"hint {hint}: ends with the cut at {seconds:.2f} s")
                continue
            row[:2] = _moved(row[:2], motion)
            if not (0 <= row[_X] <= 1 and 0 <= row[_Y] <= 1):
                row[_STATUS] = _GONE
                self.warnings.append(f"hint {hint}: leaves the frame at {seconds:.2f} s")

    def _colored(
        self, frame: Frame, lightness: Lightness, followed: NDArray[np.float32], active: Sequence[int]
    ) -> Frame:
        before = half_chroma(frame)
        height, width = before.shape[:2]
        places = [(float(followed[each, _X]), float(followed[each, _Y])) for each in active]
        found = spread(lightness, before, places, [self._hints[each].chroma for each in active])
        chroma = enlarged(np.asarray(found.chroma.round(), np.uint8), height, width)
        if isinstance(frame.image, YuvImage):
            chroma = ycc_chroma(shrunk(lightness, (width, height)), chroma)
        share = cv2.resize(found.share, (width, height), interpolation=cv2.INTER_LINEAR)[..., np.newaxis]
        mixed = share * chroma + (1 - share) * before
        return with_half_chroma(frame, np.asarray(mixed.round().clip(0, 255), np.uint8))


def _half(frame: Frame) -> float:
    """Half of the frame's duration in seconds: times in texts are rounded."""
    return float(frame.duration * frame.time_base) / 2


def _moved(place: NDArray[np.float32], motion: MotionEstimate) -> NDArray[np.float32]:
    """A place of the previous frame in the current one, x and y as shares."""
    height, width = motion.static_mask.shape
    size = np.array([width, height], np.float32)
    now = place
    for _ in range(_ROUNDS):
        column, row = (np.clip(now, 0, 1) * (size - 1)).round().astype(int)
        if motion.confidence[row, column] < _TRUSTED:
            return place
        now = place - motion.flow[row, column] / size
    return np.asarray(now, np.float32)


def _sees(row: NDArray[np.float32], lightness: Lightness) -> bool:
    """Whether a hint is followed and on what it was put on; its lightness is adapted, in place."""
    if row[_STATUS] != _FOLLOWED:
        return False
    now = _at(lightness, row[_X], row[_Y])
    if abs(now - row[_LIGHTNESS]) > _UNLIKE:
        return False
    row[_LIGHTNESS] += _ADAPTED * (now - row[_LIGHTNESS])
    return True


def _at(plane: Lightness, x: float, y: float) -> float:
    """Mean of the pixels around a place."""
    height, width = plane.shape
    column, row = min(width - 1, int(x * width)), min(height - 1, int(y * height))
    return float(plane[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].mean())
