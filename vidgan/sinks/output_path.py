"""Names of outputs: the kinds that they stand for, and the checks before any work is done."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from vidgan.errors import OutputError, OutputExistsError
from vidgan.media.address import address_in
from vidgan.media.frame import VideoInfo
from vidgan.segments.journal import exists
from vidgan.sources import is_image

STDOUT = Path("-")

_NUMBER = re.compile("%(?:0?[1-9])?d")

Kind = Literal["stdout", "images", "image", "video"]


def kind_of(path: Path, info: VideoInfo) -> Kind:
    """The kind of output that a name asks for: ``-``, ``frames/%06d.png``, ``photo.jpg`` or anything else."""
    if path == STDOUT:
        return "stdout"
    if is_pattern(path):
        return "images"
    # WebP may be either; a video becomes an animation.
    return "image" if is_image(path) and not (may_move(path) and info.frame_rate) else "video"


def is_pattern(path: Path) -> bool:
    """Whether the name stands for numbered images, as ``%06d.png`` does."""
    return is_image(path) and _NUMBER.search(path.name) is not None


def numbered(pattern: Path, number: int) -> Path:
    """The image of that number."""
    return pattern.with_name(_NUMBER.sub(lambda found: found[0] % number, pattern.name, count=1))


def may_move(path: Path) -> bool:
    """Whether an image of that name can be animated."""
    return path.suffix.lower() == ".webp"


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuses an output that could not be put at ``path``, before any work is done.

    Raises:
        OutputExistsError: it is there and ``overwrite`` is False.
        OutputError: it is a folder, or its folder is missing.
    """
    if path == STDOUT:
        return
    if (address := address_in(path)) is not None and not path.parent.exists():
        raise OutputError(
            f"{address}: is an address; 'vidgan live' sends to one with `stream`, jobs write files"
        )
    try:
        path.exists()
    except OSError as exc:
        raise OutputError(f"{path}: cannot be written: {exc.strerror}") from exc
    if is_pattern(path):
        _check_pattern(path, overwrite=overwrite)
        return
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file, or of images like %06d.png in it")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path}: exists already; `overwrite=True` replaces it")


def refuse_input(output: Path, inputs: Iterable[Path]) -> None:
    """Refuses an output that is one of the inputs, by another name or a link as well.

    Args:
        output: a file, or a pattern of numbered images.
        inputs: files and folders that are read; what does not exist is not in danger.

    Raises:
        OutputError: writing it would destroy the input.
    """
    place = output.absolute().parent if is_pattern(output) else output
    for each in inputs:
        if exists(place) and exists(each) and place.samefile(each):
            what = "is in the folder of the input" if is_pattern(output) else "is the input itself"
            raise OutputError(f"{output}: {what}; choose another name")


def _check_pattern(path: Path, *, overwrite: bool) -> None:
    if not path.absolute().parent.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent.parent} does not exist")
    if not overwrite and (first := numbered(path, 1)).exists():
        raise OutputExistsError(f"{first}: exists already; `overwrite=True` replaces it")
