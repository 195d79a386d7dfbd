"""Finds the vault of a file."""

import os
from pathlib import Path

from av.stream import AttachmentStream

from vidgan.errors import InputError
from vidgan.media.vault_file import ATTACHMENT_NAME, read_box, sidecar_of
from vidgan.sources.container import open_container

_HEAD_BYTES = 8
_FTYP, _EBML = b"ftyp", b"\x1a\x45\xdf\xa3"


def find_vault(path: Path) -> bytes | None:
    """The vault in a file or beside it; None where there is none.

    Raises:
        InputError: the file cannot be read.
    """
    if not path.is_file():
        return None
    try:
        found = _inside(path)
        sidecar = sidecar_of(path)
        return sidecar.read_bytes() if found is None and os.path.lexists(sidecar) else found
    except OSError as exc:
        raise InputError(f"{path}: its vault cannot be read: {exc.strerror or exc}") from exc


def _inside(path: Path) -> bytes | None:
    """By the content: an upload has no name."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[4:8] == _FTYP:
        return read_box(path)
    if not head.startswith(_EBML):
        return None
    with open_container(path) as container:
        for stream in container.streams:
            if isinstance(stream, AttachmentStream) and stream.metadata.get("filename") == ATTACHMENT_NAME:
                return bytes(stream.data)
    return None
