"""Where frames go."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.stream_modes import DEFAULT_STREAM_MODES, PipeFormat, StreamModes
from vidgan.media.timeline import Timeline
from vidgan.media.trim import WHOLE, Trim
from vidgan.sinks.output_path import (
    STDOUT,
    Kind,
    check_output,
    is_pattern,
    kind_of,
    may_move,
    numbered,
    refuse_input,
)
from vidgan.sinks.signer import Signer
from vidgan.sinks.vault import OutputVault

if TYPE_CHECKING:
    from vidgan.media.encoding import EncoderChoice, Encoding
    from vidgan.media.label_map import Palette
    from vidgan.segments.store import SegmentStore
    from vidgan.sinks.verification import Verification

__all__ = [
    "STDOUT",
    "Kind",
    "Signer",
    "Sink",
    "check_output",
    "is_pattern",
    "kind_of",
    "may_move",
    "numbered",
    "open_sink",
    "refuse_input",
    "segment_encoding",
]


class Sink(Protocol):
    """Takes frames in presentation order, from one thread.

    Leaving the ``with`` block normally completes the output and puts it in its place; leaving it
    by an exception removes whatever was written.

    Attributes:
        warnings: sentences for the user about the output.
        verification: what was found in the finished output, where that is a video.
    """

    warnings: list[str]
    verification: "Verification | None"

    def write(self, frame: Frame) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...


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
    pipe_format: PipeFormat = "nut",
    encoder: "EncoderChoice | None" = None,
    palette: "Palette | None" = None,
    signer: Signer | None = None,
    vault: OutputVault | None = None,
    tags: Mapping[str, str] | None = None,
    on_encode: Callable[[int, int], None] | None = None,
    on_size: Callable[[int], None] | None = None,
) -> Sink:
    """Opens a sink for a video, an image, numbered images or standard output, by the name.

    Args:
        path: where the complete output will be. Until then the work is in a hidden folder beside it.
            ``-`` is standard output, ``frames/%06d.png`` an image for each frame.
        info: what the frames will be like.
        store: the folder with what is done, see :class:`vidgan.segments.store.SegmentStore`.
        copy_streams_from: a media file whose sound, subtitles, attachments, chapters and tags go into the output.
        timeline: from the times of the input to the output's, see :class:`vidgan.media.timeline.Timeline`.
        trim: the part of the input that the frames are of.
        streams: what the user wants of sound and subtitles.
        overwrite: whether an output that is there already may be replaced.
        pipe_format: format of standard output.
        encoder: the user's choice of a video's encoder; None for the default.
        palette: frames are label maps in its colors, whose PNGs have class indices.
        signer: signs the finished output before it gets its name; nothing signs what goes to standard output.
        vault: goes with a video or an image, see :mod:`vidgan.media.vault_file`; None for none.
        tags: of a video, beside those of the input.
        on_encode: called with the number of frames encoded so far and of all, where a video is encoded after its last
            frame was written: GIF, APNG, WebP, and video with transparency.
        on_size: called once with the estimated bytes of a GIF, APNG or WebP, after its first frames.

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

        return ImageSink(path, info, overwrite=overwrite, palette=palette, signer=signer, vault=vault)
    if kind == "images":
        from vidgan.sinks.image import ImageSequenceSink

        return ImageSequenceSink(path, info, store=store, overwrite=overwrite, palette=palette, signer=signer)
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
        signer=signer,
        vault=vault,
        tags=tags,
        on_encode=on_encode,
        on_size=on_size,
    )


def segment_encoding(path: Path, info: VideoInfo, encoder: "EncoderChoice") -> "Encoding":
    """How the segments of such an output are encoded."""
    from vidgan.media.encoding import format_of, lossless

    if kind_of(path, info) != "video":
        return lossless(info)
    return format_of(path, info, encoder).segment_encoding(info)
