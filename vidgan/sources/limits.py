"""What a file may ask for, however small it is: a few hundred bytes can declare a picture of many gigabytes.

Sizes are looked at before memory is taken for them. The number of frames has no limit: frames go one by one,
and what a film of any length needs is a few of them at a time.
"""

from pathlib import Path

from vidgan.errors import InputError
from vidgan.media.geometry import MAX_SIDE

MAX_PICTURE_PIXELS = 16384 * 16384
"""Of a still picture as it is read, which takes up to 2 GiB; the largest cameras make 151 megapixels."""

MAX_FRAME_PIXELS = 8192 * 8192
"""Of a film as it is decoded, and of whatever is painted: twice 8K. To paint one takes 5 GiB."""

MIN_SIDE = 16
"""What models are made for, and motion can be found in."""


def check_picture_size(path: Path, width: int, height: int) -> None:
    """Of a still picture, before it is decoded.

    Raises:
        InputError: it is larger than any picture that vidgan reads.
    """
    _check_declared(path, width, height, MAX_PICTURE_PIXELS, "it is", "pictures")


def check_film_size(path: Path, width: int, height: int) -> None:
    """Of a film, before it is decoded; 0 where the file does not say.

    Raises:
        InputError: it is larger than any film that vidgan reads.
    """
    _check_declared(path, width, height, MAX_FRAME_PIXELS, "its frames are", "films")


def _check_declared(path: Path, width: int, height: int, limit: int, what: str, kind: str) -> None:
    if width * height > limit:
        raise InputError(
            f"{path}: says that {what} {width}x{height}, {_megapixels(width * height)}; "
            f"vidgan reads {kind} of up to {_megapixels(limit)}"
        )


def check_frame_size(path: Path, width: int, height: int) -> None:
    """Of the frames that come out of a source.

    Raises:
        InputError: they are too small or too large to be painted.
    """
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"{path}: {width}x{height} pixels are too few to be painted, {MIN_SIDE} a side are needed; "
            "--size scales first, e.g. --size 256x256"
        )
    if max(width, height) > MAX_SIDE:
        raise InputError(
            f"{path}: {width}x{height} pixels are too many to be painted, {MAX_SIDE} a side are the most; "
            "--size scales first, e.g. --size 1080"
        )
    if width * height > MAX_FRAME_PIXELS:
        raise InputError(
            f"{path}: {width}x{height} are {_megapixels(width * height)}, and up to "
            f"{_megapixels(MAX_FRAME_PIXELS)} can be painted; --size scales first, e.g. --size 4320"
        )


def check_enlarged_size(path: Path, width: int, height: int) -> None:
    """Of the frames that upscaling makes.

    Raises:
        InputError: they are larger than vidgan would read.
    """
    if max(width, height) > MAX_SIDE or width * height > MAX_FRAME_PIXELS:
        raise InputError(
            f"{path}: would become {width}x{height}, {_megapixels(width * height)}; {MAX_SIDE} a side and "
            f"{_megapixels(MAX_FRAME_PIXELS)} are the most; choose a smaller --scale or --height"
        )


def _megapixels(count: int) -> str:
    return f"{count / 1e6:.0f} megapixels"
