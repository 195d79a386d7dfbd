"""EXIF orientation, ICC profile and number of pages of an encoded image."""

import struct
from collections.abc import Iterator, Sequence
from struct import unpack_from
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Pixels
from vidgan.sources.orientation import EXIF, UPRIGHT, Orientation

_EXIF, _ICC = 0, 2
"""OpenCV's ImageMetadataType."""

_MAKE, _MODEL = 0x010F, 0x0110
_ORIENTATION, _ICC_PROFILE = 0x0112, 0x8773
_TIFF = {b"II*\0": "<", b"MM\0*": ">"}
_BYTES, _TEXT, _SHORT, _UNDEFINED = 1, 2, 3, 7
_MAX_PAGES = 10_000
_MOST_TEXT = 100


class ImageMetadata(NamedTuple):
    """Metadata of an image that decides how its pixels are shown.

    Attributes:
        orientation: how they have to be turned.
        icc_profile: their color space; empty if the file has none.
        pages: images in the file, of a TIFF.
        camera: maker and model; empty if the file does not say.
    """

    orientation: Orientation = UPRIGHT
    icc_profile: bytes = b""
    pages: int = 1
    camera: str = ""


def decode_with_metadata(encoded: NDArray[np.uint8]) -> tuple[Pixels | None, ImageMetadata]:
    """Decodes a PNG, JPEG, WebP, BMP or TIFF to RGB, turned by its EXIF orientation.

    Returns:
        ``(H, W, 3)`` uint8, or None if nothing can be decoded; and what the file says of it.
    """
    pixels, kinds, blobs = cv2.imdecodeWithMetadata(encoded, flags=cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        return None, ImageMetadata()
    return np.asarray(pixels, np.uint8), _metadata(encoded, kinds, blobs)


def _metadata(encoded: NDArray[np.uint8], kinds: Sequence[int], blobs: Sequence[Any]) -> ImageMetadata:
    if encoded[:4].tobytes() in _TIFF:
        # OpenCV has no metadata of TIFFs.
        data = encoded.tobytes()
        return ImageMetadata(
            orientation=_orientation(data),
            icc_profile=_profile(data),
            pages=max(1, sum(1 for _ in _directories(data))),
            camera=_camera(data),
        )
    found = {int(kind): np.asarray(blob, np.uint8).tobytes() for kind, blob in zip(kinds, blobs, strict=True)}
    exif = found.get(_EXIF, b"").removeprefix(b"Exif\0\0")
    return ImageMetadata(
        orientation=_orientation(exif), icc_profile=found.get(_ICC, b""), camera=_camera(exif)
    )


def _orientation(tiff: bytes) -> Orientation:
    for tag, kind, _, value in _entries(tiff):
        if tag == _ORIENTATION and kind == _SHORT:
            order = _TIFF[tiff[:4]]
            return EXIF.get(unpack_from(f"{order}H", value)[0], UPRIGHT)
    return UPRIGHT


def _profile(tiff: bytes) -> bytes:
    for tag, kind, count, value in _entries(tiff):
        if tag == _ICC_PROFILE and kind in (_BYTES, _UNDEFINED):
            offset = unpack_from(f"{_TIFF[tiff[:4]]}I", value)[0]
            return tiff[offset : offset + count]
    return b""


def _camera(tiff: bytes) -> str:
    """Maker and model, each word once."""
    words: list[str] = []
    for tag, kind, count, value in _entries(tiff):
        if tag in (_MAKE, _MODEL) and kind == _TEXT and count <= _MOST_TEXT:
            offset = unpack_from(f"{_TIFF[tiff[:4]]}I", value)[0]
            # Up to four bytes stand in the entry itself.
            stored = value if count <= 4 else tiff[offset : offset + count]
            text = stored.partition(b"\0")[0].decode("ascii", "replace").strip()
            words += [each for each in text.split() if each.isprintable() and each not in words]
    return " ".join(words)


def _entries(tiff: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Tag, type, count and the four bytes of the value, or of its offset, of the first directory."""
    order = _TIFF.get(tiff[:4])
    start = next(_directories(tiff), None)
    if order is None or start is None:
        return
    for index in range(unpack_from(f"{order}H", tiff, start)[0]):
        entry = start + 2 + 12 * index
        if entry + 12 > len(tiff):
            return
        tag, kind, count = unpack_from(f"{order}HHI", tiff, entry)
        yield tag, kind, count, tiff[entry + 8 : entry + 12]


def _directories(tiff: bytes) -> Iterator[int]:
    """Offsets of the directories, one a page."""
    order = _TIFF.get(tiff[:4])
    seen: set[int] = set()
    try:
        offset = 0 if order is None else unpack_from(f"{order}I", tiff, 4)[0]
        while offset and offset not in seen and len(seen) < _MAX_PAGES:
            count = unpack_from(f"{order}H", tiff, offset)[0]
            seen.add(offset)
            yield offset
            offset = unpack_from(f"{order}I", tiff, offset + 2 + 12 * count)[0]
    except struct.error:
        return
