"""A video file, decoded by FFmpeg through PyAV."""

from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidgan.errors import InputError
from vidgan.frame import Color, Frame, Pixels, VideoInfo
from vidgan.geometry import target_size
from vidgan.media import FULL_RANGE, INTERPOLATION, matrix_of, range_of, reading
from vidgan.trim import WHOLE, Trim

# Formats that are lists of other files or addresses: opening one would open what it names.
_PLAYLISTS = {"hls", "dash", "concat", "imf", "sdp", "rtsp", "tedcaptions"}
_ATTACHED_PICTURE = "attached_pic"
_MISSING_SECONDS = 1.0


class VideoSource:
    """The frames of a file's main video stream, upright, as RGB.

    Args:
        path: a local file in any container and codec that FFmpeg decodes.
        size: size of the frames, see :func:`vidgan.geometry.target_size`.
        trim: the part that is wanted; what begins it gets the time at which the film began.

    Raises:
        InputError: not a media file, no video in it, nothing decodable, or cut off.
    """

    def __init__(self, path: Path, *, size: str | None = None, trim: Trim = WHOLE) -> None:
        self.path = path
        self._trim = trim
        self._complete = False
        self.notices: list[str] = []
        self._container = open_container(path)
        try:
            self._stream = main_video(self._container, path)
            self._stream.thread_type = "AUTO"
            self._end_seconds = 0.0
            self._undecodable = 0
            self._decoded = self._wanted()
            with reading(path):
                first = next(self._decoded, None)
            if first is None and trim != WHOLE:
                raise InputError(f"{path}: has no frame {trim}")
            if first is None:
                raise InputError(f"{path}: no frame of it can be decoded; the file is damaged")
            self._first = first
            self.info = self._describe(first, size)
            self._reformatter = VideoReformatter()
            self._timed = self._with_times()
        except BaseException:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        yield from map(self._frame, self._timed)
        if self._complete:
            self._check_end()

    def skip(self, count: int) -> Frame | None:
        # Decoding all of them is the one way to be sure that what follows is what it was.
        last = deque(islice(self._timed, count), maxlen=1)
        return self._frame(last[0]) if last else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timed.close()
        self._decoded.close()
        self._container.close()

    def _with_times(self) -> Generator[tuple[av.VideoFrame, int]]:
        """The frames with their times, which rise."""
        step = self._usual_duration()
        previous: int | None = None
        frame: av.VideoFrame | None = self._first
        while frame is not None:
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or (previous is not None and pts <= previous):
                # A few old files have frames without a time, or two with the same one.
                pts = 0 if previous is None else previous + (step if pts is None else 1)
            previous = pts
            yield frame, pts
            with reading(self.path):
                frame = next(self._decoded, None)

    def _frame(self, timed: tuple[av.VideoFrame, int]) -> Frame:
        frame, pts = timed
        return Frame(
            pixels=self._upright_rgb(frame),
            pts=pts - round(self._trim.start / self.info.time_base),
            time_base=self.info.time_base,
            duration=frame.duration or 0,
        )

    def _wanted(self) -> Generator[av.VideoFrame]:
        """The frames of the part that is wanted."""
        first = start_of(self._container) + self._trim.start
        last = None if self._trim.end is None else start_of(self._container) + self._trim.end
        if self._trim.start:
            self._container.seek(int(first * av.time_base))
        count = 0
        for frame in self._decode():
            time = None if frame.pts is None else frame.pts * (frame.time_base or 0)
            if time is not None and time < first:
                continue
            if (time is not None and last is not None and time >= last) or count == self._trim.frames:
                return
            count += 1
            yield frame
        self._complete = True

    def _decode(self) -> Generator[av.VideoFrame]:
        for packet in self._container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                self._end_seconds = max(self._end_seconds, end)
            if packet.stream is not self._stream:
                continue
            try:
                yield from self._stream.decode(packet)
            except av.error.InvalidDataError:
                # As players do: a damaged packet costs its own frame, not the film.
                self._undecodable += 1

    def _describe(self, frame: av.VideoFrame, size: str | None) -> VideoInfo:
        stream = self._stream
        width, height = frame.width, frame.height
        aspect = stream.sample_aspect_ratio or Fraction(1)
        if frame.rotation % 180:
            width, height, aspect = height, width, 1 / aspect
        width, height = target_size(width, height, size)
        return VideoInfo(
            width=width,
            height=height,
            time_base=stream.time_base or Fraction(1, 90000),
            frame_rate=stream.average_rate or stream.guessed_rate,
            frame_count=self._expected_count(),
            sample_aspect_ratio=aspect,
            color=Color(
                matrix=int(frame.colorspace),
                full_range={1: False, 2: True}.get(int(frame.color_range)),
                primaries=int(frame.color_primaries),
                transfer=int(frame.color_trc),
            ),
            bit_depth=max(component.bits for component in frame.format.components),
        )

    def _expected_count(self) -> int | None:
        rate, duration = self._stream.average_rate, self._container.duration
        if self._trim == WHOLE and self._stream.frames:
            return self._stream.frames
        if not rate or not duration:
            return self._trim.frames
        end = Fraction(duration, av.time_base)
        end = end if self._trim.end is None else min(end, self._trim.end)
        count = max(1, round((end - self._trim.start) * rate))
        return count if self._trim.frames is None else min(count, self._trim.frames)

    def _usual_duration(self) -> int:
        rate = self.info.frame_rate
        return max(1, round(1 / (rate * self.info.time_base))) if rate else 1

    def _upright_rgb(self, frame: av.VideoFrame) -> Pixels:
        turns = frame.rotation // 90 % 4
        size = (self.info.width, self.info.height)
        width, height = size[::-1] if turns % 2 else size
        rgb = self._reformatter.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=matrix_of(self.info.color, frame.height),
            src_color_range=range_of(self.info.color),
            dst_color_range=FULL_RANGE,
            interpolation=INTERPOLATION,
            threads=1,
        )
        pixels = np.asarray(rgb.to_ndarray(), np.uint8)
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels

    def _check_end(self) -> None:
        """Tells a file that was cut off from one that ends where it says."""
        if self._undecodable:
            self.notices.append(f"{self.path}: {self._undecodable} damaged packets could not be decoded")
        promised = (self._container.duration or 0) / av.time_base
        start = (self._container.start_time or 0) / av.time_base
        missing = promised - (self._end_seconds - start)
        if missing > max(_MISSING_SECONDS, 0.02 * promised):
            raise InputError(
                f"{self.path}: ends {missing:.1f} s before the {promised:.1f} s that it promises; "
                "the file is cut off"
            )


def open_container(path: Path) -> InputContainer:
    """Opens a local media file, and nothing that the file may point to.

    Raises:
        InputError: it cannot be read, is no media file, or is a playlist.
    """
    with reading(path):
        # "file:" keeps a name with a colon or a percent sign from being taken for anything else.
        container = av.open(
            f"file:{path.absolute()}", "r", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
    if _PLAYLISTS & set(container.format.name.split(",")):
        container.close()
        raise InputError(f"{path}: is a playlist ({container.format.long_name}); give the media file itself")
    return container


def start_of(container: InputContainer) -> Fraction:
    """The time, in seconds, at which players begin to count."""
    return Fraction(container.start_time or 0, av.time_base)


def main_video(container: InputContainer, path: Path) -> VideoStream:
    """The stream that players show.

    Raises:
        InputError: there is none.
    """
    films = [s for s in container.streams.video if not s.disposition & type(s.disposition)[_ATTACHED_PICTURE]]
    if not films:
        raise InputError(f"{path}: has no video in it" + (", only sound" if container.streams.audio else ""))
    best = container.streams.best("video")
    return next((stream for stream in films if best is not None and stream.index == best.index), films[0])
