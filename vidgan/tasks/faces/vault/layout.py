"""The bytes of a vault.

::

    header   start of the video (3 × int64, microseconds), then what is encrypted with every chunk:
             salt (16 bytes), and 3 × (version, way, width, height)
    chunks   3 × (length of the places, length of the sealed part), places, sealed part

Whatever a byte is changed to, a vault is read without an error, as one to which the passcode does not fit. Numbers
by which the rest is found stand there three times, and each bit is what two of them say.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vidgan.tasks.faces.vault.cipher import SALT_BYTES

VERSION = 1
WAYS = "pixelate", "blur", "generator"
"""How the faces of the video are hidden."""

_START = struct.Struct("<q")
_FACTS = struct.Struct("<BBHH")
_LENGTHS = struct.Struct("<II")
_PLACE = struct.Struct("<qHhhHH")
_COUNT = struct.Struct("<I")
_CLIP = struct.Struct("<II")
_COPIES = 3
_START_BYTES = _COPIES * _START.size
_LENGTHS_BYTES = _COPIES * _LENGTHS.size
HEADER_BYTES = _START_BYTES + SALT_BYTES + _COPIES * _FACTS.size
_LEAST_STEP, _STEPS = 1024, 8
"""Bytes, and steps between two powers of two, to which sealed parts are padded."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """The beginning of a vault.

    Attributes:
        salt: 16 random bytes.
        way: one of :data:`WAYS`.
        width, height: of the frames, in pixels.
        start: time in the vault at which the video begins, in microseconds; not 0 for a part of a video.
    """

    salt: bytes
    way: str
    width: int
    height: int
    start: int = 0

    def __bytes__(self) -> bytes:
        return _COPIES * _START.pack(self.start) + self.public

    @property
    def public(self) -> bytes:
        """The part that cannot be changed."""
        facts = _FACTS.pack(VERSION, WAYS.index(self.way), self.width, self.height)
        return self.salt + _COPIES * facts


@dataclass(frozen=True)
class CropPlace:
    """Where a crop belongs.

    Attributes:
        time: of its frame, in microseconds.
        track: number of its face.
        left, top, width, height: in pixels, all even; may reach beyond the frame.
    """

    time: int
    track: int
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class EncodedCrops:
    """Crops of one face and size, encoded together.

    Attributes:
        places: their numbers among the places of the chunk.
        data: H.264, Annex B.
    """

    places: tuple[int, ...]
    data: bytes


@dataclass(frozen=True)
class Chunk:
    """A part of a vault.

    Attributes:
        public: lengths and packed places, which are not secret and cannot be changed either.
        sealed: see :func:`vidgan.tasks.faces.vault.cipher.seal`.
    """

    public: bytes
    sealed: bytes

    @property
    def places(self) -> list[CropPlace]:
        """Where its crops belong; a rest that is no place is left out."""
        return unpack_places(self.public[_LENGTHS_BYTES:])

    def __bytes__(self) -> bytes:
        return self.public + self.sealed


def pack_public(places: Sequence[CropPlace], sealed_bytes: int) -> bytes:
    """The public part of a chunk whose sealed part has so many bytes."""
    packed = b"".join(
        _PLACE.pack(each.time, each.track % (1 << 16), each.left, each.top, each.width, each.height)
        for each in places
    )
    return _COPIES * _LENGTHS.pack(len(packed), sealed_bytes) + packed


def unpack_places(data: bytes) -> list[CropPlace]:
    """Places; a rest that is none is left out, and numbers that no place has become the nearest that one has."""
    whole = len(data) // _PLACE.size * _PLACE.size
    return [
        CropPlace(time, track, left & ~1, top & ~1, max(2, width & ~1), max(2, height & ~1))
        for time, track, left, top, width, height in _PLACE.iter_unpack(data[:whole])
    ]


def pack_clips(clips: Sequence[EncodedCrops]) -> bytes:
    """Packs the crops of a chunk for encryption, padded to a coarse step."""
    parts = [_COUNT.pack(len(clips))]
    for each in clips:
        parts += [
            _CLIP.pack(len(each.places), len(each.data)),
            struct.pack(f"<{len(each.places)}I", *each.places),
        ]
        parts.append(each.data)
    data = b"".join(parts)
    return data.ljust(padded_length(len(data)), b"\0")


def unpack_clips(data: bytes) -> list[EncodedCrops]:
    """The reverse of :func:`pack_clips`, for data that is known to be unchanged."""
    (count,), at = _COUNT.unpack_from(data), _COUNT.size
    clips = []
    for _ in range(count):
        places, length = _CLIP.unpack_from(data, at)
        at += _CLIP.size
        numbers = struct.unpack_from(f"<{places}I", data, at)
        at += 4 * places
        clips.append(EncodedCrops(numbers, data[at : at + length]))
        at += length
    return clips


def padded_length(length: int) -> int:
    """The next step: multiples of an eighth of the power of two below, at least 1 KiB."""
    step = max(_LEAST_STEP, (1 << max(length, 1).bit_length() - 1) // _STEPS)
    return -(-length // step) * step


@dataclass(frozen=True)
class Layout:
    """A vault as it was read.

    Attributes:
        header: the way is the nearest that makes sense, whatever was changed.
        public: the bytes of the header that were encrypted with.
        chunks: as far as they can be told apart.
        complete: whether nothing is left over, and nothing changed that is not encrypted with the chunks.
    """

    header: Header
    public: bytes
    chunks: tuple[Chunk, ...]
    complete: bool


def read_layout(data: bytes) -> Layout:
    """Reads the bytes of a vault; whatever they are, there is no error."""
    head = data[:HEADER_BYTES].ljust(HEADER_BYTES, b"\0")
    (start,) = _START.unpack(_agreed(head[:_START_BYTES]))
    public = head[_START_BYTES:]
    _, way, width, height = _FACTS.unpack(_agreed(public[SALT_BYTES:]))
    header = Header(
        salt=public[:SALT_BYTES], way=WAYS[way % len(WAYS)], width=width, height=height, start=start
    )
    chunks, at = [], HEADER_BYTES
    while at + _LENGTHS_BYTES <= len(data):
        places, sealed = _LENGTHS.unpack(_agreed(data[at : at + _LENGTHS_BYTES]))
        begin, end = at + _LENGTHS_BYTES + places, at + _LENGTHS_BYTES + places + sealed
        if end > len(data):
            break
        chunks.append(Chunk(data[at:begin], data[begin:end]))
        at = end
    complete = at == len(data) and head[:_START_BYTES] == _COPIES * _START.pack(start)
    return Layout(header, public, tuple(chunks), complete)


def begun_at(data: bytes, microseconds: int) -> bytes:
    """The vault of the part of a video that begins so much later."""
    header = replace(read_layout(data).header, start=read_layout(data).header.start + microseconds)
    return _COPIES * _START.pack(header.start) + data[_START_BYTES:]


def _agreed(copies: bytes) -> bytes:
    """The bytes that two of three copies agree on, bit by bit."""
    size = len(copies) // _COPIES
    one, two, three = (copies[number * size : (number + 1) * size] for number in range(_COPIES))
    return bytes(a & b | a & c | b & c for a, b, c in zip(one, two, three, strict=True))
