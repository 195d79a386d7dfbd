"""Sizes that image files declare, read from their first bytes before anything is decoded."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from struct import unpack_from

Size = tuple[int, int]
"""Width and height, in pixels."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_JPEG_MARKER = re.compile(rb"\xff+([^\xff\x00])", re.S)
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a segment."""

_TIFF_LAYOUTS = {b"II*\0": "<", b"MM\0*": ">"}
_BIG_TIFF_LAYOUTS = {b"II+\0": "<", b"MM\0+": ">"}
_TIFF_SIDES = (256, 257)
_TIFF_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"miaf"}
HEIF_SUFFIXES = {".heic", ".heif", ".hif", ".avif"}

_SIZE_PROPERTY = b"ispe"
_HEADER_BYTES = 1 << 18


def size_of(data: bytes) -> Size | None:
    """The size that a PNG, JPEG, WebP, BMP, TIFF, HEIC or AVIF declares; None if it is none of these, or too damaged.

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
        if data[4:8] == b"ftyp":
            return _heif_size(data)
    except struct.error:
        pass
    return None


def is_cmyk(data: bytes) -> bool:
    """Whether a JPEG has four components, as those for print."""
    try:
        return data.startswith(_JPEG) and any(each[2] == 4 for each in _jpeg_frames(data))
    except struct.error:
        return False


def is_heif(data: bytes) -> bool:
    """Whether a file that begins so is a HEIC or AVIF, moving or not."""
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS


def is_heif_sequence(path: Path) -> bool:
    """Whether a HEIC or AVIF has a track of images that play, which FFmpeg decodes as a video."""
    with path.open("rb") as file:
        while len(header := file.read(8)) == 8:
            length, kind = int.from_bytes(header[:4], "big"), header[4:]
            if kind == b"moov":
                return True
            if length == 1:
                length = int.from_bytes(file.read(8), "big") - 8
            if length < 8:
                return False
            file.seek(length - 8, 1)
    return False


def _heif_size(data: bytes) -> tuple[int, int] | None:
    """The largest size that a HEIC or AVIF declares: that of the whole image, not of its tiles."""
    sizes, at = [], data.find(_SIZE_PROPERTY, 0, _HEADER_BYTES)
    while at >= 0:
        width, height = (int.from_bytes(data[at + each : at + each + 4], "big") for each in (8, 12))
        sizes.append((width, height))
        at = data.find(_SIZE_PROPERTY, at + 4, _HEADER_BYTES)
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _largest(sizes: Iterator[Size]) -> Size | None:
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _jpeg_sizes(data: bytes) -> Iterator[Size]:
    return ((width, height) for width, height, _ in _jpeg_frames(data))


def _jpeg_frames(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Width, height and number of components of each frame header."""
    position = len(_JPEG)
    # Bytes between two segments are skipped, as decoders do.
    while found := _JPEG_MARKER.search(data, position):
        marker, position = found[1][0], found.end()
        if marker in _JPEG_BARE:
            continue
        if marker in _JPEG_FRAMES:
            height, width, components = unpack_from(">HHB", data, position + 3)
            yield width, height, components
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
    """Size of the first image; of a tag that comes twice, the largest number counts."""
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
