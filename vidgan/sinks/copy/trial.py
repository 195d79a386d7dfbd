"""Whether a container holds a stream: found out by writing its first packets into one in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
from av.codec import CodecContext
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

_FAMILIES = {"mp1": "mp3", "mp2": "mp3", "ssa": "ass", "text": "subrip"}
"""Codecs that are read back as another one, which decodes them too."""

_FAILURES = (av.error.FFmpegError, ValueError, OSError)


@dataclass(frozen=True, kw_only=True)
class PacketCopy:
    """The parts of a packet that are written; a packet itself can be written only once."""

    data: bytes
    pts: int | None
    dts: int | None
    duration: int
    time_base: Fraction
    is_keyframe: bool

    @classmethod
    def of(cls, packet: Packet[Any]) -> PacketCopy:
        """A copy of a packet that was demuxed."""
        return cls(
            data=bytes(packet),
            pts=packet.pts,
            dts=packet.dts,
            duration=packet.duration or 0,
            time_base=packet.time_base or Fraction(1, 1000),
            is_keyframe=packet.is_keyframe,
        )

    def packet(self, stream: Stream) -> Packet[Any]:
        """A new packet of the stream."""
        made: Packet[Any] = Packet(self.data)
        made.time_base, made.pts, made.dts, made.duration = self.time_base, self.pts, self.dts, self.duration
        made.is_keyframe = self.is_keyframe
        made.stream = stream
        return made


def holds(muxer: str, stream: Stream, packets: Sequence[PacketCopy], options: dict[str, str]) -> bool:
    """Whether the container holds the stream so that it is recognized when it is read.

    Args:
        muxer: FFmpeg's name of the container.
        packets: the first of the stream.
        options: of the muxer.
    """
    file = BytesIO()
    try:
        with av.open(file, "w", format=muxer, options=options) as container:
            write_all(container, container.add_stream_from_template(stream), packets)
    except _FAILURES:
        return False
    return bool(packets) is False or _is_recognized(file, stream)


def write_all(container: OutputContainer, target: Stream, packets: Sequence[PacketCopy]) -> None:
    """Writes packets at times that cannot be wrong: what is asked is whether the codec is accepted."""
    container.start_encoding()
    time = 0
    for each in packets:
        packet = each.packet(target)
        packet.pts = packet.dts = time
        time += max(1, each.duration, round(Fraction(1, 500) / each.time_base))
        container.mux(packet)


def _is_recognized(file: BytesIO, stream: Stream) -> bool:
    file.seek(0)
    try:
        with av.open(file) as container:
            found = container.streams[0]
            return found.type == stream.type and _family(found) == _family(stream)
    except (*_FAILURES, IndexError):
        return False


def _family(stream: Stream) -> str:
    """The codec, where containers that have one number for several do not tell them apart."""
    name = codec_name(stream)
    return _FAMILIES.get(name, name)


def codec_name(stream: Stream) -> str:
    """FFmpeg's name of the codec, whatever decodes it."""
    # There is no context where nothing decodes the stream, whatever PyAV's types say.
    context: CodecContext | None = stream.codec_context
    if context is None:
        return str(getattr(stream, "name", None) or "unknown format")
    return context.codec.canonical_name
