"""Where a file keeps its vault: in a ``uuid`` box of MP4 and MOV, an attachment of Matroska, or a file beside it.

The contents are described in :mod:`vidgan.tasks.faces.vault.layout`.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

ATTACHMENT_NAME = "faces.vault"
ATTACHMENT_TYPE = "application/x-vidgan-vault"
SIDECAR_SUFFIX = ".vault"
BOXED_SUFFIXES = frozenset((".mp4", ".m4v", ".mov"))
ATTACHED_SUFFIXES = frozenset((".mkv",))

_BOX_ID = UUID("9f0c5a4e-6a53-4b0e-9c65-2d1b8f6f7a31").bytes
_UUID = b"uuid"
_LARGE = 1
_VOID = b"\xec"
"""Matroska's element that stands for nothing."""


def sidecar_of(name: Path) -> Path:
    """``clip.gif`` → ``clip.gif.vault``."""
    return name.with_name(name.name + SIDECAR_SUFFIX)


def place_sidecar(sidecar: Path | None, name: Path) -> None:
    """Gives the file with a vault its name, and takes away one of an earlier file of that name.

    Raises:
        OSError: it cannot be written.
    """
    place = sidecar_of(name)
    if sidecar is not None:
        sidecar.replace(place)
    # There is none of a name that is too long, but to remove it would be an error.
    elif os.path.lexists(place):
        place.unlink(missing_ok=True)


def append_box(path: Path, vault: bytes) -> None:
    """Appends a vault to a finished MP4 or MOV file.

    Raises:
        OSError: it cannot be written.
    """
    content = _BOX_ID + vault
    head = (8 + len(content)).to_bytes(4, "big") + _UUID
    if 8 + len(content) >= 1 << 32:
        head = _LARGE.to_bytes(4, "big") + _UUID + (16 + len(content)).to_bytes(8, "big")
    with path.open("rb+") as file:
        file.seek(0, 2)
        file.write(head + content)


def pad(path: Path, suffix: str, length: int) -> None:
    """Makes a finished file about so long, in formats that have a way to; never shorter.

    Args:
        suffix: of its final name.

    Raises:
        OSError: it cannot be written.
    """
    missing = length - path.stat().st_size
    head = b""
    if suffix in BOXED_SUFFIXES and 8 <= missing < 1 << 32:
        head = missing.to_bytes(4, "big") + b"free"
    elif suffix in ATTACHED_SUFFIXES and missing >= 9:
        head = _VOID + ((1 << 56) | missing - 9).to_bytes(8, "big")
    if head:
        with path.open("ab") as file:
            file.write(head)
            file.write(bytes(missing - len(head)))


def read_box(path: Path) -> bytes | None:
    """The vault in an MP4 or MOV file; None where there is none.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        for kind, start, end in _boxes(file):
            file.seek(start)
            if kind == _UUID and file.read(len(_BOX_ID)) == _BOX_ID:
                return file.read(end - start - len(_BOX_ID))
    return None


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and where the content begins and ends, of each box of the file."""
    file.seek(0, 2)
    length, at = file.tell(), 0
    while at + 8 <= length:
        file.seek(at)
        head = file.read(16)
        size, start = int.from_bytes(head[:4], "big"), at + 8
        if size == _LARGE:
            size, start = int.from_bytes(head[8:16], "big"), at + 16
        end = length if size == 0 else at + size
        if end < start or end > length:
            return
        yield head[4:8], start, end
        at = end
