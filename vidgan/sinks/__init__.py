"""Where frames go."""

import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

from vidgan.errors import OutputError, OutputExistsError
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.stream_modes import DEFAULT_STREAM_MODES, StreamModes
from vidgan.media.timeline import Timeline
from vidgan.media.trim import WHOLE, Trim
from vidgan.segments.journal import exists
from vidgan.sources import is_image

if TYPE_CHECKING:
    from vidgan.media.encoding import EncoderChoice, Encoding
    from vidgan.media.label_map import Palette
    from vidgan.segments.store import SegmentStore
    from vidgan.sinks.stdout import PipeFormat
    from vidgan.sinks.verification import Verification

STDOUT = Path("-")

_NUMBER = re.compile("%(?:0?[1-9])?d")

Kind = Literal["stdout", "images", "image", "video"]


class Sink(Protocol):
    """Takes frames in presentation order, from one thread.

    Leaving the ``with`` block normally completes the output and puts it in its place; leaving it
    by an exception removes whatever was written.

    Attributes:
        notices: sentences for the user about the output.
        verification: what was found in the finished output, where that is a film.
    """

    notices: list[str]
    verification: "Verification | None"

    def write(self, frame: Frame) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def kind_of(path: Path, info: VideoInfo) -> Kind:
    """The kind of output that a name stands for: ``-``, ``frames/%06d.png``, ``photo.jpg`` or anything else."""
    if path == STDOUT:
        return "stdout"
    if is_pattern(path):
        return "images"
    # WebP may be either; a film becomes a film.
    return "image" if is_image(path) and not (may_move(path) and info.frame_rate) else "video"


def is_pattern(path: Path) -> bool:
    """Whether the name stands for numbered pictures, as ``%06d.png`` does."""
    return is_image(path) and _NUMBER.search(path.name) is not None


def numbered(pattern: Path, number: int) -> Path:
    """The picture of that number."""
    return pattern.with_name(_NUMBER.sub(lambda found: found[0] % number, pattern.name, count=1))


def may_move(path: Path) -> bool:
    """Whether a picture of that name can be a moving one."""
    return path.suffix.lower() == ".webp"


def open_sink(
    path: str | Path,
    info: VideoInfo,
    *,
    store: "SegmentStore | None" = None,
    copy_streams_from: Path | None = None,
    timeline: Timeline | None = None,
    trim: Trim = WHOLE,
    streams: StreamModes = DEFAULT_STREAM_MODES,
    overwrite: bool = False,
    pipe_format: "PipeFormat" = "nut",
    encoder: "EncoderChoice | None" = None,
    palette: "Palette | None" = None,
) -> Sink:
    """A sink for a video, a picture, numbered pictures or standard output, by the name.

    Args:
        path: where the complete output will be. Until then the work is in a hidden folder beside it.
            ``-`` is standard output, ``frames/%06d.png`` a picture for each frame.
        info: what the frames will be like.
        store: the folder with what is done, see :class:`vidgan.segments.store.SegmentStore`.
        copy_streams_from: a media file whose sound, subtitles, attachments, chapters and tags go into the output.
        timeline: from the times of the input to the output's, see :class:`vidgan.media.timeline.Timeline`.
        trim: the part of the input that the frames are of.
        streams: what the user wants of sound and subtitles.
        overwrite: whether an output that is there already may be replaced.
        pipe_format: of what goes to standard output.
        encoder: what is wanted of the encoder of a film; None for the usual. Nothing else has one to choose.
        palette: frames are label maps in its colours, whose PNGs have class indices.

    Raises:
        OutputExistsError: it is there and ``overwrite`` is False.
        OutputError: the folder is missing, or the format is not one that vidgan writes, or there is no
            such encoder.
    """
    path = Path(path)
    check_output(path, overwrite=overwrite)
    if copy_streams_from is not None and path != STDOUT:
        refuse_input(path, [copy_streams_from])
    kind = kind_of(path, info)
    if kind == "stdout":
        from vidgan.sinks.stdout import StdoutSink

        return StdoutSink(
            info,
            pipe_format=pipe_format,
            copy_streams_from=copy_streams_from,
            timeline=timeline,
            trim=trim,
            streams=streams,
        )
    if kind == "image":
        from vidgan.sinks.image import ImageSink

        return ImageSink(path, info, overwrite=overwrite, palette=palette)
    if kind == "images":
        from vidgan.sinks.image import ImageSequenceSink

        return ImageSequenceSink(path, info, store=store, overwrite=overwrite, palette=palette)
    from vidgan.media.encoding import DEFAULT_ENCODER
    from vidgan.sinks.video import VideoSink

    return VideoSink(
        path,
        info,
        store=store,
        copy_streams_from=copy_streams_from,
        timeline=timeline,
        trim=trim,
        streams=streams,
        overwrite=overwrite,
        encoder=DEFAULT_ENCODER if encoder is None else encoder,
    )


def segment_encoding(path: Path, info: VideoInfo, encoder: "EncoderChoice") -> "Encoding":
    """How the segments of such an output are encoded."""
    from vidgan.media.encoding import format_of, lossless

    if kind_of(path, info) != "video":
        return lossless(info)
    return format_of(path, info, encoder).segment_encoding(info)


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuses an output that could not be put at ``path``, before any work is done.

    Raises:
        OutputExistsError: it is there and ``overwrite`` is False.
        OutputError: it is a folder, or its folder is missing.
    """
    if path == STDOUT:
        return
    try:
        path.exists()
    except OSError as exc:
        raise OutputError(f"{path}: cannot be written: {exc.strerror}") from exc
    if is_pattern(path):
        _check_pattern(path, overwrite=overwrite)
        return
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file, or of pictures like %06d.png in it")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path}: exists already")


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
        raise OutputExistsError(f"{first}: exists already")
