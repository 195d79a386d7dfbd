"""Text subtitles converted into the kind that the output's container holds."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

TEXT_CODECS = {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"}
"""Subtitles that are text; others are images."""

_ENCODERS = {"matroska": "subrip", "mp4": "mov_text", "mov": "mov_text", "webm": "webvtt"}
_MILLISECOND = Fraction(1, 1000)

_ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, \
MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
_LINE_BREAK = b"\\N"
_DEFAULTS = {
    b"Layer": b"0",
    b"Style": b"Default",
    b"Name": b"",
    b"MarginL": b"0",
    b"MarginR": b"0",
    b"MarginV": b"0",
    b"Effect": b"",
}
_FIELDS = list(_DEFAULTS)
"""Fields between the number of a dialogue and its text."""


def find_text_encoder(muxer: str) -> str | None:
    """The encoder of the text subtitles that the container holds."""
    return _ENCODERS.get(muxer)


class SubtitleConversion:
    """Decodes the packets of a stream and encodes their text.

    Attributes:
        damaged: packets that could not be decoded.
        count: subtitles that were encoded.
    """

    def __init__(self, container: OutputContainer, encoder: str, source: Stream) -> None:
        assert isinstance(source, SubtitleStream)
        self._decoder = source.codec_context
        self._decoder.open(strict=False)
        target = container.add_stream(encoder)
        assert isinstance(target, SubtitleStream)
        header = self._decoder.subtitle_header or _ASS_HEADER
        self._fields = _fields_of(header)
        target.codec_context.subtitle_header = header
        target.codec_context.time_base = target.time_base = _MILLISECOND
        self.target = target
        self.damaged = self.count = 0

    def packets(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """Packets made from one packet, whose times are the output's."""
        try:
            found = self._decoder.decode2(packet)
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        lines = [
            _standard(each.ass, self._fields)
            for each in found or ()
            if isinstance(each, AssSubtitle) and each.ass
        ]
        if found is None or not lines or packet.pts is None or packet.time_base is None:
            return []
        duration = packet.duration * packet.time_base / _MILLISECOND if packet.duration else 0
        milliseconds = round(duration) or found.end_display_time
        start = round(packet.pts * packet.time_base / _MILLISECOND)
        subtitle = SubtitleSet.create(_joined(lines), 0, milliseconds, pts=start)
        try:
            made = self.target.codec_context.encode_subtitle(subtitle)
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        made.time_base, made.duration = _MILLISECOND, milliseconds
        made.stream = self.target
        self.count += 1
        return [made]

    def flush(self) -> list[Packet[Any]]:
        """Nothing: each packet is converted on its own."""
        return []


def _fields_of(header: bytes) -> list[bytes]:
    """Fields of a dialogue before its text, in the order of the header's events."""
    events = header.partition(b"[Events]")[2]
    order = next((each for each in events.splitlines() if each.startswith(b"Format:")), b"")
    names = [each.strip() for each in order.removeprefix(b"Format:").split(b",")]
    found = [each for each in names if each not in (b"Start", b"End", b"Text", b"Marked", b"")]
    return found or _FIELDS


def _standard(dialogue: bytes, fields: list[bytes]) -> bytes:
    """The dialogue with the fields that FFmpeg's encoders expect: its own order, and none left out."""
    if fields == _FIELDS:
        return dialogue
    number, *values = dialogue.split(b",", len(fields) + 1)
    text = values[len(fields)] if len(values) > len(fields) else b""
    known = dict(zip(fields, values, strict=False))
    return b",".join([number, *(known.get(each, _DEFAULTS[each]) for each in _FIELDS), text])


def _joined(lines: list[bytes]) -> bytes:
    """One dialogue of several that are shown at once."""
    texts = [each.split(b",", len(_FIELDS) + 1)[-1] for each in lines[1:]]
    return _LINE_BREAK.join([lines[0], *texts])
