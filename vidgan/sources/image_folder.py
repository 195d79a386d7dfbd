"""Folders whose images are the frames of a video: numbered, and of one size."""

import re
from pathlib import Path

from vidgan.errors import InputError
from vidgan.media.ffmpeg import reading
from vidgan.sources.header import Size, size_of

_HEADER_BYTES = 1 << 16


def check_frames(folder: Path, images: list[Path]) -> None:
    """Looks at names and headers, before any image is decoded.

    Raises:
        InputError: they look like photos.
    """
    for path in images:
        if not re.search(r"[0-9]", path.stem):
            raise InputError(
                f"{folder}: {path.name} has no number in its name; {_PHOTOS.format(folder=folder)}"
            )
    first: Size | None = None
    for path in images:
        size = _declared_size(path)
        first = first or size
        # What has no size will be refused with a better reason when it is decoded.
        if size is not None and first is not None and sorted(size) != sorted(first):
            raise photos_error(folder, images[0], first, path, size)


_PHOTOS = "these look like photos, not frames: vidgan batch {folder}/"


def photos_error(folder: Path, first: Path, first_size: Size, other: Path, other_size: Size) -> InputError:
    """The error for images of different sizes."""
    sizes = (
        f"{path.name} is {size[0]}x{size[1]}" for path, size in ((first, first_size), (other, other_size))
    )
    return InputError(f"{folder}: {', '.join(sizes)}; {_PHOTOS.format(folder=folder)}")


def _declared_size(path: Path) -> Size | None:
    with reading(path), path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        return size_of(header) or size_of(header + file.read())
