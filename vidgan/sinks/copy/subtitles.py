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
_TEXT_AT = 8
"""Fields before the text of a dialogue."""


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
        target.codec_context.subtitle_header = self._decoder.subtitle_header or _ASS_HEADER
        target.codec_context.time_base = target.time_base = _MILLISECOND
        self.target = target
        self.damaged = self.count = 0

    def packets(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """What comes of a packet, whose times are the output's."""
        try:
            found = self._decoder.decode2(packet)
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        lines = [each.ass for each in found or () if isinstance(each, AssSubtitle) and each.ass]
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


def _joined(lines: list[bytes]) -> bytes:
    """One dialogue of several that are shown at once."""
    texts = [each.split(b",", _TEXT_AT)[-1] for each in lines[1:]]
    return _LINE_BREAK.join([lines[0], *texts])
