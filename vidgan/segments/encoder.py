"""Frames encoded into the file of one segment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from vidgan.media.encoding import Encoder, Encoding, add_video
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import Frame, VideoInfo


@dataclass(frozen=True, kw_only=True)
class EncodedSegment:
    """A segment on its way from one machine to another.

    Attributes:
        data: the segment's file.
        times, end, reordered: as in :class:`vidgan.segments.journal.SegmentRecord`.
    """

    data: bytes
    times: list[int]
    end: int
    reordered: int


class SegmentEncoder:
    """Encodes one segment.

    The file is NUT, because that keeps any time base; times begin at 0 in it.

    Args:
        output: the output that the segment belongs to, for messages.
        path: the segment's file.
        encoding: how it is encoded.
        info: of the frames.

    Attributes:
        times: of the frames so far, in units of the video's time base.
        end: of the last frame.
    """

    def __init__(self, output: Path, path: Path, encoding: Encoding, info: VideoInfo) -> None:
        self.path = path
        self.times: list[int] = []
        self.end = 0
        self._output = output
        self._decoding: list[int] = []
        with writing(output):
            self._container = av.open(str(path), "w", format="nut")
            self._stream = add_video(self._container, encoding, info)
        self._encoder = Encoder(self._stream, encoding, info)

    def write(self, frame: Frame) -> None:
        """Encodes a frame."""
        self.times.append(frame.pts)
        self.end = frame.pts + frame.duration
        self._mux(self._encoder.encode(frame.at(frame.pts - self.times[0])))

    @property
    def frames(self) -> int:
        """How many so far."""
        return len(self.times)

    @property
    def reordered(self) -> int:
        """By how many frames decoding runs ahead of presentation."""
        place = {pts: index for index, pts in enumerate(sorted(self._decoding))}
        return max(index - place[pts] for index, pts in enumerate(self._decoding))

    def finish(self) -> None:
        """Completes the file."""
        self._mux(self._encoder.flush())
        with writing(self._output):
            self._container.close()

    def abandon(self) -> None:
        """Closes the file, whatever is in it."""
        with writing(self._output):
            self._container.close()

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        self._decoding += [each.pts for each in packets if each.pts is not None]
        with writing(self._output):
            self._container.mux(packets)
