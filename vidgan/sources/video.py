"""A video file, decoded by FFmpeg through PyAV."""

import contextlib
from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.codec import CodecContext
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from vidgan.errors import InputError
from vidgan.media.ffmpeg import INTERPOLATION, reading
from vidgan.media.frame import Color, Frame, VideoInfo
from vidgan.media.geometry import target_size
from vidgan.media.image import RgbImage
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources.deinterlace import Deinterlacer
from vidgan.sources.hardware import OFF, open_decoded_by
from vidgan.sources.hdr import NAMES as HDR
from vidgan.sources.hdr import STANDARD
from vidgan.sources.limits import MAX_FRAME_PIXELS, check_film_size, check_frame_size
from vidgan.sources.rgb import ToRGB
from vidgan.sources.yuv import YuvConverter

_OPENING_OTHERS = {
    *("hls", "dash", "webm_dash_manifest", "concat", "imf", "sdp", "rtsp", "rtp", "sap"),
    *("image2", "vobsub", "lavfi", "avisynth", "vapoursynth"),
}
"""Formats that are lists of other files or addresses, or names that stand for several."""

_LIMITED = {"max_pixels": str(MAX_FRAME_PIXELS)}
"""For a decoder, which refuses larger frames before it takes memory for them."""

_FORMATS = ",".join(sorted(av.formats_available - _OPENING_OTHERS))
_ATTACHED_PICTURE = "attached_pic"
_MISSING_SECONDS = 1.0
_STEP_BACK = Fraction(5)
"""Seconds, for a seek that went too far."""

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these see no transparency."""

_UNCONVERTIBLE = {
    8: "YCgCo",
    11: "SMPTE 2085",
    12: "chromaticity-derived",
    13: "chromaticity-derived",
    14: "ICtCp",
}
"""Matrices of H.273 for which there is no conversion."""


class VideoSource:
    """The frames of a file's main video stream, upright.

    Args:
        path: a local file in any container and codec that FFmpeg decodes.
        size: size of the frames, see :func:`vidgan.media.geometry.target_size`.
        trim: the part that is wanted; what begins it gets the time at which the film began.
        hwaccel: what decodes, see :func:`vidgan.sources.hardware.open_decoded_by`.
        yuv: give frames as :class:`vidgan.media.image.YuvImage` where they are of 8 bits with halved
            colour, and need not be turned, scaled or brought to another range of brightness.
        scaling: how frames are.

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
    ) -> None:
        self.path = path
        self._trim = trim
        self._complete = False
        self._container, self.notices = open_decoded_by(
            hwaccel, path, lambda hardware: open_container(path, hardware)
        )
        try:
            self._stream = main_video(self._container, path)
            self._decoder = _decoder(self._stream, path)
            self._decoder.thread_type = "AUTO"
            self._deinterlacer = Deinterlacer(self._stream)
            self._size_changes: list[str] = []
            self._end_seconds = 0.0
            self._undecodable = self._corrupt = 0
            self._decoded = self._wanted()
            with reading(path):
                first = next(self._decoded, None)
            if first is None and trim != WHOLE:
                raise InputError(f"{path}: has no frame {trim}")
            if first is None:
                raise InputError(
                    f"{path}: no frame of it can be decoded; the file is damaged, "
                    f"or its frames have more than {MAX_FRAME_PIXELS} pixels"
                )
            self._first = first
            color = color_of(first)
            self.info = self._describe(first, color, size)
            self._to_rgb = ToRGB(first, (self.info.width, self.info.height), color, scaling)
            self._to_yuv = YuvConverter(self.info, first) if yuv else None
            self._say_what_changes(color)
            self._timed = self._with_times()
        except BaseException:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        yield from map(self.as_frame, self.decoded())

    def decoded(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """The frames as they are coded, and their times: the first half of what iterating does."""
        yield from self._timed
        self._look_back()

    def times(self) -> Iterator[int]:
        yield from (pts - self._shift for _, pts in self._timed)
        self._look_back()

    def seconds_at(self, pts: int) -> Fraction | None:
        seconds = (pts + self._shift) * self.info.time_base - start_of(self._container)
        alone = not self._deinterlacer.used and len(self._size_changes) == 1
        return seconds if alone and seconds >= 0 else None

    @property
    def _shift(self) -> int:
        """By which the frames come earlier than in the file."""
        return round(self._trim.start / self.info.time_base)

    def _look_back(self) -> None:
        """After the last frame: says what was found on the way."""
        if self._deinterlacer.used:
            self.notices.append(f"{self.path}: is interlaced; made whole frames of it")
        if self._complete:
            self._check_end()

    def skip(self, count: int) -> Frame | None:
        # Decoding all of them is the one way to be sure that what follows is what it was.
        last = deque(islice(self._timed, count), maxlen=1)
        return self.as_frame(last[0]) if last else None

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
        offset = 0
        frame: av.VideoFrame | None = self._first
        while frame is not None:
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None:
                # A few old files have frames without a time.
                pts = 0 if previous is None else previous + step
            else:
                pts += offset
            if previous is not None and pts <= previous - step:
                # Recordings that were put together begin anew in the middle.
                offset += previous + step - pts
                pts = previous + step
            elif previous is not None and pts <= previous:
                pts = previous + 1
            previous = pts
            yield frame, pts
            with reading(self.path):
                frame = next(self._decoded, None)

    def as_frame(self, timed: tuple[av.VideoFrame, int]) -> Frame:
        """The second half: upright, in RGB or, if it is asked for and can be, in planes."""
        frame, pts = timed
        if self._to_yuv is not None and self._to_yuv.accepts(frame):
            return Frame(
                image=self._to_yuv.image(frame),
                pts=pts - self._shift,
                time_base=self.info.time_base,
                duration=frame.duration or 0,
            )
        return Frame(
            image=RgbImage(self._to_rgb.pixels(frame)),
            pts=pts - self._shift,
            time_base=self.info.time_base,
            duration=frame.duration or 0,
            alpha=self._to_rgb.alpha(frame) if self.info.alpha else None,
        )

    def _wanted(self) -> Generator[av.VideoFrame]:
        """The frames of the part that is wanted."""
        start = start_of(self._container)
        first = start + self._trim.start
        last = None if self._trim.end is None else start + self._trim.end
        frames = self._from(first, start) if self._trim.start else self._deinterlacer.frames(self._decode())
        count = 0
        for frame in frames:
            time = self._time(frame)
            if time is not None and time < first:
                continue
            if (time is not None and last is not None and time >= last) or count == self._trim.frames:
                return
            count += 1
            yield frame
        self._complete = True

    def _from(self, first: Fraction, start: Fraction) -> Iterator[av.VideoFrame]:
        """The frames that follow a key frame at or before ``first``.

        Formats without an index, as MPEG-TS is, are entered between two key frames, and nothing decodes
        before the second.
        """
        back = Fraction(0)
        while True:
            self._container.seek(int(max(start, first - back) * av.time_base))
            frames = self._deinterlacer.frames(self._decode())
            frame = next(frames, None)
            time = first if frame is None else self._time(frame)
            if first - back <= start or (frame is not None and (time is None or time <= first)):
                return frames if frame is None else chain([frame], frames)
            back = 2 * back or _STEP_BACK
            self._deinterlacer = Deinterlacer(self._stream)
            self._size_changes.clear()
            self._undecodable = self._corrupt = 0

    def _time(self, frame: av.VideoFrame) -> Fraction | None:
        """In seconds."""
        return None if frame.pts is None else frame.pts * (self._stream.time_base or Fraction(1))

    def _decode(self) -> Generator[av.VideoFrame]:
        for packet in self._container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                self._end_seconds = max(self._end_seconds, end)
            if packet.stream is not self._stream:
                continue
            if packet.has_sidedata("encryption_info"):
                # Decoders make frames of noise of it, now and then.
                raise InputError(f"{self.path}: is encrypted, and can only be played with its key")
            try:
                for frame in self._decoder.decode(packet):
                    self._look_at_size(frame)
                    self._corrupt += frame.is_corrupt
                    yield frame
            except (av.error.InvalidDataError, av.error.ArgumentError):
                # As players do: a packet that is damaged, or too large, costs its own frame, not the film.
                self._undecodable += 1

    def _describe(self, frame: av.VideoFrame, color: Color, size: str | None) -> VideoInfo:
        stream = self._stream
        width, height = frame.width, frame.height
        aspect = stream.sample_aspect_ratio or Fraction(1)
        if frame.rotation % 180:
            width, height, aspect = height, width, 1 / aspect
        width, height = target_size(width, height, size)
        check_frame_size(self.path, width, height)
        return VideoInfo(
            width=width,
            height=height,
            time_base=stream.time_base or Fraction(1, 90000),
            frame_rate=stream.average_rate or stream.guessed_rate,
            frame_count=self._expected_count(),
            sample_aspect_ratio=aspect,
            color=STANDARD if color.transfer in HDR else color,
            bit_depth=max(component.bits for component in frame.format.components),
            alpha=self._has_alpha(frame),
        )

    def _has_alpha(self, frame: av.VideoFrame) -> bool:
        if not any(component.is_alpha for component in frame.format.components):
            return False
        # Every GIF might be transparent; most are not.
        return self._stream.codec_context.name != "gif" or bool((frame.to_ndarray()[..., 3] < 255).any())

    def _say_what_changes(self, color: Color) -> None:
        if color.transfer in HDR:
            self.notices.append(
                f"{self.path}: its high dynamic range ({HDR[color.transfer]}) "
                "was brought to the standard one, BT.709"
            )
        if color.matrix in _UNCONVERTIBLE:
            self.notices.append(
                f"{self.path}: its colours are in {_UNCONVERTIBLE[color.matrix]}, "
                "which was taken for BT.601; they will be wrong"
            )

    def _look_at_size(self, frame: av.VideoFrame) -> None:
        size = f"{frame.width}x{frame.height}"
        if not self._size_changes or self._size_changes[-1] != size:
            self._size_changes.append(size)

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

    def _check_end(self) -> None:
        """Tells a file that was cut off from one that ends where it says."""
        if len(self._size_changes) > 1:
            self.notices.append(
                f"{self.path}: changes its size ({' -> '.join(self._size_changes)}); "
                "all frames were fitted into the first"
            )
        if self._undecodable:
            self.notices.append(f"{self.path}: {self._undecodable} damaged packets could not be decoded")
        if self._corrupt:
            self.notices.append(f"{self.path}: {self._corrupt} damaged frames were painted as they came out")
        promised = (self._container.duration or 0) / av.time_base
        start = (self._container.start_time or 0) / av.time_base
        missing = promised - (self._end_seconds - start)
        if missing > max(_MISSING_SECONDS, 0.02 * promised):
            raise InputError(
                f"{self.path}: ends {missing:.1f} s before the {promised:.1f} s that it promises; "
                "the file is cut off"
            )


def _decoder(stream: VideoStream, path: Path) -> VideoCodecContext:
    # There is none for a format that FFmpeg does not know, whatever PyAV's types say.
    context: VideoCodecContext | None = stream.codec_context
    if context is None:
        raise InputError(f"{path}: its picture is in a format that cannot be decoded, or damaged")
    check_film_size(path, context.width, context.height)
    context.options = _LIMITED
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    if tags.get("alpha_mode") != "1" or context.name not in _ALPHA_DECODERS:
        return context
    decoder = CodecContext.create(_ALPHA_DECODERS[context.name], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = context.extradata
    decoder.options = _LIMITED
    return decoder


def color_of(frame: av.VideoFrame) -> Color:
    """The tags of a decoded frame."""
    return Color(
        matrix=int(frame.colorspace),
        full_range={1: False, 2: True}.get(int(frame.color_range)),
        primaries=int(frame.color_primaries),
        transfer=int(frame.color_trc),
    )


def open_container(path: Path, hardware: HWAccel | None = None) -> InputContainer:
    """Opens a local media file, and nothing that the file may point to.

    Args:
        hardware: what decodes it; None for the processor. Whatever FFmpeg says of it is raised as it is.

    Raises:
        InputError: it cannot be read, is no media file, or is a playlist or the like.
    """
    with contextlib.nullcontext() if hardware else reading(path):
        try:
            # "file:" keeps a name with a colon from being taken for an address.
            return av.open(
                f"file:{path.absolute()}",
                "r",
                options={"protocol_whitelist": "file", "format_whitelist": _FORMATS, **_LIMITED},
                metadata_errors="replace",
                hwaccel=hardware,
            )
        except av.error.ArgumentError as exc:
            if hardware:
                raise
            raise InputError(
                f"{path}: is a playlist, or a name that stands for several files, or damaged; "
                "give the media file itself"
            ) from exc


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
