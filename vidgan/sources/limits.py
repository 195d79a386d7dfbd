"""Limits on the sizes that files declare: a few hundred bytes can ask for an image of many gigabytes.

Sizes are looked at before memory is taken for them. The number of frames has no limit: frames go one by one,
and a video of any length needs a few of them at a time.
"""

from pathlib import Path

from vidgan.errors import InputError
from vidgan.media.geometry import MAX_SIDE

MAX_IMAGE_PIXELS = 16384 * 16384
"""Limit of a still image as it is read, which takes up to 2 GiB; the largest cameras make 151 megapixels."""

MAX_FRAME_PIXELS = 8192 * 8192
"""Limit of a decoded frame and of a model's input: twice 8K. To process one takes 5 GiB."""

MIN_SIDE = 16
"""Smallest side that models and motion estimation take."""


def check_image_size(path: Path, width: int, height: int) -> None:
    """Checks a still image, before it is decoded.

    Raises:
        InputError: it is larger than any image that vidgan reads.
    """
    _check_declared(path, width, height, MAX_IMAGE_PIXELS, "it is", "images")


def check_video_size(path: Path, width: int, height: int) -> None:
    """Checks a video, before it is decoded; 0 where the file does not say.

    Raises:
        InputError: it is larger than any video that vidgan reads.
    """
    _check_declared(path, width, height, MAX_FRAME_PIXELS, "its frames are", "videos")


def _check_declared(path: Path, width: int, height: int, limit: int, what: str, kind: str) -> None:
    if width * height > limit:
        raise InputError(
            f"{path}: says that {what} {width}x{height}, {_megapixels(width * height)}; "
            f"vidgan reads {kind} of up to {_megapixels(limit)}"
        )


def check_frame_size(path: Path, width: int, height: int) -> None:
    """Checks the frames that leave a source.

    Raises:
        InputError: they are too small or too large to be processed.
    """
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"{path}: {width}x{height} pixels are too few to be processed, {MIN_SIDE} a side are needed; "
            "`size` scales first, e.g. `size='256x256'`"
        )
    if max(width, height) > MAX_SIDE:
        raise InputError(
            f"{path}: {width}x{height} pixels are too many to be processed, {MAX_SIDE} a side are the most; "
            "`size` scales first, e.g. `size=1080`"
        )
    if width * height > MAX_FRAME_PIXELS:
        raise InputError(
            f"{path}: {width}x{height} are {_megapixels(width * height)}, and up to "
            f"{_megapixels(MAX_FRAME_PIXELS)} can be processed; `size` scales first, e.g. `size=4320`"
        )


def check_enlarged_size(path: Path, width: int, height: int) -> None:
    """Checks the frames that upscaling makes.

    Raises:
        InputError: they are larger than vidgan would read.
    """
    if max(width, height) > MAX_SIDE or width * height > MAX_FRAME_PIXELS:
        raise InputError(
            f"{path}: would become {width}x{height}, {_megapixels(width * height)}; {MAX_SIDE} a side and "
            f"{_megapixels(MAX_FRAME_PIXELS)} are the most; choose a smaller `scale` or `height`"
        )


def _megapixels(count: int) -> str:
    return f"{count / 1e6:.0f} megapixels"
