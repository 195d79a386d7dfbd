"""Where frames come from."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from vidgan.errors import InputError, InputNotFoundError
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.trim import WHOLE, Trim

if TYPE_CHECKING:
    from vidgan.media.label_map import Palette

DEFAULT_RATE = Fraction(25)
"""Frames a second of a folder of pictures."""

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


class Source(Protocol):
    """Frames in presentation order, each exactly once, and what is known of them beforehand.

    A source is iterated once, from one thread, and closed by leaving its ``with`` block.

    Attributes:
        info: size, timing and colour of the frames.
        notices: sentences for the user on what was found, complete after the last frame.
    """

    info: VideoInfo
    notices: list[str]

    def __iter__(self) -> Iterator[Frame]: ...

    def skip(self, count: int) -> Frame | None:
        """Goes past so many frames before the first one is asked for, and returns the last of them."""
        ...

    def times(self) -> Iterator[int]:
        """When each frame is shown; to be iterated instead of the frames, nothing is converted."""
        ...

    def seconds_at(self, pts: int) -> Fraction | None:
        """What a :class:`Trim` has to start at to begin with the frame of that time.

        To be asked at the end of :meth:`times`. None where frames cannot be had without all those
        before them.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def is_picture(path: Path) -> bool:
    """Whether the name is that of a still picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def open_source(
    path: str | Path,
    *,
    size: str | None = None,
    trim: Trim = WHOLE,
    rate: Fraction | None = None,
    hwaccel: str = "off",
    yuv: bool = False,
    palette: "Palette | None" = None,
) -> Source:
    """Opens a video, a picture, or a folder of pictures as a film.

    Args:
        path: a local file or folder. Addresses are not opened: nothing here uses the network.
        size: size of the frames, see :func:`vidgan.media.geometry.target_size`; None keeps the file's.
        trim: the part of a video that is wanted.
        rate: frames a second of a folder of pictures; None for 25, or 15 of label maps. A video has its own.
        hwaccel: what decodes a video: ``"off"`` for the processor, ``"auto"`` for what works, or hardware by
            FFmpeg's name, e.g. ``"cuda"``.
        yuv: give a video's frames as :class:`vidgan.media.image.YuvImage` where nothing has to be done
            to them.
        palette: frames are label maps in its colours, and scaled as such; pictures may have indices instead,
            which are places in it.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it is empty, not a video or picture, or without a video stream.
    """
    path = Path(path)
    if not path.exists():
        raise InputNotFoundError(f"{path}: no such file")
    if path.is_dir() and palette is not None:
        from vidgan.sources.label_png import LABEL_RATE, LabelSource

        maps = [each for each in pictures_in(path) if each.suffix.lower() == ".png"]
        return LabelSource(path, maps, palette=palette, rate=rate or LABEL_RATE, size=size, trim=trim)
    if path.is_dir():
        from vidgan.sources.image import PictureSource

        return PictureSource(path, pictures_in(path), rate=rate or DEFAULT_RATE, size=size, trim=trim)
    if not path.is_file():
        raise InputError(f"{path}: is not a file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    if rate is not None:
        raise InputError(f"{path}: only for a folder of pictures a rate can be chosen")
    if is_picture(path):
        from vidgan.sources.image import PictureSource
        from vidgan.sources.label_png import LabelSource

        if trim != WHOLE:
            raise InputError(f"{path}: is a picture; only of a video a part can be taken")
        if palette is not None:
            return LabelSource(path, [path], palette=palette, size=size)
        return PictureSource(path, [path], size=size)
    from vidgan.media.ffmpeg import INTERPOLATION, NEAREST
    from vidgan.sources.video import VideoSource

    scaling = INTERPOLATION if palette is None else NEAREST
    return VideoSource(path, size=size, trim=trim, hwaccel=hwaccel, yuv=yuv, scaling=scaling)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, 2 before 10."""
    found = [each for each in folder.iterdir() if is_picture(each) and not each.name.startswith(".")]
    return sorted(found, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
