"""One stream of an input on its way into an output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from av.packet import Packet
from av.rational import AVRational
from av.stream import Stream

from vidgan.sinks.copy.audio import AudioConversion
from vidgan.sinks.copy.plan import StreamPlan
from vidgan.sinks.copy.subtitles import SubtitleConversion
from vidgan.sinks.copy.written_stream import WrittenStream

_MAY_REPEAT_TIMES = {"matroska", "webm"}
"""Muxers in which two packets of a stream may have the same time."""


@dataclass
class Route:
    """One stream on its way.

    Attributes:
        plan: what is done with it.
        target: the stream of the output.
        track: what was written.
        conversion: makes packets of the output from those of the input; None where they are copied.
        last: the last time that was written, in ticks of the output.
        nudged: packets that were moved by a tick, since two had one time.
    """

    plan: StreamPlan
    target: Stream
    track: WrittenStream
    last: int | None = None
    nudged: int = 0
    conversion: AudioConversion | SubtitleConversion | None = None

    @property
    def damaged(self) -> int:
        """Packets that were left out."""
        return self.track.damaged + (0 if self.conversion is None else self.conversion.damaged)

    def keep_order(self, packet: Packet[Any], muxer: str) -> None:
        """Moves a packet by a tick where the output's time base gives it the time of the last one.

        Args:
            muxer: FFmpeg's name of the output's container.
        """
        base = self.target.time_base
        if packet.dts is None or packet.time_base is None or not base or self.plan.kind == "cover":
            return
        packet.rescale_ts(AVRational(base.numerator, base.denominator))
        assert packet.dts is not None
        least = 0 if muxer in _MAY_REPEAT_TIMES or self.plan.kind == "subtitle" else 1
        if self.last is not None and packet.dts < self.last + least:
            move = self.last + least - packet.dts
            packet.dts += move
            packet.pts = None if packet.pts is None else packet.pts + move
            self.nudged += 1
        self.last = packet.dts


def encoder_words(encoder: str) -> str:
    """The codec of an encoder, for messages."""
    names = {
        "libopus": "Opus",
        "subrip": "SubRip",
        "pcm_s24le": "PCM",
        "mov_text": "mov_text",
        "webvtt": "WebVTT",
    }
    return names.get(encoder, encoder.upper())
