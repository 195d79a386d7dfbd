"""Where frames come from."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from vidgan.errors import InputError, InputNotFoundError
from vidgan.frame import Frame, VideoInfo
from vidgan.trim import WHOLE, Trim

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

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def is_picture(path: Path) -> bool:
    """Whether the name is that of a still picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def open_source(path: str | Path, *, size: str | None = None, trim: Trim = WHOLE) -> Source:
    """Opens a video or a picture.

    Args:
        path: a local file. Addresses are not opened: nothing here uses the network.
        size: size of the frames, see :func:`vidgan.geometry.target_size`; None keeps the file's.
        trim: the part of a video that is wanted.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it is empty, not a video or picture, or without a video stream.
    """
    path = Path(path)
    if not path.exists():
        raise InputNotFoundError(f"{path}: no such file")
    if not path.is_file():
        raise InputError(f"{path}: is not a file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    if is_picture(path):
        from vidgan.sources.picture import PictureSource

        if trim != WHOLE:
            raise InputError(f"{path}: is a picture; only of a video a part can be taken")
        return PictureSource(path, size=size)
    from vidgan.sources.video import VideoSource

    return VideoSource(path, size=size, trim=trim)
