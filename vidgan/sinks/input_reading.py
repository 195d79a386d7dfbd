"""The input's packets as they are demuxed, for a comparison with the finished output."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from vidgan.media.ffmpeg import reading
from vidgan.media.timeline import Timeline
from vidgan.sources.container import main_video, open_container


@dataclass(kw_only=True)
class InputStream:
    """One stream of the input.

    Attributes:
        tick: its time base, in seconds.
        times: of its packets in the wanted part, in the output's seconds and the order of the file; nothing
            is repaired.
        untimed: packets that have none.
        at_edges: packets at the ends of the wanted part, which may be in it or not.
        end: of the last packet.
    """

    tick: Fraction
    times: list[Fraction] = field(default_factory=list)
    untimed: int = 0
    at_edges: int = 0
    end: Fraction = Fraction(0)


class InputReading:
    """Reads an input independently of what processed and copied it.

    Args:
        path: the input.
        timeline: its gaps are believed only where the video's packets show them.
        trimmed: whether the wanted part begins after the start of the file.
        end: seconds of the output at which it ends; None for the end of the file.

    Attributes:
        video: index of the video stream.
    """

    def __init__(self, path: Path, timeline: Timeline, *, trimmed: bool, end: Fraction | None) -> None:
        self._path, self._timeline, self._trimmed = path, timeline, trimmed
        self._end = end
        self.video = 0

    def read(self) -> dict[int, InputStream]:
        """All streams, by index."""
        found: dict[int, InputStream] = {}
        positions: dict[int, int] = {}
        with open_container(self._path) as source, reading(self._path):
            self.video = main_video(source, self._path).index
            for stream in source.streams:
                found[stream.index] = InputStream(tick=stream.time_base or Fraction(1, 1000))
            for packet in source.demux():
                if not packet.size or packet.time_base is None:
                    continue
                index = packet.stream.index
                if packet.pos is not None and packet.pos >= 0:
                    positions[index] = packet.pos
                time = packet.pts if packet.pts is not None or index == self.video else packet.dts
                self._add(found[index], time, packet.duration or 0, packet.time_base, positions.get(index))
        return found

    def _add(
        self, stream: InputStream, time: int | None, duration: int, base: Fraction, position: int | None
    ) -> None:
        if time is None:
            stream.untimed += 1
            return
        seconds = self._timeline.map(time * base, position)
        if self._trimmed and seconds < 0:
            stream.at_edges += seconds + duration * base > 0
            return
        if self._end is not None and seconds >= self._end:
            return
        stream.times.append(seconds)
        stream.end = max(stream.end, seconds + duration * base)
