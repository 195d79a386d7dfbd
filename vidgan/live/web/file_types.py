"""Types of uploaded files, by their first bytes and whatever they are called."""

from pathlib import Path

_Parts = tuple[tuple[int, bytes], ...]
"""A signature: bytes at offsets."""

_IMAGES: dict[str, tuple[_Parts, str]] = {
    "image/jpeg": (((0, b"\xff\xd8\xff"),), ".jpg"),
    "image/png": (((0, b"\x89PNG\r\n\x1a\n"),), ".png"),
    "image/webp": (((0, b"RIFF"), (8, b"WEBP")), ".webp"),
    "image/bmp": (((0, b"BM"),), ".bmp"),
}
"""Signatures and suffixes by media type."""

_VIDEOS: dict[str, _Parts] = {"video/webm": ((0, b"\x1a\x45\xdf\xa3"),), "video/mp4": ((4, b"ftyp"),)}

_OTHERS: tuple[tuple[_Parts, str], ...] = (
    (((4, b"ftypqt"),), ".mov"),
    (((4, b"ftypavi"),), ".avif"),
    (((4, b"ftyphei"),), ".heic"),
    (((4, b"ftypmif1"),), ".heic"),
    (((4, b"ftyp"),), ".mp4"),
    (((0, b"RIFF"), (8, b"AVI ")), ".avi"),
    (((0, b"GIF8"),), ".gif"),
    (((0, b"II*\0"),), ".tiff"),
    (((0, b"MM\0*"),), ".tiff"),
    (((0, b"\x1a\x45\xdf\xa3"),), ".mkv"),
)
"""Signatures and suffixes of further files that may have credentials."""


def media_type(path: Path) -> str:
    """Media type of a file that browsers can show."""
    head = _head(path)
    signatures = {**{kind: parts for kind, (parts, _) in _IMAGES.items()}, **_VIDEOS}
    found = (kind for kind, parts in signatures.items() if _matches(head, parts))
    return next(found, "application/octet-stream")


def image_suffix(path: Path) -> str:
    """Suffix of an image; empty for other files."""
    return _suffix(path, tuple(_IMAGES.values()))


def media_suffix(path: Path) -> str:
    """Suffix of an image or video, by which credentials are found in it; empty for other files."""
    return _suffix(path, (*_IMAGES.values(), *_OTHERS))


def _suffix(path: Path, signatures: tuple[tuple[_Parts, str], ...]) -> str:
    head = _head(path)
    return next((suffix for parts, suffix in signatures if _matches(head, parts)), "")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _matches(head: bytes, parts: _Parts) -> bool:
    return all(head[offset:].startswith(signature) for offset, signature in parts)
