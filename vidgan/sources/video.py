"""A video file, decoded by FFmpeg through PyAV."""

from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain, islice
from math import ceil, floor
from pathlib import Path
from typing import Self

import av
from av.container import InputContainer
from av.video.reformatter import ColorRange, Interpolation

from vidgan.errors import InputError
from vidgan.media.ffmpeg import INTERPOLATION, ColorMatrix, reading
from vidgan.media.frame import Color, Frame, VideoInfo
from vidgan.media.geometry import scaled_aspect_ratio, target_size
from vidgan.media.image import RgbImage
from vidgan.media.timeline import Timeline
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources.animation import has_end_mark, loop_count_of
from vidgan.sources.container import (
    has_decoding_times_only,
    has_timestamps,
    main_video,
    may_jump,
    open_container,
    start_of,
)
from vidgan.sources.decoder import StreamDecoder
from vidgan.sources.discontinuities import GapFinder
from vidgan.sources.flv import unread_parts
from vidgan.sources.hardware import OFF, open_decoded_by
from vidgan.sources.hdr import NAMES as HDR
from vidgan.sources.hdr import STANDARD
from vidgan.sources.limits import MAX_FRAME_PIXELS, check_frame_size
from vidgan.sources.orientation import orientation_of
from vidgan.sources.rgb import RgbConverter
from vidgan.sources.timestamps import RisingTimes
from vidgan.sources.yuv import YuvConverter

_STEP_BACK = Fraction(5)
"""Seconds, for a seek that went too far."""

_HELD_BYTES = 128 << 20
_HELD_FRAMES = 64
"""Frames that are decoded ahead where a time looks odd: so many, as far as they fit into that memory."""

_FULL_RANGE: dict[int, bool] = {ColorRange.MPEG: False, ColorRange.JPEG: True}

_UNCONVERTIBLE: dict[int, str] = {
    ColorMatrix.YCGCO: "YCgCo",
    ColorMatrix.SMPTE2085: "SMPTE 2085",
    ColorMatrix.CHROMA_DERIVED_NCL: "chromaticity-derived",
    ColorMatrix.CHROMA_DERIVED_CL: "chromaticity-derived",
    ColorMatrix.ICTCP: "ICtCp",
}
"""Matrices of H.273 for which there is no conversion."""

_GAPS_SAID = 5
"""Gaps that are named one by one."""

Timed = tuple[av.VideoFrame, int]


class VideoSource:
    """The frames of a file's main video stream, upright, from time 0 on.

    Each frame has a time of its own, later than that of the one before. Times of the file stay as they are,
    relative to its start; only odd ones are moved, and gaps that all streams have are closed.

    Args:
        path: a local file in any container and codec that FFmpeg decodes.
        size: size of the frames, see :func:`vidgan.media.geometry.target_size`.
        trim: the part that is wanted.
        hwaccel: decoder, see :func:`vidgan.sources.hardware.open_decoded_by`.
        yuv: give frames as :class:`vidgan.media.image.YuvImage` where they are of 8 bits with halved
            chroma, and need not be turned, scaled or brought to another range of brightness.
        scaling: interpolation of scaled frames.
        keep_start: leave the times that the file has, instead of beginning at 0.

    Attributes:
        timeline: the mapping from the file's times to those of the frames.

    Raises:
        InputError: not a media file, no video in it, nothing decodable, or cut off.
    """

    def __init__(
        self,
        path: Path,
        *,
        size: str | None = None,
        trim: Trim = WHOLE,
        hwaccel: str = OFF,
        yuv: bool = False,
        scaling: Interpolation = INTERPOLATION,
        keep_start: bool = False,
    ) -> None:
        self.path = path
        self._trim, self._complete = trim, False
        self._hwaccel, self._keep_start = hwaccel, keep_start
        self._container, self.warnings = self._open()
        try:
            self._stream = main_video(self._container, path)
            self._tick = self._stream.time_base or Fraction(1, 90000)
            self._start = floor(start_of(self._container) / self._tick) * self._tick
            # In whole ticks of the video, so that sound is moved by no more and no less than frames.
            skipped = ceil(trim.start / self._tick) * self._tick
            self.timeline = Timeline(
                origin=skipped + (0 if keep_start else self._start),
                end=None if trim.end is None else trim.end - skipped,
            )
            self._decoder = StreamDecoder(self._container, self._stream, path, self.timeline)
            self._frames = self._wanted()
            with reading(path):
                first = next(self._frames, None)
            if first is None:
                raise self._error_without_frames()
            self._timed = chain([first], self._frames)
            frame = first[0]
            color = color_of(frame)
            self.info = self._describe(frame, color, size)
            self._to_rgb = RgbConverter(frame, (self.info.width, self.info.height), color, scaling)
            self._to_yuv = YuvConverter(self.info, frame) if yuv else None
            self.warnings += self._warnings(frame, color)
        except BaseException:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        yield from map(self.as_frame, self.decoded())

    def decoded(self) -> Iterator[Timed]:
        """The frames as they are coded, and their times: the first half of what iterating does."""
        while True:
            with reading(self.path):
                timed = next(self._timed, None)
            if timed is None:
                break
            yield timed
        self._look_back()

    def times(self) -> Iterator[int]:
        yield from (pts for _, pts in self.decoded())

    def seconds_at(self, pts: int) -> Fraction | None:
        seconds = (pts + self._shift) * self._tick - self._start
        alone = self._decoder.one_for_one and self._can_seek and not self.timeline.gaps
        return seconds if alone and seconds >= 0 else None

    def skip(self, count: int) -> Frame | None:
        # Only decoding all of them makes sure that the next frame is the same as in an uninterrupted run.
        with reading(self.path):
            last = deque(islice(self._timed, count), maxlen=1)
        return self.as_frame(last[0]) if last else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._frames.close()
        self._container.close()

    def as_frame(self, timed: Timed) -> Frame:
        """The second half: upright, as RGB or, if it was asked for and can be, as luma and chroma."""
        frame, pts = timed
        duration = frame.duration or self._usual_duration()
        if self._to_yuv is not None and self._to_yuv.accepts(frame):
            return Frame(image=self._to_yuv.image(frame), pts=pts, time_base=self._tick, duration=duration)
        return Frame(
            image=RgbImage(self._to_rgb.pixels(frame)),
            pts=pts,
            time_base=self._tick,
            duration=duration,
            alpha=self._to_rgb.alpha(frame) if self.info.alpha else None,
        )

    @property
    def _shift(self) -> int:
        """Ticks by which frames come earlier than in the file."""
        return int(self.timeline.origin / self._tick)

    @property
    def _can_seek(self) -> bool:
        return has_timestamps(self._container) and self._container.duration is not None

    def _wanted(self) -> Generator[Timed]:
        """The frames of the part that is wanted, with their times in the output."""
        raw = not has_timestamps(self._container)
        frames = self._from_start() if self._trim.start else self._decoder.frames()
        rising = None if raw else self._rising(frames)
        count = 0
        for frame, ticks in self._counted(frames) if rising is None else rising:
            seconds = ticks * self._tick - self._start
            if not count and seconds < 0 and not self._trim.start:
                self._start_earlier(-seconds)
            elif seconds < self._trim.start:
                continue
            if (self._trim.end is not None and seconds >= self._trim.end) or count == self._trim.frames:
                break
            count += 1
            yield frame, ticks - self._shift
        else:
            self._complete = True
        if rising is not None:
            self._say_what_moved(rising)

    def _start_earlier(self, seconds: Fraction) -> None:
        """Frames without a time came before what the container takes for the start."""
        self._start -= seconds
        if not self._keep_start:
            self.timeline.origin -= seconds

    def _rising(self, frames: Iterator[av.VideoFrame]) -> RisingTimes[av.VideoFrame]:
        pixels = max(1, self._stream.codec_context.width * self._stream.codec_context.height)
        step = 1 / self._rate / self._tick if self._rate else 0
        return RisingTimes(
            ((frame, frame.pts) for frame in frames),
            step=round(step),
            window=min(_HELD_FRAMES, _HELD_BYTES // (2 * pixels)),
            reordered=self._decoder.reorders,
            are_presentation_times=lambda: self._decoder.presentation_times_fall,
            sort=has_decoding_times_only(self._container) and self._decoder.reorders,
        )

    def _counted(self, frames: Iterator[av.VideoFrame]) -> Iterator[Timed]:
        """The frames of a raw stream, one after the other."""
        ticks = 0
        for frame in frames:
            yield frame, ticks
            ticks += frame.duration or self._usual_duration()

    def _from_start(self) -> Iterator[av.VideoFrame]:
        """The frames that follow a key frame at or before the start of the trim.

        Formats without an index, as MPEG-TS is, are entered between two key frames, and nothing decodes
        before the second.
        """
        if may_jump(self._container):
            self._find_gaps()
        if not self._can_seek or self.timeline.gaps:
            return self._decoder.frames()
        first = self._start + self._trim.start
        back = Fraction(0)
        while True:
            begin = max(self._start, first - back)
            try:
                self._container.seek(floor(begin * av.time_base))
            except av.error.FFmpegError:
                break
            frames = self._decoder.frames()
            frame = next(frames, None)
            if frame is not None and (frame.pts is None or frame.pts * self._tick <= first):
                return chain([frame], frames)
            if begin == self._start:
                break
            back = 2 * back or _STEP_BACK
            self._decoder.restart()
        # Even the start is not found by its time.
        self._reopen()
        return self._decoder.frames()

    def _open(self) -> tuple[InputContainer, list[str]]:
        return open_decoded_by(self._hwaccel, self.path, lambda hardware: open_container(self.path, hardware))

    def _reopen(self) -> None:
        self._container.close()
        self._container, _ = self._open()
        self._stream = main_video(self._container, self.path)
        self._decoder = StreamDecoder(self._container, self._stream, self.path, self.timeline)

    def _find_gaps(self) -> None:
        """Reads the file once, without decoding: where times jump, seeking finds the wrong place."""
        with open_container(self.path) as container:
            for _ in GapFinder(container, main_video(container, self.path), self.timeline).packets():
                pass

    @property
    def _rate(self) -> Fraction | None:
        stream = self._stream
        if not has_timestamps(self._container):
            # The average is a default that ignores the rate in the stream.
            return stream.guessed_rate or stream.average_rate
        return stream.average_rate or stream.guessed_rate

    def _usual_duration(self) -> int:
        return max(1, round(1 / (self._rate * self._tick))) if self._rate else 1

    def _describe(self, frame: av.VideoFrame, color: Color, size: str | None) -> VideoInfo:
        orientation = orientation_of(frame)
        own = orientation.size(frame.width, frame.height)
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        aspect = 1 / aspect if orientation.transpose else aspect
        width, height = target_size(*own, size)
        check_frame_size(self.path, width, height)
        return VideoInfo(
            width=width,
            height=height,
            time_base=self._tick,
            frame_rate=self._rate,
            frame_count=self._expected_count(),
            sample_aspect_ratio=scaled_aspect_ratio(aspect, own, (width, height)),
            color=STANDARD if color.transfer in HDR else color,
            bit_depth=max(component.bits for component in frame.format.components),
            alpha=self._has_alpha(frame),
            loop_count=loop_count_of(self.path),
        )

    def _has_alpha(self, frame: av.VideoFrame) -> bool:
        if not any(component.is_alpha for component in frame.format.components):
            return False
        # Every GIF might be transparent; most are not.
        return self._stream.codec_context.name != "gif" or bool((frame.to_ndarray()[..., 3] < 255).any())

    def _expected_count(self) -> int | None:
        rate, duration = self._rate, self._container.duration
        if self._trim == WHOLE and self._stream.frames:
            return self._stream.frames
        if not rate or not duration:
            return self._trim.frames
        end = Fraction(duration, av.time_base)
        end = end if self._trim.end is None else min(end, self._trim.end)
        count = max(1, round((end - self._trim.start) * rate))
        return count if self._trim.frames is None else min(count, self._trim.frames)

    def _error_without_frames(self) -> InputError:
        if self._trim != WHOLE:
            return InputError(f"{self.path}: has no frame {self._trim}")
        return InputError(
            f"{self.path}: no frame of it can be decoded; the file is damaged, "
            f"or its frames have more than {MAX_FRAME_PIXELS} pixels"
        )

    def _warnings(self, frame: av.VideoFrame, color: Color) -> Iterator[str]:
        if color.transfer in HDR:
            yield (
                f"{self.path}: its high dynamic range ({HDR[color.transfer]}) "
                "was brought to the standard one, BT.709"
            )
        if color.matrix in _UNCONVERTIBLE:
            yield (
                f"{self.path}: its colors are in {_UNCONVERTIBLE[color.matrix]}, "
                "which was taken for BT.601; they will be wrong"
            )
        if not orientation_of(frame).exact:
            yield f"{self.path}: its display matrix is no quarter turn and was ignored, as players do"
        if self._container.format.name == "flv":
            yield from unread_parts(self.path)
        if not has_timestamps(self._container) and self._rate:
            yield f"{self.path}: is a raw stream without times; taken at {float(self._rate):g} frames a second"

    def _say_what_moved(self, rising: RisingTimes[av.VideoFrame]) -> None:
        repair = rising.repair
        if repair.moved:
            self.warnings.append(
                f"{self.path}: frames with a missing or odd time, shown between their neighbors: {repair.moved}"
            )
        if repair.restarts:
            self.warnings.append(
                f"{self.path}: places where times begin again, and go on where they stopped: {repair.restarts}"
            )
        self.warnings += self._closed_gaps()

    def _closed_gaps(self) -> Iterator[str]:
        gaps = [
            (gap, seconds)
            for gap in self.timeline.gaps
            if (seconds := self.timeline.map(gap.start, gap.position)) >= 0
        ]
        if len(gaps) > _GAPS_SAID:
            yield f"{self.path}: closed {len(gaps)} gaps in its times"
            return
        for gap, seconds in gaps:
            yield (
                f"{self.path}: closed a gap in its times at {float(seconds):.3f} s of the output, "
                f"where they jump by {float(gap.seconds):+.3f} s"
            )

    def _look_back(self) -> None:
        """Completes the warnings, after the last frame."""
        self.warnings += self._decoder.warnings()
        if self._complete:
            self._decoder.check_end()
            if not has_end_mark(self.path):
                self.warnings.append(f"{self.path}: has no end mark; it is probably cut off")


def color_of(frame: av.VideoFrame) -> Color:
    """The tags of a decoded frame."""
    return Color(
        matrix=int(frame.colorspace),
        full_range=_FULL_RANGE.get(int(frame.color_range)),
        primaries=int(frame.color_primaries),
        transfer=int(frame.color_trc),
    )
