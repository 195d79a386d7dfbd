"""FLV files that stand one after the other in one file, of which FFmpeg reads the first."""

from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"FLV\x01"
_HEADER_BYTES = 9
_TAG_HEADER_BYTES = 11
_SIZE_BYTES = 4
"""After the header, and after each tag, stands the size of the tag before."""


def unread_parts(path: Path) -> Iterator[str]:
    """A sentence about them, where there are some."""
    if (parts := _parts(path)) > 1:
        yield (
            f"{path}: is {parts} FLV files one after the other, of which only the first is read; "
            "split or join them first"
        )


def _parts(path: Path) -> int:
    """Number of FLV files in one, as ``cat`` and some recorders join them."""
    parts, place, size = 1, _HEADER_BYTES + _SIZE_BYTES, path.stat().st_size
    with path.open("rb") as file:
        while place + _TAG_HEADER_BYTES <= size:
            file.seek(place)
            header = file.read(_TAG_HEADER_BYTES)
            if header.startswith(_SIGNATURE):
                parts += 1
                place += _HEADER_BYTES + _SIZE_BYTES
            else:
                place += _TAG_HEADER_BYTES + int.from_bytes(header[1:4], "big") + _SIZE_BYTES
    return parts
