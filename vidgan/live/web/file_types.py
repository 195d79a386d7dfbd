"""Types of uploaded files, by their first bytes and whatever they are called."""

from pathlib import Path

from vidgan.sources.header import is_heif, is_heif_sequence

_Parts = tuple[tuple[int, bytes], ...]
"""A signature: bytes at offsets."""

_IMAGES: dict[str, tuple[_Parts, str]] = {
    "image/jpeg": (((0, b"\xff\xd8\xff"),), ".jpg"),
    "image/png": (((0, b"\x89PNG\r\n\x1a\n"),), ".png"),
    "image/webp": (((0, b"RIFF"), (8, b"WEBP")), ".webp"),
    "image/bmp": (((0, b"BM"),), ".bmp"),
    "image/tiff": (((0, b"II*\0"),), ".tiff"),
    "image/avif": (((4, b"ftypavif"),), ".avif"),
}
"""Signatures and suffixes by media type; HEIC has many, see :func:`is_heif`."""

_HEIC = "image/heic", ".heic"

_VIDEOS: dict[str, _Parts] = {"video/webm": ((0, b"\x1a\x45\xdf\xa3"),), "video/mp4": ((4, b"ftyp"),)}

_OTHERS: tuple[tuple[_Parts, str], ...] = (
    (((4, b"ftypqt"),), ".mov"),
    (((4, b"ftypavi"),), ".avif"),
    (((4, b"ftyphei"),), ".heic"),
    (((4, b"ftypmif1"),), ".heic"),
    (((4, b"ftyp"),), ".mp4"),
    (((0, b"RIFF"), (8, b"AVI ")), ".avi"),
    (((0, b"GIF8"),), ".gif"),
    (((0, b"MM\0*"),), ".tiff"),
    (((0, b"\x1a\x45\xdf\xa3"),), ".mkv"),
)
"""Signatures and suffixes of further files that may have credentials."""


def media_type(path: Path) -> str:
    """Media type of a file that browsers can show."""
    if (image := _image_format(path)) is not None:
        return image[0]
    head = _head(path)
    return next(
        (kind for kind, parts in _VIDEOS.items() if _matches(head, parts)), "application/octet-stream"
    )


def image_suffix(path: Path) -> str:
    """Suffix of a still image; empty for other files."""
    image = _image_format(path)
    return "" if image is None else image[1]


def media_suffix(path: Path) -> str:
    """Suffix of an image or video, by which credentials are found in it; empty for other files."""
    head = _head(path)
    signatures = (*_IMAGES.values(), *_OTHERS)
    return next((suffix for parts, suffix in signatures if _matches(head, parts)), "")


def _image_format(path: Path) -> tuple[str, str] | None:
    """Media type and suffix of a still image."""
    head = _head(path)
    if is_heif(head) and is_heif_sequence(path):
        return None
    for kind, (parts, suffix) in _IMAGES.items():
        if _matches(head, parts):
            return kind, suffix
    return _HEIC if is_heif(head) else None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _matches(head: bytes, parts: _Parts) -> bool:
    return all(head[offset:].startswith(signature) for offset, signature in parts)
