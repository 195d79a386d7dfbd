"""A video file, encoded by FFmpeg through PyAV, with the sound of the input copied beside the picture."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidgan.errors import OutputError
from vidgan.frame import Frame, VideoInfo
from vidgan.media import FULL_RANGE, INTERPOLATION, matrix_of, range_of, writing
from vidgan.sinks.part_file import PartFile
from vidgan.sources.video import open_container


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

    H.264 in mp4, mov and mkv, VP9 in webm. The first audio track of ``sound_from`` is copied bit
    by bit, interleaved by time.

    Raises:
        OutputError: the suffix names no format that vidgan writes, or the sound does not fit it.
    """

    def __init__(
        self, path: Path, info: VideoInfo, *, sound_from: Path | None = None, overwrite: bool = False
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
        self._sound: _SoundCopy | None = None
        self._container: OutputContainer | None = None
        try:
            with writing(path):
                self._container = av.open(
                    str(self._file.part), "w", format=chosen.muxer, options=chosen.muxer_options
                )
                self._stream = self._add_video(self._container, chosen)
            if sound_from is not None:
                self._sound = _SoundCopy.open(sound_from, self._container, path)
        except BaseException:
            self._abandon()
            raise
        self._reformatter = VideoReformatter()
        self._durations: dict[int, int] = {}

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

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        assert self._container is not None
        for packet in packets:
            if packet.pts is not None:
                # Encoders drop durations; without the last one the film would end a frame early.
                packet.duration = self._durations.pop(packet.pts, 0) or packet.duration
            if self._sound is not None and packet.dts is not None:
                self._sound.copy_until(packet.dts * self._info.time_base)
            self._container.mux(packet)

    def _finish(self) -> None:
        assert self._container is not None
        with writing(self._path):
            self._mux(self._stream.encode(None))
            if self._sound is not None:
                self._sound.copy_until(None)
            self._container.close()
        self._container = None

    def _abandon(self) -> None:
        """Lets go of everything; what was committed stays."""
        if self._sound is not None:
            self._sound.close()
        if self._container is not None:
            container, self._container = self._container, None
            # The output is being thrown away; why it failed is on its way already.
            with contextlib.suppress(av.error.FFmpegError, OSError):
                container.close()
        self._file.discard()


class _SoundCopy:
    """Copies one audio track, packet by packet, keeping pace with the picture."""

    def __init__(self, source: av.container.InputContainer, stream: AudioStream, output: OutputContainer):
        self._source = source
        self._output = output
        self._target = output.add_stream_from_template(stream)
        self._target.metadata.update(stream.metadata)
        self._packets: Iterator[Packet[AudioStream]] = source.demux(stream)
        self._waiting: deque[Packet[AudioStream]] = deque()

    @classmethod
    def open(cls, path: Path, output: OutputContainer, output_path: Path) -> _SoundCopy | None:
        """None if ``path`` has no sound.

        Raises:
            OutputError: the output's format cannot hold the track.
        """
        source = open_container(path)
        if not source.streams.audio:
            source.close()
            return None
        stream = source.streams.audio[0]
        try:
            return cls(source, stream, output)
        except (ValueError, av.error.FFmpegError) as exc:
            source.close()
            raise OutputError(
                f"{output_path}: {output.format.name} cannot hold the sound ({stream.codec_context.name}); "
                f"use a name that ends in .mkv"
            ) from exc

    def copy_until(self, seconds: Fraction | None) -> None:
        """Writes the packets that begin before ``seconds``; all that remain if None."""
        while (packet := self._next()) is not None:
            if packet.dts is None:
                continue  # The empty packet that ends demuxing.
            if seconds is not None and packet.dts * packet.time_base >= seconds:
                self._waiting.append(packet)
                return
            packet.stream = self._target
            self._output.mux(packet)

    def close(self) -> None:
        self._source.close()

    def _next(self) -> Packet[AudioStream] | None:
        return self._waiting.popleft() if self._waiting else next(self._packets, None)
