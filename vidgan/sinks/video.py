"""A video file, encoded by FFmpeg through PyAV, with everything else of the input beside the picture."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer

from vidgan.errors import OutputError
from vidgan.frame import Frame, VideoInfo
from vidgan.media import writing
from vidgan.sinks.encoder import add_video, format_of, pixel_format
from vidgan.sinks.part_file import PartFile
from vidgan.sinks.parts import SEGMENT_FRAMES, Parts, PartWriter
from vidgan.sinks.streams import StreamCopy
from vidgan.trim import WHOLE, Trim


class VideoSink:
    """Encodes 8-bit frames with the stream's own timestamps, rate, shape and colour tags.

    H.264 in mp4, mov and mkv, VP9 in webm. The film is encoded in segments, see
    :class:`~vidgan.sinks.parts.Parts`; at the end they are joined without encoding anything again,
    and the other streams of ``beside`` are copied in bit by bit, interleaved by time.

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
    ) -> None:
        chosen = format_of(path)
        self.notices: list[str] = []
        self._path, self._info, self._trim = path, info, trim
        self._others: StreamCopy | None = None
        self._container: OutputContainer | None = None
        self._part: PartWriter | None = None
        with contextlib.ExitStack() as undo:
            self._parts = undo.enter_context(Parts(path)) if parts is None else parts
            self._file = PartFile(path, part=self._parts.whole, overwrite=overwrite)
            undo.callback(self._let_go)
            with writing(path):
                self._container = av.open(
                    str(self._file.part), "w", format=chosen.muxer, options=chosen.muxer_options
                )
                self._stream = add_video(self._container, chosen, info)
            if beside is not None:
                self._others = StreamCopy(beside, self._container, path, trim)
                self.notices += self._others.notices
            # Some formats refuse a codec only now, and now is better than after hours of work.
            self._start(self._container)
            self._undo = undo.pop_all()
        if pixel_format(info) == "yuv444p":
            self.notices.append(
                f"{path}: odd sides ({info.width}x{info.height}) need 4:4:4 colour, which some players lack"
            )

    def write(self, frame: Frame) -> None:
        if self._part is not None and self._part.frames == SEGMENT_FRAMES:
            self._finish_part()
        if self._part is None:
            self._part = self._parts.writer(self._info)
        self._part.write(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._undo:
            if kind is None:
                self._finish_part()
                self._join()
                self._file.commit()

    def _finish_part(self) -> None:
        if self._part is not None:
            part, self._part = self._part, None
            part.finish()
            self._parts.add(part)

    def _join(self) -> None:
        assert self._container is not None
        base = self._info.time_base
        with writing(self._path):
            for packet in self._parts.packets(base):
                packet.stream = self._stream
                if self._others is not None and packet.dts is not None:
                    self._others.copy_until(packet.dts * base)
                self._container.mux(packet)
            if self._others is not None:
                end = Fraction(self._parts.segments[-1].end) * base if self._parts.segments else Fraction(0)
                self._others.copy_until(None if self._trim == WHOLE else end)
            container, self._container = self._container, None
            container.close()

    def _start(self, container: OutputContainer) -> None:
        """Writes the header."""
        try:
            with writing(self._path):
                container.start_encoding()
        except OutputError as exc:
            if not isinstance(exc.__cause__, av.error.ArgumentError):
                raise
            codecs = (each.codec_context.name for each in container.streams if each.codec_context is not None)
            raise OutputError(
                f"{self._path}: {container.format.name} cannot hold {', '.join(codecs)} together; "
                "use a name that ends in .mkv"
            ) from exc

    def _let_go(self) -> None:
        """Closes everything; what was committed stays."""
        # What is not complete is being thrown away; why, is on its way already.
        with contextlib.suppress(av.error.FFmpegError, OSError, OutputError):
            if self._part is not None:
                self._part.abandon()
        if self._others is not None:
            self._others.close()
        with contextlib.suppress(av.error.FFmpegError, OSError):
            if self._container is not None:
                self._container.close()
        self._file.discard()
