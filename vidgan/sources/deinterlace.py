"""Whole frames from interlaced ones."""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph
from av.video.stream import VideoStream

from vidgan.sources.filter_chain import filter_chain


class Deinterlacer:
    """Makes a whole frame of each interlaced one, by FFmpeg's bwdif; others go through as they are.

    Attributes:
        used: whether there was an interlaced frame.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._graph: Graph | None = None
        self._size = (0, 0)
        self.used = False

    def frames(self, decoded: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Those of a stream, one for one, with their times."""
        for frame in decoded:
            if self._graph is not None and (frame.width, frame.height) != self._size:
                yield from self._rest()
            if self._graph is None and frame.interlaced_frame:
                self._graph, self._size = self._open(frame), (frame.width, frame.height)
                self.used = True
            if self._graph is None:
                yield frame
            else:
                self._graph.vpush(frame)
                yield from self._ready()
        yield from self._rest()

    def _open(self, frame: av.VideoFrame) -> Graph:
        return filter_chain(frame, self._stream.time_base, ("bwdif", "mode=send_frame:deint=interlaced"))

    def _rest(self) -> Iterator[av.VideoFrame]:
        """The frame that waits for the one after it."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()
            self._graph = None

    def _ready(self) -> Iterator[av.VideoFrame]:
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            # bwdif counts in half units.
            units = (frame.time_base or Fraction(1)) / (self._stream.time_base or Fraction(1))
            frame.pts = None if frame.pts is None else round(frame.pts * units)
            frame.duration = round(frame.duration * units)
            frame.time_base = self._stream.time_base
            yield frame
