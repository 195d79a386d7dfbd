"""Which files hold a manifest, and which have it beside them."""

from pathlib import Path

_EMBEDDED = {
    ".mp4": "video/mp4",
    ".m4v": "video/x-m4v",
    ".mov": "video/quicktime",
    ".avi": "video/avi",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    # What vidgan reads and does not write.
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jxl": "image/jxl",
}
_BESIDE = {".mkv": "video/x-matroska", ".webm": "video/webm", ".apng": "image/apng"}
"""An APNG with a manifest in it is a PNG of one frame to FFmpeg."""
_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG", "image/png"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
)
_RIFF = {b"AVI ": "video/avi", b"WEBP": "image/webp"}
_ISO = {"video/mp4", "video/x-m4v", "video/quicktime", "image/avif", "image/heic", "image/heif"}
"""All of them are boxes, the first of which is ``ftyp``; c2pa reads them alike."""
_UNKNOWN = "application/octet-stream"
_OTHERS = ".y4m", ".nut", ".bmp", ".ts", ".m2ts", ".mpg", ".wmv", ".flv", ".ogv", ".3gp"
MEDIA_SUFFIXES = frozenset((*_EMBEDDED, *_BESIDE, *_OTHERS))
"""Suffixes of the files that are checked in a folder."""


def media_type(name: Path) -> str:
    """The media type that the suffix stands for."""
    suffix = name.suffix.lower()
    return _EMBEDDED.get(suffix) or _BESIDE.get(suffix, _UNKNOWN)


def content_type(path: Path) -> str:
    """The media type of what is in a file whose suffix stands for one that holds its manifest itself.

    Files are called .png that are JPEG, and c2pa would take their manifest for damaged.

    Raises:
        OSError: it cannot be read.
    """
    said = media_type(path)
    if not is_embedded(path):
        return said
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], said)
    if head[4:8] == b"ftyp":
        return said if said in _ISO else "video/mp4"
    return next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), said)


def is_embedded(name: Path) -> bool:
    """Whether such a file holds its manifest itself."""
    return name.suffix.lower() in _EMBEDDED


def holds_manifest(path: Path) -> bool:
    """Whether a file that exists may hold a manifest itself, by its suffix and by what is in it."""
    return is_embedded(path) and content_type(path) in _EMBEDDED.values()
