"""A video file, encoded by FFmpeg through PyAV, with everything else of the input beside the picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vidgan.errors import InputError, OutputError
from vidgan.media.encoder import USUAL, WITH_ALPHA_SUFFIXES, Encoder, EncoderChoice, add_video, format_of
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.trim import WHOLE, Trim
from vidgan.segments.store import Parts, SegmentWriter
from vidgan.sinks import Signer
from vidgan.sinks.atomic_file import PartFile
from vidgan.sinks.streams import StreamCopy, has_others
from vidgan.sinks.timestamps import GIF_FPS, clock_of
from vidgan.sinks.verification import Verification, Written, verify

_UNREADABLE = {"webp"}
"""By FFmpeg, where they move."""


class VideoSink:
    """Encodes frames with the stream's own timestamps, rate, shape and colour tags.

    H.264 in mp4, mov and mkv, VP9 in webm; 10 bits where the input has more than 8; with transparency
    ProRes 4444 in mov, VP9 in mkv and webm. GIF, APNG and WebP are moving pictures without sound, NUT
    and YUV4MPEG raw frames for other programs. The film is encoded in segments, see
    :class:`~vidgan.segments.store.Parts`; at the end they are joined without encoding anything again,
    in formats that allow it, and the other streams of ``beside`` are copied in bit by bit,
    interleaved by time.

    Attributes:
        verification: of the finished film, once it has its name.

    Args:
        parts: the folder for the segments, entered; what is in it already is not written again.
            None for one that lives as long as the sink.

    Raises:
        OutputError: the suffix names no format that vidgan writes, or the sound does not fit it.
    """

    def __init__(
        self,
        path: Path,
        info: VideoInfo,
        *,
        parts: Parts | None = None,
        beside: Path | None = None,
        trim: Trim = WHOLE,
        overwrite: bool = False,
        encoder: EncoderChoice = USUAL,
        signer: Signer | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self._format = format_of(path, info, encoder)
        self._chosen = encoder != USUAL
        self._clock = clock_of(self._format, info)
        self.notices: list[str] = []
        self.verification: Verification | None = None
        self._path, self._info, self._trim, self._beside = path, info, trim, beside
        self._others: StreamCopy | None = None
        self._container: OutputContainer | None = None
        with contextlib.ExitStack() as undo:
            self._parts = undo.enter_context(Parts(path)) if parts is None else parts
            self._segments = SegmentWriter(self._parts, self._format.of_segments(info), info)
            self._file = PartFile(path, part=self._parts.whole, overwrite=overwrite, signer=signer)
            undo.callback(self._let_go)
            with writing(path):
                self._container = av.open(
                    str(self._file.part), "w", format=self._format.muxer, options=self._format.muxer_options
                )
                self._stream = add_video(self._container, self._format.encoding, self._clock.info)
            if beside is not None and not self._format.silent:
                self._others = StreamCopy(beside, self._container, path, trim)
                self.notices = self._others.notices  # Which grow.
            self._container.metadata.update(tags or {})
            # Some formats refuse a codec only now, and now is better than after hours of work.
            self._start(self._container)
            self._undo = undo.pop_all()
        self.notices += self._what_changes(beside)

    def write(self, frame: Frame) -> None:
        self._segments.write(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._undo:
            if kind is None:
                self._segments.finish()
                written = self._join()
                self._file.sign()
                if self._format.muxer not in _UNREADABLE:
                    self.verification = verify(self._file.part, written, self._path)
                self._parts.close_journal()
                self._file.commit()

    def _join(self) -> Written:
        """Puts the film together, and says what is in it."""
        assert self._container is not None
        written = Written(time_base=self._clock.info.time_base)
        with writing(self._path), self._others_may_be_damaged():
            for packet in self._packets(written):
                packet.stream = self._stream
                if self._others is not None and packet.dts is not None and packet.time_base is not None:
                    self._others.copy_until(packet.dts * packet.time_base)
                self._container.mux(packet)
            if self._others is not None:
                self._others.copy_until(None if self._trim == WHOLE else self._end)
                written.tracks, written.chapters = self._others.tracks, self._others.chapters
                written.tags = dict(self._container.metadata)
            container, self._container = self._container, None
            container.close()
        return written

    @contextlib.contextmanager
    def _others_may_be_damaged(self) -> Iterator[None]:
        """Of what is copied, a container looks at some only when it is written, together with the picture."""
        try:
            yield
        except (av.error.InvalidDataError, av.error.ArgumentError) as exc:
            if self._others is None or not self._others.tracks:
                raise
            raise InputError(
                f"{self._beside}: its sound or subtitles are damaged, and {self._path} cannot hold them"
            ) from exc

    @property
    def _end(self) -> Fraction:
        """Of the last frame, in seconds."""
        return self._parts.segments[-1].end * self._info.time_base if self._parts.segments else Fraction(0)

    def _packets(self, written: Written) -> Iterator[Packet[VideoStream]]:
        """Of the picture, in decoding order; adds to ``written`` when its frames should be shown."""
        if self._format.joined:
            for segment in self._parts.segments:
                written.times.extend(segment.times)
            yield from self._parts.packets(self._info.time_base)
            return
        encoder = Encoder(self._stream, self._format.encoding, self._clock.info)
        for frame in self._parts.frames_of_all(self._info):
            timed = self._clock.set(frame)
            written.times.append(timed.pts)
            yield from encoder.encode(timed)
        yield from encoder.flush()

    def _what_changes(self, beside: Path | None) -> Iterator[str]:
        info, path = self._info, self._path
        if self._format.encoding.pixel_format.startswith("yuv444p"):
            yield f"{path}: odd sides ({info.width}x{info.height}) need 4:4:4 colour, which some players lack"
        if info.alpha and not self._format.encoding.has_alpha:
            yield f"{path}: cannot hold transparency; {', '.join(WITH_ALPHA_SUFFIXES)} can"
        if self._format.silent and beside is not None and has_others(beside):
            yield f"{path}: holds the picture alone, without sound and subtitles"
        if self._format.muxer == "gif" and (info.frame_rate or 0) > GIF_FPS:
            yield f"{path}: GIF shows at most {GIF_FPS} frames a second; it will play slower"

    def _start(self, container: OutputContainer) -> None:
        """Writes the header."""
        try:
            with writing(self._path):
                container.start_encoding()
        except OutputError as exc:
            if not isinstance(exc.__cause__, av.error.ArgumentError):
                raise
            if self._chosen:
                raise OutputError(
                    f"{self._path}: the encoder {self._format.encoding.encoder} does not take such pictures, "
                    f"or its options, or {container.format.name} cannot hold what it makes"
                ) from exc
            codecs = (each.codec_context.name for each in container.streams if each.codec_context is not None)
            of = "" if self._beside is None else f", as {self._beside} has them"
            raise OutputError(
                f"{self._path}: {container.format.name} cannot hold {', '.join(codecs)} together{of}; "
                "use a name that ends in .mkv"
            ) from exc

    def _let_go(self) -> None:
        """Closes everything; what was committed stays."""
        # What is not complete is being thrown away; why, is on its way already.
        with contextlib.suppress(av.error.FFmpegError, OSError, OutputError):
            self._segments.abandon()
        if self._others is not None:
            self._others.close()
        with contextlib.suppress(av.error.FFmpegError, OSError):
            if self._container is not None:
                self._container.close()
        self._file.discard()
