"""Times of the packets that are copied, in the output."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from vidgan.media.ffmpeg import reading
from vidgan.media.timeline import Timeline
from vidgan.sinks.copy.odd_times import repair_times
from vidgan.sinks.copy.written_stream import stream_kind
from vidgan.sources.container import open_container

_NONE = -(1 << 62)
_MARGIN_SECONDS = 5
_PACKETS_AFTER = 50
"""A single packet may lie far behind the wanted part without being its end."""


@dataclass
class StreamTimes:
    """Times of one stream's packets, in the order of the file and in ticks of its time base.

    Attributes:
        wanted: times in the output, see :class:`vidgan.media.timeline.Timeline`.
        repaired: the same, strictly rising.
        odd: how many of them moved.
    """

    time_base: Fraction
    wanted: array[int] = field(default_factory=lambda: array("q"))
    durations: array[int] = field(default_factory=lambda: array("q"))
    repaired: array[int] = field(default_factory=lambda: array("q"))
    odd: int = 0

    def finish(self, *, ordered: bool) -> None:
        """Repairs the times.

        Args:
            ordered: whether packets have to follow each other as they do in the file; subtitles are sorted
                instead, so that each keeps its own time.
        """
        if not ordered:
            self.repaired = array("q", (0 if each == _NONE else each for each in self.wanted))
            return
        known = [None if each == _NONE else each for each in self.wanted]
        repaired, moved = repair_times(known, self.durations)
        self.repaired, self.odd = array("q", repaired), len(moved)

    def step_after(self, place: int) -> int:
        """Ticks from a packet to the next one, which is how long it lasts where it does not say so.

        mp4 cuts off a last packet without a duration.
        """
        last = len(self.repaired) - 1
        place = min(place, last - 1)
        return max(0, self.repaired[place + 1] - self.repaired[place]) if last > 0 else 0


class OutputTimes:
    """Maps packets of one input to ticks of the output, by the timeline of the source.

    Positions are carried on to packets that have none, as the second frame of a PES packet.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._positions: dict[int, int] = {}

    def shift(self, packet: Packet[Stream]) -> int:
        """Ticks by which the packet comes earlier than in the input."""
        index = packet.stream.index
        position = packet.pos if packet.pos is not None and packet.pos >= 0 else self._positions.get(index, 0)
        self._positions[index] = position
        assert packet.time_base is not None
        return round(-self._timeline.map(Fraction(0), position) / packet.time_base)


def read_times(
    path: Path, indices: Sequence[int], timeline: Timeline, *, trimmed: bool
) -> dict[int, StreamTimes]:
    """Reads the times of all packets of some streams, by index.

    Args:
        trimmed: as of :func:`packets_of`.
    """
    output_times, found = OutputTimes(timeline), {}
    # Subtitles are read apart from the rest, as they are when they are copied.
    for subtitles in (True, False):
        with open_container(path) as source, reading(path):
            group = [source.streams[each] for each in indices]
            group = [
                each
                for each in group
                if (each.type == "subtitle") == subtitles and stream_kind(each) != "cover"
            ]
            for each in group:
                found[each.index] = StreamTimes(time_base=each.time_base or Fraction(1, 1000))
            for packet in packets_of(source, group, timeline, trimmed=trimmed):
                times = found[packet.stream.index]
                time = decode_time(packet)
                times.wanted.append(_NONE if time is None else time - output_times.shift(packet))
                times.durations.append(packet.duration or 0)
            for each in group:
                found[each.index].finish(ordered=not subtitles)
    return found


def packets_of(
    source: InputContainer, streams: Sequence[Stream], timeline: Timeline, *, trimmed: bool
) -> Iterator[Packet[Any]]:
    """The packets of some streams with data, from shortly before the wanted part to shortly after it.

    Args:
        trimmed: whether the wanted part begins after the start of the file.
    """
    if not streams:
        return
    # Positions in the file tell gaps apart, so nothing may be skipped where there are some.
    if trimmed and not timeline.gaps and timeline.origin > _MARGIN_SECONDS:
        source.seek(int((timeline.origin - _MARGIN_SECONDS) * av.time_base))
    after = 0
    for packet in source.demux(list(streams)):
        if not packet.size:
            continue
        yield packet
        time = decode_time(packet)
        if timeline.end is not None and not timeline.gaps and time is not None and packet.time_base:
            after = after + 1 if timeline.map(time * packet.time_base) > timeline.end + _MARGIN_SECONDS else 0
            if after > _PACKETS_AFTER:
                return


def decode_time(packet: Packet[Stream]) -> int | None:
    """The time by which packets of a stream are ordered."""
    return packet.dts if packet.dts is not None else packet.pts
