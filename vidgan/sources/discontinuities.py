"""Jumps in the times of all streams of a file, as where recordings were joined."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import floor
from statistics import median_low
from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from vidgan.media.timeline import Gap, Timeline
from vidgan.sources.container import may_jump

_BACK_SECONDS = Fraction(1, 10)
_FORWARD_SECONDS = 10
"""FFmpeg's ``-dts_delta_threshold``: shorter holes are pauses, which stay."""

_CONFIRMING_PACKETS = 3
_LOOK_AHEAD_PACKETS = 400
_REMEMBERED_PACKETS = 64
_RECENT_PACKETS = 9


@dataclass
class _Progress:
    """Times of one stream, in seconds of the input.

    Attributes:
        times: decoding times of the last packets, odd ones among them.
        end: of what is presented.
        position: byte offset of the last packet that has one.
    """

    times: deque[Fraction] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_PACKETS))
    end: Fraction | None = None
    position: int = 0

    @property
    def usual(self) -> Fraction:
        """The time of late, whatever a few odd packets say."""
        return median_low(islice(reversed(self.times), _RECENT_PACKETS))

    def is_left_by(self, time: Fraction) -> bool:
        """Whether a packet of that time is far from where the stream was."""
        # Nearly all packets follow the one before.
        if not self.times or 0 <= time - self.times[-1] <= _FORWARD_SECONDS:
            return False
        if time > self.usual + _FORWARD_SECONDS:
            return True
        return time < self.times[-1] - _BACK_SECONDS and not self._returns(time)

    def _returns(self, time: Fraction) -> bool:
        """Whether the packets before were late, and this one is where they should have been."""
        lowest = self.times[-1]
        for each in reversed(self.times):
            if each < time:
                return lowest > time + _BACK_SECONDS
            lowest = min(lowest, each)
        return False


@dataclass
class GapFinder:
    """Adds the gaps of a file to a timeline while its packets pass.

    A jump counts where every stream of sound and video makes it and does not come back: times that fall, in
    any format, and times that rise by more than ten seconds, in formats that may jump. A few odd packets are none.

    Args:
        container: demuxed from its start.
        video: the stream whose frames go on without a pause after a gap.
        timeline: gets the gaps.
    """

    container: InputContainer
    video: VideoStream
    timeline: Timeline
    _streams: dict[int, _Progress] = field(default_factory=dict)
    _waiting: deque[Packet[Any]] = field(default_factory=deque)

    def packets(self) -> Generator[Packet[Any]]:
        """All packets, as demuxed."""
        demuxed = self.container.demux()
        while True:
            packet = self._waiting.popleft() if self._waiting else next(demuxed, None)
            if packet is None:
                return
            if self._jumps(packet):
                self._look_ahead(packet, demuxed)
                if self._all_jump(packet):
                    self._close_gap(packet)
            self._note(packet)
            yield packet

    def position(self, packet: Packet[Any]) -> int:
        """Byte offset of a packet, or of the one before it in its stream where several share one."""
        return self._progress(packet.stream_index).position if packet.pos is None else packet.pos

    def _is_looked_at(self, stream: Stream) -> bool:
        if stream.type == "video":
            return not stream.disposition & Disposition.attached_pic
        return stream.type == "audio"

    def _jumps(self, packet: Packet[Any]) -> bool:
        time = _time(packet)
        if time is None or not packet.size or not self._is_looked_at(packet.stream):
            return False
        # What was interleaved behind the beginning of a gap still belongs before it.
        return not self._is_before_last_gap(packet) and self._progress(packet.stream_index).is_left_by(time)

    def _progress(self, index: int) -> _Progress:
        return self._streams.setdefault(index, _Progress())

    def _is_before_last_gap(self, packet: Packet[Any]) -> bool:
        gaps = self.timeline.gaps
        return bool(gaps) and self.position(packet) < gaps[-1].position

    def _look_ahead(self, packet: Packet[Any], demuxed: Iterator[Packet[Any]]) -> None:
        """Reads on until there is enough of every stream."""
        counts = {index: 0 for index, each in self._streams.items() if each.times}
        for each in self._waiting:
            counts[each.stream_index] = counts.get(each.stream_index, 0) + 1
        while min(counts.values()) < _CONFIRMING_PACKETS + 1 and len(self._waiting) < _LOOK_AHEAD_PACKETS:
            following = next(demuxed, None)
            if following is None:
                return
            self._waiting.append(following)
            counts[following.stream_index] = counts.get(following.stream_index, 0) + 1

    def _all_jump(self, packet: Packet[Any]) -> bool:
        """Whether this stream goes on from its new time, and no other stays where it was."""
        time, usual = _time(packet), self._progress(packet.stream_index).usual
        if time is not None and time > usual and not may_jump(self.container):
            return False
        by_stream = self._following(packet)
        start = self._start(by_stream)
        return start is not None and all(
            self._stays_elsewhere(index, [_time(each) for each in packets if self.position(each) >= start])
            for index, packets in by_stream.items()
        )

    def _following(self, packet: Packet[Any]) -> dict[int, list[Packet[Any]]]:
        by_stream: dict[int, list[Packet[Any]]] = {}
        for each in (packet, *self._waiting):
            if each.size and _time(each) is not None and self._is_looked_at(each.stream):
                by_stream.setdefault(each.stream_index, []).append(each)
        return by_stream

    def _start(self, by_stream: dict[int, list[Packet[Any]]]) -> int | None:
        """Byte offset of the first packet that is elsewhere."""
        places = [
            each.pos
            for index, packets in by_stream.items()
            for each in packets
            if each.pos is not None and self._is_new(index, each)
        ]
        return min(places, default=None)

    def _is_new(self, index: int, packet: Packet[Any]) -> bool:
        progress, time = self._progress(index), _time(packet)
        return not progress.times or (time is not None and progress.is_left_by(time))

    def _stays_elsewhere(self, index: int, times: list[Fraction | None]) -> bool:
        progress = self._progress(index)
        known = [time for time in times if time is not None]
        if not progress.times or not known:
            return True
        following = known[1 : 1 + _CONFIRMING_PACKETS]
        return progress.is_left_by(known[0]) and all(
            abs(two - one) < abs(two - progress.usual) for one, two in zip(known, following, strict=False)
        )

    def _close_gap(self, packet: Packet[Any]) -> None:
        by_stream = self._following(packet)
        position = self._start(by_stream)
        assert position is not None
        starts = {
            index: min(_shown(each) for each in packets if self.position(each) >= position)
            for index, packets in by_stream.items()
            if any(self.position(each) >= position for each in packets)
        }
        # Nothing may be shown before what was shown earlier, so the stream that goes on the longest decides.
        lengths = [
            start - end for index, start in starts.items() if (end := self._streams[index].end) is not None
        ]
        tick = self.video.time_base or Fraction(1, 90000)
        self.timeline.gaps.append(
            Gap(position=position, start=min(starts.values()), seconds=floor(min(lengths) / tick) * tick)
        )
        for each in self._streams.values():
            each.times.clear()
            each.end = None

    def _note(self, packet: Packet[Any]) -> None:
        progress, before = self._progress(packet.stream_index), self._is_before_last_gap(packet)
        if packet.pos is not None:
            progress.position = packet.pos
        time = _time(packet)
        if time is None or not packet.size or before or not self._is_looked_at(packet.stream):
            return
        if not progress.is_left_by(time):
            end = _shown(packet) + (packet.duration or 0) * packet.time_base
            progress.end = end if progress.end is None else max(progress.end, end)
        progress.times.append(time)


def _time(packet: Packet[Any]) -> Fraction | None:
    ticks = packet.dts if packet.dts is not None else packet.pts
    return None if ticks is None or packet.time_base is None else ticks * packet.time_base


def _shown(packet: Packet[Any]) -> Fraction:
    ticks = packet.pts if packet.pts is not None else packet.dts
    return (ticks or 0) * packet.time_base
