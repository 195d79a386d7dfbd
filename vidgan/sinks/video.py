"""A video file, encoded by FFmpeg through PyAV, with everything else of the input beside the picture."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidgan.errors import OutputError
from vidgan.frame import Frame, VideoInfo
from vidgan.media import FULL_RANGE, INTERPOLATION, matrix_of, range_of, writing
from vidgan.sinks.part_file import PartFile
from vidgan.sinks.streams import StreamCopy
from vidgan.trim import WHOLE, Trim


@dataclass(frozen=True, slots=True)
class _Format:
    muxer: str
    encoder: str
    encoder_options: dict[str, str]
    muxer_options: dict[str, str] = field(default_factory=dict)


_X264 = {"preset": "veryfast", "crf": "20"}
_VP9 = {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "crf": "30", "b": "0"}
_FASTSTART = {"movflags": "+faststart"}
_FORMATS = {
    ".mp4": _Format("mp4", "libx264", _X264, _FASTSTART),
    ".m4v": _Format("mp4", "libx264", _X264, _FASTSTART),
    ".mov": _Format("mov", "libx264", _X264, _FASTSTART),
    ".mkv": _Format("matroska", "libx264", _X264),
    ".webm": _Format("webm", "libvpx-vp9", _VP9),
}
VIDEO_SUFFIXES = tuple(_FORMATS)


class VideoSink:
    """Encodes 8-bit frames with the stream's own timestamps, rate, shape and colour tags.

    H.264 in mp4, mov and mkv, VP9 in webm. The other streams of ``beside`` are
    copied bit by bit, interleaved by time.

    Raises:
        OutputError: the suffix names no format that vidgan writes, or the sound does not fit it.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        *,
        beside: Path | None = None,
        trim: Trim = WHOLE,
        overwrite: bool = False,
    ) -> None:
        chosen = _FORMATS.get(path.suffix.lower())
        if chosen is None:
            raise OutputError(
                f"{path}: vidgan writes {', '.join(VIDEO_SUFFIXES)} and pictures, "
                f"not {path.suffix or 'a name without suffix'!r}"
            )
        self.notices: list[str] = []
        self._path = path
        self._info = info
        self._file = PartFile(path, overwrite=overwrite)
        self._others: StreamCopy | None = None
        self._container: OutputContainer | None = None
        try:
            with writing(path):
                self._container = av.open(
                    str(self._file.part), "w", format=chosen.muxer, options=chosen.muxer_options
                )
                self._stream = self._add_video(self._container, chosen)
            if beside is not None:
                self._others = StreamCopy(beside, self._container, path, trim)
                self.notices += self._others.notices
                self._start(self._container)
        except BaseException:
            self._abandon()
            raise
        self._reformatter = VideoReformatter()
        self._durations: dict[int, int] = {}
        self._trim = trim
        self._end = Fraction(0)

    def write(self, frame: Frame) -> None:
        rgb = av.VideoFrame.from_numpy_buffer(frame.pixels, "rgb24")
        picture = self._reformatter.reformat(
            rgb,
            format=self._stream.pix_fmt,
            src_color_range=FULL_RANGE,
            dst_colorspace=matrix_of(self._info.color, self._info.height),
            dst_color_range=range_of(self._info.color),
            interpolation=INTERPOLATION,
            threads=1,
        )
        picture.pts, picture.time_base = frame.pts, frame.time_base
        self._durations[frame.pts] = frame.duration
        self._end = (frame.pts + frame.duration) * frame.time_base
        with writing(self._path):
            self._mux(self._stream.encode(picture))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
                self._file.commit()
        finally:
            self._abandon()

    def _add_video(self, container: OutputContainer, chosen: _Format) -> VideoStream:
        info = self._info
        stream = container.add_stream(
            chosen.encoder, rate=info.frame_rate or Fraction(25), options=dict(chosen.encoder_options)
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = info.width, info.height
        # Half-resolution colour needs even sides.
        stream.pix_fmt = "yuv444p" if info.width % 2 or info.height % 2 else "yuv420p"
        if stream.pix_fmt == "yuv444p":
            self.notices.append(
                f"{self._path}: odd sides ({info.width}x{info.height}) need 4:4:4 colour, "
                "which some players lack"
            )
        stream.time_base = info.time_base
        context = stream.codec_context
        context.time_base = info.time_base
        context.sample_aspect_ratio = info.sample_aspect_ratio
        context.thread_count = 0
        context.colorspace = info.color.matrix or matrix_of(info.color, info.height)
        context.color_range = 0 if info.color.full_range is None else range_of(info.color)
        context.color_primaries, context.color_trc = info.color.primaries, info.color.transfer
        return stream

    def _start(self, container: OutputContainer) -> None:
        """Writes the header, because some formats refuse a codec only there."""
        try:
            container.start_encoding()
        except av.error.ArgumentError as exc:
            codecs = (each.codec_context.name for each in container.streams if each.codec_context is not None)
            raise OutputError(
                f"{self._path}: {container.format.name} cannot hold {', '.join(codecs)} together; "
                "use a name that ends in .mkv"
            ) from exc

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        assert self._container is not None
        for packet in packets:
            if packet.pts is not None:
                # Encoders drop durations; without the last one the film would end a frame early.
                packet.duration = self._durations.pop(packet.pts, 0) or packet.duration
            if self._others is not None and packet.dts is not None:
                self._others.copy_until(packet.dts * self._info.time_base)
            self._container.mux(packet)

    def _finish(self) -> None:
        assert self._container is not None
        with writing(self._path):
            self._mux(self._stream.encode(None))
            if self._others is not None:
                self._others.copy_until(None if self._trim == WHOLE else self._end)
            self._container.close()
        self._container = None

    def _abandon(self) -> None:
        """Lets go of everything; what was committed stays."""
        if self._others is not None:
            self._others.close()
        if self._container is not None:
            container, self._container = self._container, None
            # The output is being thrown away; why it failed is on its way already.
            with contextlib.suppress(av.error.FFmpegError, OSError):
                container.close()
        self._file.discard()
