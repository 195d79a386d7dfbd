"""Sources of frames: videos, images, folders of images and files of poses."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from vidgan.errors import InputError, InputNotFoundError
from vidgan.media.address import not_found
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.timeline import Timeline
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources.animation import is_animated
from vidgan.sources.header import HEIF_SUFFIXES, is_heif, is_heif_sequence
from vidgan.sources.natural_order import in_natural_order

if TYPE_CHECKING:
    from vidgan.media.label_map import Palette

DEFAULT_RATE = Fraction(25)
"""Frames a second of a folder of images."""

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
READABLE_SUFFIXES = IMAGE_SUFFIXES | HEIF_SUFFIXES

POSES_SUFFIX = ".json"
"""Suffix of a file of poses, see :mod:`vidgan.media.pose_file`."""
_BRAND_BYTES = 16


class Source(Protocol):
    """A stream of frames in presentation order, each exactly once.

    A source is iterated once, from one thread, and closed by leaving its ``with`` block.

    Attributes:
        info: size, timing and color of the frames.
        timeline: the mapping from the file's times to those of the frames, complete after the last frame.
        warnings: for the user, complete after the last frame.
    """

    info: VideoInfo
    timeline: Timeline
    warnings: list[str]

    def __iter__(self) -> Iterator[Frame]: ...

    def skip(self, count: int) -> Frame | None:
        """Skips the first ``count`` frames and returns the last of them."""
        ...

    def times(self) -> Iterator[int]:
        """Yields the pts of each frame, instead of the frames; nothing is converted."""
        ...

    def seconds_at(self, pts: int) -> Fraction | None:
        """Returns the start of a :class:`Trim` that begins with the frame at ``pts``.

        It is known after :meth:`times`. None means that frames cannot be decoded without all those before them.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def is_image(path: Path) -> bool:
    """Returns whether the name is that of a still image that vidgan writes."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_still(path: Path) -> bool:
    """Returns whether a file is one still image; APNG and animated WebP are videos, whatever their names.

    A file that is not there is judged by its name.
    """
    if not path.is_file():
        return path.suffix.lower() in READABLE_SUFFIXES
    try:
        with path.open("rb") as file:
            heif = is_heif(file.read(_BRAND_BYTES))
        if heif:
            return not is_heif_sequence(path)
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc.strerror}") from exc
    return path.suffix.lower() in READABLE_SUFFIXES and not is_animated(path)


def default_suffix(path: Path) -> str:
    """Returns the suffix of an output like its input: PNG for HEIC and AVIF, APNG for an animated PNG."""
    suffix = path.suffix.lower()
    if is_still(path):
        return suffix if suffix in IMAGE_SUFFIXES else ".png"
    return ".apng" if suffix == ".png" else suffix


def open_source(
    path: str | Path,
    *,
    size: str | None = None,
    trim: Trim = WHOLE,
    rate: Fraction | None = None,
    hwaccel: str = "off",
    yuv: bool = False,
    palette: "Palette | None" = None,
    keep_start: bool = False,
) -> Source:
    """Opens a video, an image, a folder of images as a video, or a file of poses as one of skeletons.

    Args:
        path: a local file or folder. Addresses are not opened: nothing here uses the network.
        size: size of the frames, see :func:`vidgan.media.geometry.target_size`; None keeps the file's.
        trim: the part of a video that is wanted.
        rate: frames a second of a folder of images; None for 25, or 15 of label maps. A video has its own.
        hwaccel: what decodes a video: ``"off"`` for the processor, ``"auto"`` for what works, or hardware by
            FFmpeg's name, e.g. ``"cuda"``.
        yuv: give a video's frames as :class:`vidgan.media.image.YuvImage` where nothing has to be done
            to them.
        palette: frames are label maps in its colors, and scaled as such; images may have indices instead,
            which are places in it.
        keep_start: keep a video's times as they are in the file, instead of beginning at 0.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it is empty, not a video or image, or without a video stream.
    """
    path = Path(path)
    if not path.exists():
        raise InputNotFoundError(not_found(path))
    if path.is_dir():
        return _open_folder(path, size, trim, rate, palette)
    if not path.is_file():
        raise InputError(f"{path}: is not a file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    if rate is not None:
        raise InputError(f"{path}: has a rate of its own; only a folder of images takes `rate`")
    if is_still(path):
        return _open_image(path, size, trim, palette)
    if path.suffix.lower() == ".webp":
        from vidgan.sources.animated_image import AnimatedImageSource

        return AnimatedImageSource(path, size=size, trim=trim)
    if path.suffix.lower() == POSES_SUFFIX:
        from vidgan.sources.poses import PoseSource

        return PoseSource(path, size=size, trim=trim)
    from vidgan.media.ffmpeg import INTERPOLATION, NEAREST
    from vidgan.sources.video import VideoSource

    scaling = INTERPOLATION if palette is None else NEAREST
    return VideoSource(
        path, size=size, trim=trim, hwaccel=hwaccel, yuv=yuv, scaling=scaling, keep_start=keep_start
    )


def _open_folder(
    path: Path, size: str | None, trim: Trim, rate: Fraction | None, palette: "Palette | None"
) -> Source:
    from vidgan.sources.image import ImageSource
    from vidgan.sources.label_png import LABEL_RATE, LabelSource

    if palette is None:
        return ImageSource(path, images_in(path), rate=rate or DEFAULT_RATE, size=size, trim=trim)
    maps = [each for each in images_in(path) if each.suffix.lower() == ".png"]
    return LabelSource(path, maps, palette=palette, rate=rate or LABEL_RATE, size=size, trim=trim)


def _open_image(path: Path, size: str | None, trim: Trim, palette: "Palette | None") -> Source:
    from vidgan.sources.image import ImageSource
    from vidgan.sources.label_png import LabelSource

    if trim != WHOLE:
        raise InputError(f"{path}: is an image; only a video can be trimmed")
    if palette is not None:
        return LabelSource(path, [path], palette=palette, size=size)
    return ImageSource(path, [path], size=size)


def images_in(folder: Path) -> list[Path]:
    """Returns the images of a folder, 2 before 10."""
    found = (
        each
        for each in folder.iterdir()
        if each.suffix.lower() in READABLE_SUFFIXES and not each.name.startswith(".")
    )
    return in_natural_order(list(found))
