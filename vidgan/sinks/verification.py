"""A video is opened again before it gets its name, and compared with what was written and with the input.

The input is read once more for that, packet by packet as it is demuxed, so that an error of the code
that wrote the output, such as a shift of everything after one odd time, cannot pass.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet

from vidgan.errors import InputError, OutputError
from vidgan.media.ffmpeg import reading
from vidgan.sinks.copy.written_stream import WrittenStream, stream_kind
from vidgan.sinks.input_reading import InputReading, InputStream

_TOLERANCE = Fraction(1, 1000)
"""Seconds; Matroska counts in them."""

_CONVERTED_TOLERANCE = Fraction(1, 4)
"""Seconds by which converted sound may begin or end elsewhere: encoders add delays, damaged packets are lost."""

_LONGEST = Fraction(1, 20)
"""Seconds of plain samples that a container may have in one packet without saying how many they are."""

_TAIL_FRAMES = 3
_EMPTY_TEXT_BYTES = 2
"""Size of the empty subtitles with which mp4 fills the time between two others."""


class StreamMismatchError(OutputError):
    """Streams beside the video are not as they should be.

    Attributes:
        keys: of these, as in :attr:`Written.tracks`.
    """

    def __init__(self, message: str, keys: set[str]) -> None:
        super().__init__(message)
        self.keys = keys


@dataclass(kw_only=True)
class Written:
    """The expected content of a video.

    Attributes:
        times: of its frames, in the order in which they were written.
        time_base: of these.
        tracks: the other streams, by key.
        chapters: how many.
        tags: of the container.
    """

    time_base: Fraction
    times: array[int] = field(default_factory=lambda: array("q"))
    tracks: Mapping[str, WrittenStream] = field(default_factory=dict)
    chapters: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Content of a finished video, which is as it was written.

    Attributes:
        frames: how many.
        seconds: from the first to the end of the last stream, as the container says.
        av_offset_seconds: by how much sound begins after the video; None without sound.
        packets: of each other stream, such as ``{"audio 1": 249}``.
        missing_tags: that the container has no place for.
        remarks: sentences on what differs from the input though it is as it was meant.
    """

    frames: int
    seconds: float | None
    av_offset_seconds: float | None
    packets: dict[str, int]
    missing_tags: list[str]
    remarks: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class _Found:
    """A stream of the finished video, as it was read."""

    kind: str
    packets: int = 0
    bytes: int = 0
    times: list[Fraction] = field(default_factory=list)
    end: Fraction | None = None

    def count(self, packet: Packet[Any]) -> None:
        self.packets += 1
        self.bytes += packet.size
        if packet.pts is None or packet.time_base is None:
            return
        if self.kind != "subtitle" or packet.size > _EMPTY_TEXT_BYTES:
            self.times.append(packet.pts * packet.time_base)
        end = (packet.pts + (packet.duration or 0)) * packet.time_base
        self.end = end if self.end is None else max(self.end, end)


def verify(video: Path, written: Written, name: Path, source: InputReading | None = None) -> Verification:
    """Compares a finished video with what was written into it, and with the input.

    Args:
        name: the video's, for messages.
        source: how the input is read; None where there is none to compare with.

    Raises:
        StreamMismatchError: streams beside the video are not as they should be.
        OutputError: the video itself is not.
    """
    with reading(video), av.open(str(video)) as container:
        keys = _keys(container)
        tracks = {key: _Found(kind=key.split()[0]) for key in keys.values() if key in written.tracks}
        times, decoding = _read(container, keys, tracks)
        duration = container.duration
        chapters = len(container.chapters())
        tags = {key.lower() for key in container.metadata}
    times.sort()
    wrong = [*_wrong_times(times, decoding, written)]
    if chapters != written.chapters:
        wrong.append(f"{chapters} chapters instead of {written.chapters}")
    if wrong:
        raise OutputError(f"{name}: is not what it should be and was not put there: {'; '.join(wrong)}")
    remarks = _compare(times, tracks, written, name, source)
    offset = _offset(times, tracks.values())
    return Verification(
        frames=len(times),
        seconds=None if duration is None else duration / av.time_base,
        av_offset_seconds=None if offset is None else float(offset),
        packets={key: track.packets for key, track in tracks.items()},
        missing_tags=sorted(key for key in written.tags if key.lower() not in tags),
        remarks=remarks,
    )


def _read(
    container: InputContainer, keys: Mapping[int, str], tracks: Mapping[str, _Found]
) -> tuple[list[Fraction], list[int | None]]:
    """Reads all packets; times and decoding times of the video's."""
    video = container.streams.video[0]
    times: list[Fraction] = []
    decoding: list[int | None] = []
    for packet in container.demux():
        if packet.size and keys.get(packet.stream.index) in tracks:
            tracks[keys[packet.stream.index]].count(packet)
        elif packet.stream == video and packet.pts is not None and packet.time_base is not None:
            times.append(packet.pts * packet.time_base)
            decoding.append(packet.dts)
    return times, decoding


def _keys(container: InputContainer) -> dict[int, str]:
    """By index: some formats put streams into an order of their own, but not those of a kind."""
    counts: Counter[str] = Counter()
    keys = {}
    for stream in container.streams:
        counts[stream_kind(stream)] += 1
        keys[stream.index] = f"{stream_kind(stream)} {counts[stream_kind(stream)]}"
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


def _compare(
    times: list[Fraction],
    tracks: Mapping[str, _Found],
    written: Written,
    name: Path,
    source: InputReading | None,
) -> list[str]:
    """Compares the other streams, and all of them with the input; sentences on what differs."""
    wrong = {
        key: words for key, track in written.tracks.items() if (words := _wrong_track(tracks.get(key), track))
    }
    remarks: list[str] = []
    first = min(written.times, default=None)
    if source is not None and first is not None and times:
        shift = times[0] - first * written.time_base
        if words := _unexplained(shift, first * written.time_base, written):
            raise OutputError(f"{name}: is not what it should be and was not put there: {words}")
        try:
            streams = source.read()
        except InputError:
            return ["could not be compared with the input, which cannot be read any more"]
        if words := _shifted(times, shift, streams[source.video]):
            raise OutputError(f"{name}: is not what it should be and was not put there: {words}")
        for key, track in written.tracks.items():
            right = streams.get(track.source_index)
            if key in wrong or right is None or track.kind == "cover":
                continue
            if track.copied:
                if words := _misplaced(tracks[key], track, right, shift):
                    wrong[key] = words
            elif words := _converted_elsewhere(tracks[key], right, shift):
                remarks.append(f"{key} {words}")
    if wrong:
        said = "; ".join(f"{key}: {words}" for key, words in wrong.items())
        raise StreamMismatchError(f"{name}: is not what it should be: {said}", set(wrong))
    return remarks


def _unexplained(shift: Fraction, first: Fraction, written: Written) -> str:
    """Whether the video begins elsewhere for another reason than that the container has no times before 0.

    Such a container moves all streams alike.
    """
    starts = [first, *(each.start for each in written.tracks.values() if each.start is not None)]
    lowest = min(starts)
    if any(abs(shift - each) <= 2 * _TOLERANCE for each in (Fraction(0), max(Fraction(0), -lowest))):
        return ""
    return f"it begins at {float(first + shift):.3f} s instead of {float(first):.3f} s"


def _wrong_track(found: _Found | None, right: WrittenStream) -> str:
    if found is None:
        return "is missing" if right.packets else ""
    if right.kind == "subtitle":
        # mp4 fills the time between two subtitles with empty ones.
        return (
            f"{found.packets} subtitles instead of {right.packets}" if found.packets < right.packets else ""
        )
    if found.packets != right.packets and found.bytes != right.bytes:
        # Plain PCM is cut into packets anew, and some formats take headers off packets.
        return f"{found.packets} packets instead of {right.packets}"
    return ""


def _misplaced(found: _Found, track: WrittenStream, right: InputStream, shift: Fraction) -> str:
    """Whether packets that were copied are elsewhere than in the input, other than those that were reported."""
    wanted, got = right.times, found.times
    if track.kind == "subtitle":
        wanted, got = sorted(wanted), sorted(got)
    if not wanted or not got:
        return "has no packets" if wanted and track.packets else ""
    tolerance = _TOLERANCE + right.tick
    if track.is_pcm:
        start, end = got[0] - shift - min(wanted), (found.end or got[-1]) - shift - right.end
        off = max(abs(start), abs(end))
        return f"is {float(off):.3f} s elsewhere than in the input" if off > 4 * tolerance + _LONGEST else ""
    if len(wanted) != len(got):
        lost = len(wanted) - track.packets - track.odd - right.at_edges
        return f"{lost} of the input's packets are missing" if lost > track.damaged else ""
    elsewhere = [abs(time - shift - place) > tolerance for time, place in zip(got, wanted, strict=True)]
    if sum(elsewhere) > track.odd + right.untimed:
        first = elsewhere.index(True)
        return (
            f"{sum(elsewhere)} of {len(elsewhere)} packets are elsewhere than in the input, the first at "
            f"{float(got[first] - shift):.3f} s instead of {float(wanted[first]):.3f} s"
        )
    return ""


def _converted_elsewhere(found: _Found, right: InputStream, shift: Fraction) -> str:
    if not found.times or found.end is None or not right.times:
        return "has no sound" if right.times else ""
    start, end = found.times[0] - shift - min(right.times), found.end - shift - right.end
    if found.kind == "audio" and max(abs(start), abs(end)) > _CONVERTED_TOLERANCE:
        return f"begins {float(start):+.2f} s and ends {float(end):+.2f} s from where the input's does"
    return ""


def _shifted(times: Sequence[Fraction], shift: Fraction, right: InputStream) -> str:
    """Whether the last frames are elsewhere than in the input, though the first ones are where they should be."""
    if len(right.times) < 2 * _TAIL_FRAMES or len(times) < 2 * _TAIL_FRAMES or right.untimed:
        return ""
    tolerance = _TOLERANCE + right.tick
    known = sorted(right.times)
    found = [each - shift for each in times]
    if not _is_among(found[0], known, tolerance):
        return ""
    tail = [each for each in found[-_TAIL_FRAMES:] if _is_among(each, known, tolerance)]
    missing = [each for each in right.times[-_TAIL_FRAMES:] if not _is_among(each, found, tolerance)]
    if tail or len(missing) < _TAIL_FRAMES:
        return ""
    return (
        f"its last frames are shown at {float(found[-1]):.3f} s instead of {float(right.times[-1]):.3f} s, "
        "where the input has them"
    )


def _is_among(time: Fraction, known: Sequence[Fraction], tolerance: Fraction) -> bool:
    place = bisect_left(known, time - tolerance)
    return place < len(known) and known[place] <= time + tolerance


def _offset(times: list[Fraction], tracks: Iterable[_Found]) -> Fraction | None:
    starts = [each.times[0] for each in tracks if each.kind == "audio" and each.times]
    return starts[0] - times[0] if starts and times else None
