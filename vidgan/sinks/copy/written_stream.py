"""The streams of an output that are not its video, as they were written."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.packet import Packet
from av.stream import Disposition, Stream


@dataclass(kw_only=True)
class WrittenStream:
    """Packets written into one stream.

    Attributes:
        key: kind and number of that kind, such as ``"audio 1"``.
        kind: ``"audio"``, ``"subtitle"``, ``"data"`` or ``"cover"``.
        source_index: of the stream in the input that it came from.
        copied: whether packets are those of the input; they were encoded anew otherwise.
        is_pcm: whether it is plain samples, which containers cut into packets as they like.
        packets, bytes: how many.
        start: seconds at which the first packet is presented.
        odd: packets whose times were moved, which was reported.
        damaged: packets that were left out, which was reported.
    """

    key: str
    kind: str
    source_index: int
    copied: bool
    is_pcm: bool = False
    packets: int = 0
    bytes: int = 0
    start: Fraction | None = None
    odd: int = 0
    damaged: int = 0

    def count(self, packet: Packet[Any]) -> None:
        """Takes a packet into account that was written."""
        self.packets += 1
        self.bytes += packet.size
        if self.start is None and packet.pts is not None and packet.time_base is not None:
            self.start = packet.pts * packet.time_base


def stream_kind(stream: Stream) -> str:
    """``"cover"`` for an attached image, or the stream's type."""
    return "cover" if stream.disposition & Disposition.attached_pic else stream.type
