"""Where frames go."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from vidgan.errors import OutputError, OutputExistsError
from vidgan.frame import Frame, VideoInfo
from vidgan.sources import is_picture
from vidgan.trim import WHOLE, Trim

if TYPE_CHECKING:
    from vidgan.sinks.parts import Parts


class Sink(Protocol):
    """Takes frames in presentation order, from one thread.

    Leaving the ``with`` block normally completes the output and puts it in its place; leaving it
    by an exception removes whatever was written.

    Attributes:
        notices: sentences for the user about the output.
    """

    notices: list[str]

    def write(self, frame: Frame) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_sink(
    path: str | Path,
    info: VideoInfo,
    *,
    parts: "Parts | None" = None,
    beside: Path | None = None,
    trim: Trim = WHOLE,
    overwrite: bool = False,
) -> Sink:
    """A sink for a video or a picture, by the name's suffix.

    Args:
        path: where the complete output will be. Until then the work is in a hidden file beside it.
        info: what the frames will be like.
        parts: of a video, the folder with what is done of it, see :class:`vidgan.sinks.parts.Parts`.
        beside: a media file whose sound, subtitles, attachments, chapters and tags go into the output.
        trim: the part of ``beside`` that the frames are of.
        overwrite: whether an output that is there already may be replaced.

    Raises:
        OutputExistsError: it is there and ``overwrite`` is False.
        OutputError: the folder is missing, or the format is not one that vidgan writes.
    """
    path = Path(path)
    check_output(path, overwrite=overwrite)
    if is_picture(path):
        from vidgan.sinks.picture import PictureSink

        return PictureSink(path, overwrite=overwrite)
    from vidgan.sinks.video import VideoSink

    return VideoSink(path, info, parts=parts, beside=beside, trim=trim, overwrite=overwrite)


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuses an output that could not be put at ``path``, before any work is done.

    Raises:
        OutputExistsError: it is there and ``overwrite`` is False.
        OutputError: it is a folder, or its folder is missing.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path}: exists already; --force replaces it")
