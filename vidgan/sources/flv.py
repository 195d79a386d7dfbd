"""FLV files that stand one after the other in one file, of which FFmpeg reads the first."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

_HEADER = re.compile(rb"FLV\x01[\0\1\4\5]\0\0\0\x09\0\0\0\0")
_HEADER_BYTES = 13
"""The header, and the size of the tag before it, which is none."""

_TAG_HEADER_BYTES = 11
_TAG_END_BYTES = 4
_TAGS = _SOUND_TAG, _VIDEO_TAG, _SCRIPT_TAG = 8, 9, 18

_CHUNK_BYTES = 1 << 20


class FlvFile(NamedTuple):
    """One of the FLV files.

    Attributes:
        start, end: byte offsets.
        video, sound: what FLV calls the codecs; None where it has none, or where there is one part alone.
    """

    start: int
    end: int
    video: bytes | None = None
    sound: bytes | None = None


class JoinedFlv(io.RawIOBase):
    """The parts of such a file as one FLV: one header, and the tags of all parts.

    Times begin anew in each part. Parts with other codecs than the first are left out, since FFmpeg makes other
    streams of them.

    Args:
        path: of a file with several parts, see :func:`open_joined`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = -1
        self.name = str(path)
        self._spans = [(part.start, part.end) for part in _readable_parts(path)]
        self._spans[1:] = [(start + _HEADER_BYTES, end) for start, end in self._spans[1:]]
        self._starts = [0, *accumulate(end - start for start, end in self._spans)]
        self._place = 0
        # Without an object of its own, which the garbage collector might warn of.
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._starts[-1]}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        for (start, end), first in zip(self._spans, self._starts, strict=False):
            within = self._place - first
            if 0 <= within < end - start:
                os.lseek(self._file, start + within, os.SEEK_SET)
                data = os.read(self._file, min(len(view), end - start - within))
                view[: len(data)] = data
                self._place += len(data)
                return len(data)
        return 0

    def close(self) -> None:
        if not self.closed and self._file >= 0:
            os.close(self._file)
        super().close()


def open_joined(path: Path) -> JoinedFlv | None:
    """Opens FLV files that stand one after the other, as ``cat`` and some recorders join them; None for all else."""
    try:
        return JoinedFlv(path) if len(_readable_parts(path)) > 1 else None
    except OSError:
        return None  # FFmpeg says why it cannot be read.


def unread_parts(path: Path) -> Iterator[str]:
    """A sentence about parts that are left out, where there are some."""
    if left := len(_parts(path)) - len(_readable_parts(path)):
        yield (
            f"{path}: is {len(_parts(path))} FLV files one after the other, of which {left} have other codecs "
            "than the first and are not read; split the file first"
        )


def _readable_parts(path: Path) -> list[FlvFile]:
    """Those that have no codec that the first has not."""
    parts = _parts(path)
    return [
        part
        for part in parts
        if part.video in (None, parts[0].video) and part.sound in (None, parts[0].sound)
    ]


def _parts(path: Path) -> tuple[FlvFile, ...]:
    """The parts; none for a file that is not FLV."""
    status = path.stat()
    return _parts_of(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _parts_of(path: Path, size: int, modified_ns: int) -> tuple[FlvFile, ...]:
    with path.open("rb") as file:
        if not _HEADER.match(file.read(_HEADER_BYTES)):
            return ()
        starts = [*_headers(file), size]
        if len(starts) == 2:
            return (FlvFile(0, size),)
        return tuple(_part(file, start, end) for start, end in pairwise(starts))


def _headers(file: io.BufferedReader) -> Iterator[int]:
    """Offsets of all headers. Tags are not followed, as a part may be cut off in one."""
    file.seek(0)
    offset, kept = 0, b""
    while chunk := file.read(_CHUNK_BYTES):
        data = kept + chunk
        yield from (offset + found.start() for found in _HEADER.finditer(data))
        kept = data[1 - _HEADER_BYTES :]
        offset += len(data) - len(kept)


def _part(file: io.BufferedReader, start: int, end: int) -> FlvFile:
    """A part up to its last whole tag."""
    found: dict[int, bytes] = {}
    place = start + _HEADER_BYTES
    while place + _TAG_HEADER_BYTES < end:
        file.seek(place)
        tag = file.read(_TAG_HEADER_BYTES + 5)
        kind, size = tag[0] & 0x1F, int.from_bytes(tag[1:4], "big")
        if kind not in _TAGS:
            place = end  # Damaged: FFmpeg finds the next tag by itself.
            break
        if place + _TAG_HEADER_BYTES + size > end:
            break
        if kind != _SCRIPT_TAG and size:
            found.setdefault(kind, _codec(kind, tag[_TAG_HEADER_BYTES:]))
        place += _TAG_HEADER_BYTES + size + _TAG_END_BYTES
    return FlvFile(start, min(place, end), found.get(_VIDEO_TAG), found.get(_SOUND_TAG))


def _codec(kind: int, data: bytes) -> bytes:
    """Four bits, or the four characters of Enhanced RTMP."""
    if kind == _SOUND_TAG:
        return data[1:] if data[0] >> 4 == 9 else bytes([data[0] >> 4])
    return data[1:] if data[0] & 0x80 else bytes([data[0] & 0x0F])
