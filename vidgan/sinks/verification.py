"""A film is opened again before it gets its name, and compared with what should be in it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

from vidgan.errors import OutputError
from vidgan.media.ffmpeg import reading

_TOLERANCE = Fraction(1, 1000)
"""Seconds; Matroska counts in them."""


@dataclass(kw_only=True)
class Track:
    """What was written into one stream, or read from it.

    Attributes:
        kind: ``"audio"``, ``"subtitle"`` or ``"cover"``.
        packets, bytes: how many.
        start: seconds at which the first packet is presented.
    """

    kind: str
    packets: int = 0
    bytes: int = 0
    start: Fraction | None = None

    def count(self, packet: Packet[Any]) -> None:
        self.packets += 1
        self.bytes += packet.size
        if self.start is None and packet.pts is not None and packet.time_base is not None:
            self.start = packet.pts * packet.time_base


@dataclass(kw_only=True)
class Written:
    """What a film should have.

    Attributes:
        times: of its frames, in the order in which they were written.
        time_base: of these.
        tracks: what was copied, by kind and number of that kind, such as ``"audio 1"``.
        chapters: how many.
        tags: of the container.
    """

    time_base: Fraction
    times: array[int] = field(default_factory=lambda: array("q"))
    tracks: Mapping[str, Track] = field(default_factory=dict)
    chapters: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found in a finished film; all of it is as it was written.

    Attributes:
        frames: pictures.
        seconds: from the first to the end of the last stream, as the container says.
        av_offset_seconds: by how much sound begins after the picture; None without sound.
        packets: of each other stream, such as ``{"audio 1": 249}``.
        missing_tags: that the container has no place for.
    """

    frames: int
    seconds: float | None
    av_offset_seconds: float | None
    packets: dict[str, int]
    missing_tags: list[str]


def verify(film: Path, written: Written, name: Path) -> Verification:
    """Compares a film with what was written into it.

    Args:
        name: what to call it in messages.

    Raises:
        OutputError: something is not as it should be.
    """
    with reading(film), av.open(str(film)) as container:
        picture = container.streams.video[0]
        keys = _keys(container)
        tracks = {key: Track(kind=key.split()[0]) for key in keys.values() if key in written.tracks}
        times: list[Fraction] = []
        decoding: list[int | None] = []
        for packet in container.demux():
            if packet.size and keys.get(packet.stream.index) in tracks:
                tracks[keys[packet.stream.index]].count(packet)
            elif packet.stream == picture and packet.pts is not None and packet.time_base is not None:
                times.append(packet.pts * packet.time_base)
                decoding.append(packet.dts)
        duration = container.duration
        chapters = len(container.chapters())
        tags = {key.lower() for key in container.metadata}
    times.sort()
    wrong = [
        *_wrong_times(times, decoding, written),
        *_wrong_tracks(tracks, written),
        *_wrong_offset(times, tracks, written),
    ]
    if chapters != written.chapters:
        wrong.append(f"{chapters} chapters instead of {written.chapters}")
    if wrong:
        raise OutputError(f"{name}: is not what it should be and was not put there: {'; '.join(wrong)}")
    offset = _offset(times, tracks)
    return Verification(
        frames=len(times),
        seconds=None if duration is None else duration / av.time_base,
        av_offset_seconds=None if offset is None else float(offset),
        packets={key: track.packets for key, track in tracks.items()},
        missing_tags=sorted(key for key in written.tags if key.lower() not in tags),
    )


def kind_of(stream: Stream) -> str:
    """``"cover"`` for a picture that does not move, or the stream's type."""
    return "cover" if stream.disposition & Disposition.attached_pic else stream.type


def _keys(container: InputContainer) -> dict[int, str]:
    """By index: some formats put streams into an order of their own, but not those of a kind."""
    counts: Counter[str] = Counter()
    keys = {}
    for stream in container.streams:
        counts[kind_of(stream)] += 1
        keys[stream.index] = f"{kind_of(stream)} {counts[kind_of(stream)]}"
    return keys


def _wrong_times(times: list[Fraction], decoding: list[int | None], written: Written) -> Iterator[str]:
    if len(times) != len(written.times):
        yield f"{len(times)} frames instead of {len(written.times)}"
        return
    wanted = [time * written.time_base for time in sorted(written.times)]
    for index, (found, right) in enumerate(zip(times, wanted, strict=True)):
        if abs((found - times[0]) - (right - wanted[0])) > _TOLERANCE:
            yield f"frame {index} comes at {float(found):.3f} s instead of {float(right):.3f} s"
            return
    # Matroska says only when frames are shown.
    known = [each for each in decoding if each is not None]
    if len(known) == len(decoding) and any(after <= before for before, after in pairwise(known)):
        yield "its frames are out of order"


def _wrong_tracks(tracks: Mapping[str, Track], written: Written) -> Iterator[str]:
    for key, right in written.tracks.items():
        found = tracks.get(key)
        if found is None:
            yield f"{key} is missing"
        elif right.kind == "subtitle":
            # mp4 fills the time between two subtitles with empty ones.
            if found.packets < right.packets:
                yield f"{found.packets} subtitles instead of {right.packets}"
        elif found.packets != right.packets and found.bytes != right.bytes:
            # Plain PCM is cut into packets anew, and some formats take headers off packets.
            yield f"{found.packets} packets of {right.kind} instead of {right.packets}"


def _wrong_offset(times: list[Fraction], tracks: Mapping[str, Track], written: Written) -> Iterator[str]:
    first = min(written.times, default=None)
    wanted = None if first is None else _offset([first * written.time_base], written.tracks)
    found = _offset(times, tracks)
    if wanted is not None and found is not None and abs(wanted - found) > 2 * _TOLERANCE:
        yield f"sound begins {float(found):.3f} s after the picture instead of {float(wanted):.3f} s"


def _offset(times: list[Fraction], tracks: Mapping[str, Track]) -> Fraction | None:
    starts = [each.start for each in tracks.values() if each.kind == "audio" and each.start is not None]
    return starts[0] - times[0] if starts and times else None
