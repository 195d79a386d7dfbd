"""Everything of a media file that is not its picture, copied bit by bit into another."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.codec import CodecContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from vidgan.errors import OutputError
from vidgan.media.ffmpeg import reading
from vidgan.media.trim import WHOLE, Trim
from vidgan.sinks.verification import Track, kind_of
from vidgan.sources.container import main_video, open_container, start_of

if TYPE_CHECKING:
    from av.container.core import Chapter

_OF_THE_FILE = {"encoder", "major_brand", "minor_version", "compatible_brands"}
_OF_THE_ENCODING = {"encoder", "duration", "bps"}
"""Tags, in small letters, that say how a file or a picture was made: ours is made otherwise."""

_HOLDS_ATTACHMENTS = {"matroska"}
_HOLDS_COVERS = {"mp4"}
"""As a picture track; where attachments are held, a cover is one."""

_ONLY_IN_MP4 = {"mov_text"}
"""Subtitles that no other format holds."""

_COVER_NAMES = {"png": ("cover.png", "image/png"), "mjpeg": ("cover.jpg", "image/jpeg")}


class StreamCopy:
    """Sound, subtitles, attachments, cover art, chapters and tags of a file, on their way into an output.

    Streams keep their order, tags and dispositions. What the output's format cannot hold is left out
    and named in ``notices``; only sound is so much missed that its loss is an error, unless it is damaged.

    Attributes:
        tracks: what was copied so far, see :class:`vidgan.sinks.verification.Written`.
        chapters: how many.

    Args:
        path: the file to copy from.
        output: a container whose picture has been added and nothing written yet.
        output_path: its name, for messages.
        trim: the part of the file that is wanted. Whole packets are taken, those that begin in it.

    Raises:
        OutputError: the output's format cannot hold the sound.
    """

    def __init__(self, path: Path, output: OutputContainer, output_path: Path, trim: Trim = WHOLE) -> None:
        self.notices: list[str] = []
        self._path, self._output, self._output_path = path, output, output_path
        self._source = open_container(path)
        self._shift, self._last = trim.start, trim.end
        self._first = start_of(self._source) + trim.start if trim.start else None
        self._targets: dict[int, Stream] = {}
        self.tracks: dict[str, Track] = {}
        self._tracks: dict[int, Track] = {}
        self.chapters = 0
        self._damaged: Counter[str] = Counter()
        self._waiting: deque[Packet[Any]] = deque()
        self._offsets: dict[int, int] = {}
        self._last_times: dict[int, tuple[int, int]] = {}
        try:
            self._copy_tags(self._source)
            for stream in self._source.streams:
                self._add(stream)
        except BaseException:
            self.close()
            raise
        if self._first is not None:
            self._source.seek(int(self._first * av.time_base))
        with_packets = [self._source.streams[index] for index in self._targets]
        self._packets: Iterator[Packet[Any]] = self._source.demux(with_packets) if with_packets else iter(())

    def copy_until(self, seconds: Fraction | None) -> None:
        """Writes the packets that begin before ``seconds`` of the output; all that remain if None."""
        while (packet := self._next()) is not None:
            time = packet.dts if packet.dts is not None else packet.pts
            if time is not None and seconds is not None and time * packet.time_base >= seconds + self._shift:
                self._waiting.append(packet)
                return
            self._write(packet)

    def _write(self, packet: Packet[Any]) -> None:
        target = self._targets[packet.stream.index]
        if packet.time_base is not None and kind_of(packet.stream) != "cover":
            if self._first is not None and (packet.pts or 0) * packet.time_base < self._first:
                return
            shift = round(self._shift / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = target
        try:
            self._output.mux(packet)
        except av.error.InvalidDataError:
            # As in the picture: a damaged packet costs itself, not the film.
            self._damaged[kind_of(packet.stream)] += 1
            return
        self._tracks[target.index].count(packet)

    def close(self) -> None:
        """Also says what could not be copied."""
        for kind, count in self._damaged.items():
            self.notices.append(f"{self._output_path}: without {count} damaged packets of {kind}")
        self._source.close()

    def _next(self) -> Packet[Any] | None:
        if self._waiting:
            return self._waiting.popleft()
        # An empty packet ends a stream.
        with reading(self._path):
            packet = next((each for each in self._packets if each.size), None)
        if packet is not None and packet.dts is not None and kind_of(packet.stream) != "cover":
            self._set_forward(packet, packet.dts)
        return packet

    def _set_forward(self, packet: Packet[Any], dts: int) -> None:
        """Lets time go on where a recording that was put together begins anew."""
        index = packet.stream.index
        offset = self._offsets.get(index, 0)
        last, lasts = self._last_times.get(index, (dts + offset, 0))
        if dts + offset < last:
            offset = self._offsets[index] = last + lasts - dts
        packet.dts = dts + offset
        packet.pts = None if packet.pts is None else packet.pts + offset
        self._last_times[index] = packet.dts, packet.duration or 0

    def _copy_tags(self, source: InputContainer) -> None:
        self._output.metadata.update(_without(source.metadata, _OF_THE_FILE))
        if chapters := [each for each in map(self._moved, source.chapters()) if each["end"] > each["start"]]:
            self._output.set_chapters(chapters)
            self.chapters = len(chapters)
        film, picture = main_video(source, self._path), self._output.streams.video[0]
        picture.metadata.update(_without(film.metadata, _OF_THE_ENCODING))
        picture.disposition = film.disposition

    def _moved(self, chapter: Chapter) -> Chapter:
        """The chapter in the time of the output."""
        base = chapter["time_base"] or Fraction(1, av.time_base)
        shift = round(self._shift / base)
        end = chapter["end"] if self._last is None else min(chapter["end"], self._last // base)
        return {**chapter, "start": max(0, chapter["start"] - shift), "end": end - shift}

    def _add(self, stream: Stream) -> None:
        if stream.type == "video":
            if kind_of(stream) == "cover":
                self._add_cover(stream)
            elif stream != main_video(self._source, self._path):
                self._leave_out(stream, "only one picture is painted")
        elif stream.type == "attachment":
            if self._output.format.name in _HOLDS_ATTACHMENTS:
                self._output.add_stream_from_template(stream).metadata.update(stream.metadata)
            else:
                self._leave_out(stream)
        elif stream.type == "data":
            # In mp4 a track of chapter titles is data too; chapters are copied as chapters. A time code
            # is a tag of the picture too.
            if not self._source.chapters() and "timecode" not in stream.metadata:
                self._leave_out(stream, "nobody knows what it says about which picture")
        else:
            self._add_track(stream)

    def _add_track(self, stream: Stream) -> None:
        if stream.type == "audio" and not _is_known(stream):
            self._leave_out(stream, "nothing of it can be decoded")
            return
        try:
            target = self._output.add_stream_from_template(stream)
        except (ValueError, av.error.FFmpegError) as exc:
            if stream.type != "audio":
                self._leave_out(stream)
                return
            raise OutputError(
                f"{self._output_path}: {self._output.format.name} cannot hold the sound "
                f"of {self._path} ({_codec(stream)}); use a name that ends in .mkv"
            ) from exc
        target.metadata.update(stream.metadata)
        target.disposition = stream.disposition
        self._targets[stream.index] = target
        number = 1 + sum(each.kind == kind_of(stream) for each in self.tracks.values())
        self._tracks[target.index] = self.tracks[f"{kind_of(stream)} {number}"] = Track(kind=kind_of(stream))

    def _add_cover(self, stream: Stream) -> None:
        if self._output.format.name in _HOLDS_ATTACHMENTS and _codec(stream) in _COVER_NAMES:
            name, kind = _COVER_NAMES[_codec(stream)]
            self._output.add_attachment(stream.metadata.get("filename", name), kind, self._read_cover(stream))
            return
        if self._output.format.name in _HOLDS_COVERS:
            self._add_track(stream)
        else:
            self._leave_out(stream)

    def _read_cover(self, stream: Stream) -> bytes:
        with open_container(self._path) as container:
            return bytes(next(container.demux(container.streams[stream.index])))

    def _leave_out(self, stream: Stream, why: str | None = None) -> None:
        if why is None:
            why = f"{self._output.format.name} cannot hold it"
            if _codec(stream) in _ONLY_IN_MP4:
                why += "; a name that ends in .mp4 can"
            elif self._output.format.name not in _HOLDS_ATTACHMENTS:
                why += "; a name that ends in .mkv may"
        what = f"{kind_of(stream)}, {stream.metadata.get('filename', _codec(stream))}"
        self.notices.append(
            f"{self._output_path}: without stream {stream.index} of the input ({what}): {why}"
        )


def has_others(path: Path) -> bool:
    """Whether a media file has more than a picture."""
    with open_container(path) as container:
        return len(container.streams) > 1 or bool(container.chapters())


def _is_known(sound: Stream) -> bool:
    """Whether enough was found of a sound track to say how it must be played."""
    context: CodecContext | None = sound.codec_context
    return context is not None and bool(getattr(context, "sample_rate", 0))


def _codec(stream: Stream) -> str:
    return stream.codec_context.name if stream.codec_context is not None else "unknown format"


def _without(tags: dict[str, str], unwanted: set[str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key.lower() not in unwanted}
