"""Raw frames for another program, as they are made."""

import contextlib
from fractions import Fraction
from pathlib import Path

import av

from vidgan.media.encoding import Encoder, add_video, format_of
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.stream_modes import DEFAULT_STREAM_MODES, PipeFormat, StreamModes
from vidgan.media.timeline import Timeline
from vidgan.media.trim import WHOLE, Trim
from vidgan.sinks.completion import CompletedOutput
from vidgan.sinks.copy.stream_copy import StreamCopy
from vidgan.sinks.timestamps import timestamp_mapper


class StdoutSink(CompletedOutput):
    """Writes frames to standard output, in NUT with the other streams of the input, or in YUV4MPEG.

    YUV4MPEG knows neither times nor sound; NUT loses nothing.
    """

    def __init__(
        self,
        info: VideoInfo,
        *,
        pipe_format: PipeFormat,
        copy_streams_from: Path | None = None,
        timeline: Timeline | None = None,
        trim: Trim = WHOLE,
        streams: StreamModes = DEFAULT_STREAM_MODES,
    ) -> None:
        self.warnings = []
        self._closing = contextlib.ExitStack()
        self._path, self._trim = Path("standard output"), trim
        chosen = format_of(Path(f"stdout.{pipe_format}"), info)
        self._timestamps = timestamp_mapper(chosen, info)
        self._end = Fraction(0)
        self._others: StreamCopy | None = None
        if copy_streams_from is not None and not chosen.video_only:
            self._others = StreamCopy(
                copy_streams_from,
                self._path,
                muxer=chosen.muxer,
                options=chosen.muxer_options,
                timeline=Timeline(origin=trim.start) if timeline is None else timeline,
                trimmed=trim.start > 0,
                modes=streams,
            )
            self._closing.callback(self._others.close)
        with writing(self._path):
            self._container = av.open("pipe:1", "w", format=chosen.muxer, options=chosen.muxer_options)
            self._closing.callback(self._close)
            self._stream = add_video(self._container, chosen.encoding, self._timestamps.info)
            if self._others is not None:
                self._others.add_to(self._container)
                self.warnings = self._others.warnings  # Which grow.
        self._encoder = Encoder(self._stream, chosen.encoding, self._timestamps.info)

    def write(self, frame: Frame) -> None:
        with writing(self._path):
            if self._others is not None:
                self._others.copy_until(frame.pts * frame.time_base)
            self._container.mux(self._encoder.encode(self._timestamps.map(frame)))
        self._end = (frame.pts + frame.duration) * frame.time_base

    def _complete(self) -> None:
        with writing(self._path):
            self._container.mux(self._encoder.flush())
            if self._others is not None:
                self._others.finish(None if self._trim == WHOLE else self._end)
            self._container.close()

    def _close(self) -> None:
        """Closes the container; one that is complete is closed already."""
        with contextlib.suppress(av.error.FFmpegError):
            self._container.close()
