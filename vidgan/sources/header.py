"""How large a picture says it is, read from its first bytes, before anything is decoded."""

import re
import struct
from collections.abc import Iterator
from struct import unpack_from

Size = tuple[int, int]
"""Width and height, in pixels."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_JPEG_MARKER = re.compile(rb"\xff+([^\xff\x00])", re.S)
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = {0x01, *range(0xD0, 0xD9)}
"""Markers that nothing belongs to."""

_TIFF_LAYOUTS = {b"II*\0": "<", b"MM\0*": ">"}
_BIG_TIFF_LAYOUTS = {b"II+\0": "<", b"MM\0+": ">"}
_TIFF_SIDES = (256, 257)
_TIFF_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


def size_of(data: bytes) -> Size | None:
    """The size that a PNG, JPEG, WebP, BMP or TIFF declares; None if it is none of these, or too damaged.

    Where a file says it more than once, the largest counts.
    """
    try:
        if data.startswith(_PNG):
            return unpack_from(">II", data, 16)
        if data.startswith(_JPEG):
            return _largest(_jpeg_sizes(data))
        if data.startswith(b"BM"):
            return _bmp_size(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _largest(_webp_sizes(data))
        if data[:4] in _TIFF_LAYOUTS:
            return _tiff_size(data, _TIFF_LAYOUTS[data[:4]])
        if data[:4] in _BIG_TIFF_LAYOUTS:
            return _tiff_size(data, _BIG_TIFF_LAYOUTS[data[:4]], big=True)
    except struct.error:
        pass
    return None


def _largest(sizes: Iterator[Size]) -> Size | None:
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _jpeg_sizes(data: bytes) -> Iterator[Size]:
    position = len(_JPEG)
    # What lies between two segments is passed over, as decoders do.
    while found := _JPEG_MARKER.search(data, position):
        marker, position = found[1][0], found.end()
        if marker in _JPEG_BARE:
            continue
        if marker in _JPEG_FRAMES:
            height, width = unpack_from(">HH", data, position + 3)
            yield width, height
        if marker in (0xDA, 0xD9):
            return  # A frame after the first scan is one too many, which decoders refuse.
        position += unpack_from(">H", data, position)[0]


def _bmp_size(data: bytes) -> Size:
    old = unpack_from("<I", data, 14)[0] == 12
    width, height = unpack_from("<HH" if old else "<ii", data, 18)
    return abs(width), abs(height)


def _webp_sizes(data: bytes) -> Iterator[Size]:
    position = 12
    while position + 8 <= len(data):
        kind, length = unpack_from("<4sI", data, position)
        position += 8
        if kind == b"VP8X":
            width, height = (
                int.from_bytes(data[position + at : position + at + 3], "little") for at in (4, 7)
            )
            yield width + 1, height + 1
        elif kind == b"VP8 ":
            width, height = unpack_from("<HH", data, position + 6)
            yield width & 0x3FFF, height & 0x3FFF
        elif kind == b"VP8L":
            bits = unpack_from("<I", data, position + 1)[0]
            yield (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        position += length + length % 2


def _tiff_size(data: bytes, order: str, *, big: bool = False) -> Size | None:
    """Of the first picture; a tag that comes twice counts by its largest number."""
    start = unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)[0]
    count = unpack_from(f"{order}{'Q' if big else 'H'}", data, start)[0]
    length, at = (20, 8) if big else (12, 2)
    sides: dict[int, int] = {}
    for entry in range(start + at, min(start + at + count * length, len(data)), length):
        tag, kind = unpack_from(f"{order}HH", data, entry)
        if tag in _TIFF_SIDES and kind in _TIFF_NUMBERS:
            number = unpack_from(f"{order}{_TIFF_NUMBERS[kind]}", data, entry + length - (8 if big else 4))[0]
            sides[tag] = max(sides.get(tag, 0), number)
    return (sides[256], sides[257]) if len(sides) == 2 else None
