"""Animated images: which files move, and how often they play."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_GIF_BYTES = 1 << 16
"""In which a GIF says how often it plays, before its first image."""

_PNG = b"\x89PNG\r\n\x1a\n"
_GIF_LOOP = b"\x21\xff\x0bNETSCAPE2.0\x03\x01"
_GIF_TRAILER = b"\x3b"
_PNG_END = b"IEND"
_END_BYTES = 64
"""From the end of a file, in which its end mark stands."""
_WEBP_ANIMATED = 0x02


def is_animated(path: Path) -> bool:
    """Whether a file is a GIF, or an animated PNG or WebP."""
    return loop_count_of(path) is not None


def loop_count_of(path: Path) -> int | None:
    """How often a GIF, APNG or animated WebP plays; 0 for ever, None for any other file."""
    try:
        with path.open("rb") as file:
            signature = file.read(8)
            if signature.startswith((b"GIF87a", b"GIF89a")):
                return _gif_loop_count(file.read(_GIF_BYTES))
            if signature == _PNG:
                return _apng_loop_count(file)
            if signature.startswith(b"RIFF") and file.read(4) == b"WEBP":
                return _webp_loop_count(file)
    except (OSError, struct.error):
        pass
    return None


def has_end_mark(path: Path) -> bool:
    """Whether a GIF or PNG has the mark that ends it; True for any other file.

    FFmpeg reads one that is cut off as a shorter one, without a complaint.
    """
    with path.open("rb") as file:
        signature = file.read(8)
        if not signature.startswith((b"GIF87a", b"GIF89a", _PNG)):
            return True
        file.seek(-min(_END_BYTES, path.stat().st_size), os.SEEK_END)
        tail = file.read()
    return _PNG_END in tail if signature == _PNG else tail.rstrip(b"\0\r\n").endswith(_GIF_TRAILER)


def _gif_loop_count(data: bytes) -> int:
    at = data.find(_GIF_LOOP)
    if at < 0:
        return 1
    repeats = int.from_bytes(data[at + len(_GIF_LOOP) :][:2], "little")
    # The number says how often it is repeated after the first time.
    return repeats + 1 if repeats else 0


def _apng_loop_count(file: BinaryIO) -> int | None:
    while header := file.read(8):
        length, kind = struct.unpack(">I4s", header)
        if kind == b"acTL":
            frames, plays = struct.unpack(">II", file.read(8))
            return int(plays) if frames > 1 else None
        if kind == b"IDAT":
            return None
        file.seek(length + 4, 1)
    return None


def _webp_loop_count(file: BinaryIO) -> int | None:
    for kind, length in _riff_chunks(file):
        if kind == b"VP8X" and not file.read(1)[0] & _WEBP_ANIMATED:
            return None
        if kind == b"ANIM":
            return int(struct.unpack("<IH", file.read(6))[1])
        if kind == b"VP8X":
            file.seek(-1, 1)
        elif kind in (b"VP8 ", b"VP8L"):
            return None
        file.seek(length + length % 2, 1)
    return None


def _riff_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    while len(header := file.read(8)) == 8:
        kind, length = struct.unpack("<4sI", header)
        yield kind, length
