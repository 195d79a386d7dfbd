"""Sound in Matroska as ``A_MS/ACM``: codecs for which it has no name of its own, such as WMA and ADPCM.

FFmpeg's muxer writes these too, but PyAV asks it only for codecs that it has a name for. So such a stream is
muxed as PCM, under a title that leaves room, and its entry in the header is rewritten in place afterwards:
``CodecID`` becomes ``A_MS/ACM`` and ``CodecPrivate`` the ``WAVEFORMATEX`` that FFmpeg's AVI muxer writes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream

_SEGMENT, _TRACKS, _ENTRY, _CRC, _VOID = 0x18538067, 0x1654AE6B, 0xAE, 0xBF, 0xEC
_NAME, _CODEC_ID, _CODEC_PRIVATE, _AUDIO, _BIT_DEPTH = 0x536E, 0x86, 0x63A2, 0xE1, 0x6264
_MARK = b"vidgan-acm-"
_ROOM = 128
_HEADER_BYTES = 1 << 20
_BITS_AT = 14
"""Offset of ``wBitsPerSample`` in ``WAVEFORMATEX``."""


class AcmTrack:
    """One such stream of an output.

    Args:
        source: the stream that is copied.
        wave_format: its ``WAVEFORMATEX``.
        number: of the stream in the output, to find its entry.
    """

    def __init__(self, source: AudioStream, wave_format: bytes, number: int) -> None:
        self._source, self._format = source, wave_format
        self._mark = _MARK + f"{number}-".encode()
        self._title = source.metadata.get("title", "").encode()

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Adds the PCM stream that stands in until the header is rewritten."""
        stream = container.add_stream("pcm_s16le", rate=self._source.rate)
        assert isinstance(stream, AudioStream)
        stream.layout = self._source.layout
        stream.time_base = self._source.time_base
        room = len(self._format) + len(self._title) + _ROOM
        stream.metadata["title"] = (self._mark + b"x" * room).decode()
        return stream

    def rewrite(self, file: BinaryIO) -> None:
        """Rewrites the entry in the header of a finished file.

        Raises:
            ValueError: there is no such entry.
        """
        file.seek(0)
        data = file.read(_HEADER_BYTES)
        start, end = _find_tracks(data)
        tracks = bytearray(data[start:end])
        for entry_id, entry_start, entry_end in _children(tracks):
            entry = bytes(tracks[entry_start:entry_end])
            if entry_id == _ENTRY and self._is_own(entry):
                tracks[entry_start:entry_end] = self._rewritten(entry)
                _set_checksum(tracks)
                file.seek(start)
                file.write(tracks)
                return
        raise ValueError("the track is not in the header")

    def _is_own(self, entry: bytes) -> bool:
        return any(
            each == _NAME and entry[start:end].startswith(self._mark) for each, start, end in _children(entry)
        )

    def _rewritten(self, entry: bytes) -> bytes:
        made = b""
        for each, start, end in _children(entry):
            content = entry[start:end]
            if each == _NAME:
                made += _element(_NAME, self._title) if self._title else b""
            elif each == _CODEC_ID:
                made += _element(_CODEC_ID, b"A_MS/ACM") + _element(_CODEC_PRIVATE, self._format)
            elif each == _AUDIO:
                made += _element(_AUDIO, self._with_bit_depth(content))
            elif each not in (_VOID, _CODEC_PRIVATE):
                made += _element(each, content)
        left = len(entry) - len(made)
        return made + _element(_VOID, bytes(left - 9), size_bytes=8)

    def _with_bit_depth(self, audio: bytes) -> bytes:
        made = b"".join(
            _element(each, audio[start:end]) for each, start, end in _children(audio) if each != _BIT_DEPTH
        )
        bits = self._format[_BITS_AT]
        return made + (_element(_BIT_DEPTH, bytes([bits])) if bits else b"")


def wave_format(stream: Stream) -> bytes | None:
    """The ``WAVEFORMATEX`` of a stream, as FFmpeg writes it; None where RIFF has no tag for the codec."""
    file = BytesIO()
    try:
        with av.open(file, "w", format="avi") as container:
            container.add_stream_from_template(stream)
            container.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return None
    data = file.getvalue()
    at = data.find(b"strf")
    if at < 0:
        return None
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    return data[at + 8 : at + 8 + size]


def rewrite_all(path: Path, tracks: list[AcmTrack]) -> None:
    """Rewrites the header of a finished file."""
    if tracks:
        with path.open("rb+") as file:
            for track in tracks:
                track.rewrite(file)


def _find_tracks(data: bytes) -> tuple[int, int]:
    for top, start, end in _children(data):
        if top == _SEGMENT:
            for each, inner, inner_end in _children(data, start, end):
                if each == _TRACKS:
                    return inner, inner_end
    raise ValueError("the file has no tracks")


def _children(
    data: bytes | bytearray, start: int = 0, end: int | None = None
) -> Iterator[tuple[int, int, int]]:
    """ID, and where the content begins and ends, of each element."""
    end = len(data) if end is None else min(end, len(data))
    while start + 2 <= end:
        width = _width(data[start])
        identifier = int.from_bytes(data[start : start + width], "big")
        start += width
        width = _width(data[start])
        size = int.from_bytes(data[start : start + width], "big") & ((1 << 7 * width) - 1)
        start += width
        stop = end if size == (1 << 7 * width) - 1 else start + size
        yield identifier, start, stop
        start = stop


def _width(first: int) -> int:
    return 9 - max(1, first.bit_length())


def _element(identifier: int, content: bytes, *, size_bytes: int = 4) -> bytes:
    size = (len(content) | 1 << 7 * size_bytes).to_bytes(size_bytes, "big")
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big") + size + content


def _set_checksum(tracks: bytearray) -> None:
    """The CRC-32 of everything after it, where the muxer wrote one."""
    first, start, end = next(_children(tracks))
    if first == _CRC:
        tracks[start:end] = zlib.crc32(bytes(tracks[end:])).to_bytes(4, "little")
