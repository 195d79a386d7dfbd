"""Repairs of animated WebP as FFmpeg's encoder writes it: the length of the last frame, and transparency."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_HEADER_BYTES = 12
_CHUNK_BYTES = 8
_DURATION_AT = 12
"""Offset of the 24 bits in the content of a chunk ``ANMF``."""

_FLAGS_AT = 20
"""Offset in the file of the flags in the chunk ``VP8X``."""
_ALPHA_FLAG = 0x10

_MOST_MILLISECONDS = (1 << 24) - 1


def set_total_duration(path: Path, milliseconds: int) -> None:
    """Lets the last frame be shown until the animation has lasted as long as it should."""
    with path.open("rb+") as file:
        places = list(_durations(file))
        if not places:
            return
        before = sum(duration for _, duration in places[:-1])
        last = min(_MOST_MILLISECONDS, max(1, milliseconds - before))
        file.seek(places[-1][0])
        file.write(last.to_bytes(3, "little"))


def set_alpha_flag(path: Path) -> None:
    """Says that the animation is transparent.

    The encoder crops frames to what is opaque, and leaves the flag out where nothing else was transparent; players
    then show black around them.
    """
    with path.open("rb+") as file:
        file.seek(_HEADER_BYTES)
        if file.read(4) == b"VP8X":
            file.seek(_FLAGS_AT)
            flags = file.read(1)[0]
            file.seek(_FLAGS_AT)
            file.write(bytes([flags | _ALPHA_FLAG]))


def _durations(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Where the duration of each frame is, and what it is."""
    place = _HEADER_BYTES
    while True:
        file.seek(place)
        header = file.read(_CHUNK_BYTES)
        if len(header) < _CHUNK_BYTES:
            return
        size = int.from_bytes(header[4:], "little")
        if header[:4] == b"ANMF":
            at = place + _CHUNK_BYTES + _DURATION_AT
            file.seek(at)
            yield at, int.from_bytes(file.read(3), "little")
        place += _CHUNK_BYTES + size + size % 2
