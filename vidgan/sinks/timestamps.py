"""Timestamps of frames, mapped to those that a format can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from av.packet import Packet
from av.video.stream import VideoStream

from vidgan.media.encoding import OutputFormat
from vidgan.media.frame import Frame, VideoInfo

GIF_FPS = 50
"""Browsers show frames that are closer together at ten frames per second."""


class TimestampMapper:
    """Keeps the video's own timestamps.

    Attributes:
        info: of the frames that it gives.
    """

    def __init__(self, info: VideoInfo) -> None:
        self.info = info

    def map(self, frame: Frame) -> Frame:
        """The frame at the time that the format has for it; it has to be called once for each, in order."""
        return frame


class RoundedTimestamps(TimestampMapper):
    """Rounds timestamps to multiples of a unit, at least so many units apart.

    Args:
        unit: in seconds.
        least: units from one frame to the next, at least.
    """

    def __init__(self, info: VideoInfo, unit: Fraction, least: int) -> None:
        super().__init__(replace(info, time_base=unit))
        self._unit, self._least = unit, least
        self._next: int | None = None

    def map(self, frame: Frame) -> Frame:
        pts = round(frame.pts * frame.time_base / self._unit)
        pts = pts if self._next is None else max(pts, self._next)
        self._next = pts + self._least
        return frame.at(pts, time_base=self._unit, duration=0)


class ConstantRate(TimestampMapper):
    """Places frames one after the other at a constant rate."""

    def __init__(self, info: VideoInfo) -> None:
        super().__init__(replace(info, time_base=1 / (info.frame_rate or Fraction(25))))
        self._count = 0

    def map(self, frame: Frame) -> Frame:
        self._count += 1
        return frame.at(self._count - 1, time_base=self.info.time_base, duration=1)


def timestamp_mapper(chosen: OutputFormat, info: VideoInfo) -> TimestampMapper:
    """The mapper for a format."""
    if chosen.muxer == "gif":
        return RoundedTimestamps(info, Fraction(1, 100), 100 // GIF_FPS)
    if chosen.muxer == "apng":
        # It can say thirds; FFmpeg adds up hundred-thousandths when it reads, and so comes late in the end.
        return RoundedTimestamps(info, Fraction(1, 50_000), 1)
    return ConstantRate(info) if chosen.muxer == "yuv4mpegpipe" else TimestampMapper(info)


def with_whole_track(
    packets: Iterable[Packet[VideoStream]], start: int, end: int
) -> Iterator[Packet[VideoStream]]:
    """The packets in decoding order, the last one so long that MP4's track lasts as long as its frames are shown.

    MP4 stores how long samples last in decoding order alone. Where the last frame shown is not the last one decoded,
    the time for which it is held would be missing in the track's header.

    Args:
        start, end: of the presentation, in the packets' time base.
    """
    first_dts: int | None = None
    previous: Packet[VideoStream] | None = None
    for packet in packets:
        first_dts = packet.dts if first_dts is None else first_dts
        if previous is not None:
            yield previous
        previous = packet
    if previous is None:
        return
    if previous.dts is not None and previous.pts is not None and first_dts is not None:
        missing = (end - start) - (previous.dts - first_dts)
        previous.duration = max(previous.duration or 0, min(missing, end - previous.pts))
    yield previous
