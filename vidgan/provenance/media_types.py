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
_UNKNOWN = "application/octet-stream"
_OTHERS = ".y4m", ".nut", ".bmp", ".ts", ".m2ts", ".mpg", ".wmv", ".flv", ".ogv", ".3gp"
MEDIA_SUFFIXES = frozenset((*_EMBEDDED, *_BESIDE, *_OTHERS))
"""Suffixes of the files that are checked in a folder."""


def media_type(name: Path) -> str:
    """The media type that the suffix stands for."""
    suffix = name.suffix.lower()
    return _EMBEDDED.get(suffix) or _BESIDE.get(suffix, _UNKNOWN)


def is_embedded(name: Path) -> bool:
    """Whether such a file holds its manifest itself."""
    return name.suffix.lower() in _EMBEDDED
