"""Animated WebP, which FFmpeg does not decode, as a video."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError
from vidgan.media.ffmpeg import reading
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.geometry import target_size
from vidgan.media.image import RgbImage
from vidgan.media.timeline import Timeline
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources.animation import loop_count_of
from vidgan.sources.header import size_of
from vidgan.sources.limits import check_frame_size, check_video_size
from vidgan.sources.stderr_capture import stderr_captured

_MILLISECOND = Fraction(1, 1000)
_CHUNK_BYTES = 128 << 20
_UNSAID_MS = 100
"""Browsers show a frame whose duration is 0 for so long."""


class _Shown(NamedTuple):
    """BGR or BGRA, and when it is shown."""

    pixels: NDArray[np.uint8]
    start_ms: int
    duration_ms: int


class AnimatedImageSource:
    """The composed frames of an animated WebP, decoded by OpenCV.

    Args:
        path: the file.
        size: size of the frames, see :func:`vidgan.media.geometry.target_size`.
        trim: the part that is wanted.

    Raises:
        InputError: nothing of it can be decoded, or it is too large.
    """

    def __init__(self, path: Path, *, size: str | None = None, trim: Trim = WHOLE) -> None:
        self.warnings: list[str] = []
        self.timeline = Timeline(origin=trim.start)
        self._path, self._trim = path, trim
        with reading(path):
            self._encoded = np.fromfile(path, np.uint8)
        declared = size_of(self._encoded.tobytes())
        if declared is None:
            raise InputError(f"{path}: not a WebP, or damaged or cut off")
        check_video_size(path, *declared)
        self._chunk = max(1, _CHUNK_BYTES // (4 * declared[0] * declared[1]))
        first = next(self._wanted(), None)
        if first is None:
            raise InputError(f"{path}: has no frame {trim}")
        width, height = target_size(*declared, size)
        check_frame_size(path, width, height)
        count, milliseconds = self._measure()
        self.info = VideoInfo(
            width=width,
            height=height,
            time_base=_MILLISECOND,
            frame_rate=Fraction(1000 * count, milliseconds),
            frame_count=count,
            alpha=self._has_alpha,
            loop_count=loop_count_of(path),
        )
        self._shown = self._wanted()

    def __iter__(self) -> Iterator[Frame]:
        yield from map(self._frame, self._shown)

    def skip(self, count: int) -> Frame | None:
        last = deque(islice(self._shown, count), maxlen=1)
        return self._frame(last[0]) if last else None

    def times(self) -> Iterator[int]:
        yield from (shown.start_ms - self._shift for shown in self._shown)

    def seconds_at(self, pts: int) -> Fraction | None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def _shift(self) -> int:
        return round(self._trim.start / _MILLISECOND)

    def _measure(self) -> tuple[int, int]:
        """Number of frames and their duration; also finds out whether any is transparent."""
        self._has_alpha, count, milliseconds = False, 0, 0
        for shown in self._wanted():
            count += 1
            milliseconds += shown.duration_ms
            self._has_alpha |= shown.pixels.shape[2] == 4 and bool((shown.pixels[..., 3] < 255).any())
        return count, milliseconds

    def _wanted(self) -> Iterator[_Shown]:
        frames = (
            shown
            for shown in self._decoded()
            if self._trim.start <= shown.start_ms * _MILLISECOND
            and (self._trim.end is None or shown.start_ms * _MILLISECOND < self._trim.end)
        )
        return islice(frames, self._trim.frames)

    def _decoded(self) -> Iterator[_Shown]:
        start_ms = number = 0
        while True:
            with stderr_captured():
                decoded, animation = cv2.imdecodeanimation(self._encoded, start=number, count=self._chunk)
            if not decoded and not number:
                raise InputError(f"{self._path}: nothing of it can be decoded, or it is damaged or cut off")
            frames = animation.frames if decoded else []
            for pixels, duration in zip(frames, np.ravel(animation.durations), strict=False):
                duration_ms = int(duration) or _UNSAID_MS
                yield _Shown(np.asarray(pixels, np.uint8), start_ms, duration_ms)
                start_ms += duration_ms
            number += len(frames)
            if len(frames) < self._chunk:
                return

    def _frame(self, shown: _Shown) -> Frame:
        pixels, size = shown.pixels, (self.info.width, self.info.height)
        if pixels.shape[1::-1] != size:
            how = cv2.INTER_AREA if size[1] < pixels.shape[0] else cv2.INTER_CUBIC
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)
        return Frame(
            image=RgbImage(np.ascontiguousarray(pixels[..., 2::-1])),
            pts=shown.start_ms - self._shift,
            time_base=_MILLISECOND,
            duration=shown.duration_ms,
            alpha=np.ascontiguousarray(pixels[..., 3]) if self.info.alpha else None,
        )
