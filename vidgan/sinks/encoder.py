"""Formats of films, and frames encoded with the stream's own shape, times and colour tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidgan.errors import OutputError
from vidgan.frame import Frame, VideoInfo
from vidgan.media import FULL_RANGE, INTERPOLATION, matrix_of, range_of


@dataclass(frozen=True, slots=True)
class Format:
    """A container, and how the picture in it is encoded."""

    muxer: str
    encoder: str
    encoder_options: dict[str, str]
    muxer_options: dict[str, str] = field(default_factory=dict)


_X264 = {"preset": "veryfast", "crf": "20"}
_VP9 = {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "crf": "30", "b": "0"}
_FASTSTART = {"movflags": "+faststart"}
_FORMATS = {
    ".mp4": Format("mp4", "libx264", _X264, _FASTSTART),
    ".m4v": Format("mp4", "libx264", _X264, _FASTSTART),
    ".mov": Format("mov", "libx264", _X264, _FASTSTART),
    ".mkv": Format("matroska", "libx264", _X264),
    ".webm": Format("webm", "libvpx-vp9", _VP9),
}
VIDEO_SUFFIXES = tuple(_FORMATS)


def format_of(path: Path) -> Format:
    """The format that the name asks for.

    Raises:
        OutputError: vidgan does not write such files.
    """
    chosen = _FORMATS.get(path.suffix.lower())
    if chosen is None:
        raise OutputError(
            f"{path}: vidgan writes {', '.join(VIDEO_SUFFIXES)} and pictures, "
            f"not {path.suffix or 'a name without suffix'!r}"
        )
    return chosen


def pixel_format(info: VideoInfo) -> str:
    """Half-resolution colour where the sides are even, as it needs them to be."""
    return "yuv444p" if info.width % 2 or info.height % 2 else "yuv420p"


def add_video(container: OutputContainer, chosen: Format, info: VideoInfo) -> VideoStream:
    """Adds a stream of such frames to a container."""
    stream = container.add_stream(
        chosen.encoder, rate=info.frame_rate or Fraction(25), options=dict(chosen.encoder_options)
    )
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = info.width, info.height
    stream.pix_fmt = pixel_format(info)
    stream.time_base = info.time_base
    context = stream.codec_context
    context.time_base = info.time_base
    context.sample_aspect_ratio = info.sample_aspect_ratio
    context.thread_count = 0
    context.colorspace = info.color.matrix or matrix_of(info.color, info.height)
    context.color_range = 0 if info.color.full_range is None else range_of(info.color)
    context.color_primaries, context.color_trc = info.color.primaries, info.color.transfer
    return stream


class Encoder:
    """Turns 8-bit RGB frames into packets of a stream that :func:`add_video` made."""

    def __init__(self, stream: VideoStream, info: VideoInfo) -> None:
        self._stream = stream
        self._info = info
        self._reformatter = VideoReformatter()

    def encode(self, frame: Frame) -> list[Packet[VideoStream]]:
        rgb = av.VideoFrame.from_numpy_buffer(frame.pixels, "rgb24")
        picture = self._reformatter.reformat(
            rgb,
            format=self._stream.pix_fmt,
            src_color_range=FULL_RANGE,
            dst_colorspace=matrix_of(self._info.color, self._info.height),
            dst_color_range=range_of(self._info.color),
            interpolation=INTERPOLATION,
            threads=1,
        )
        picture.pts, picture.time_base = frame.pts, frame.time_base
        return self._stream.encode(picture)

    def flush(self) -> list[Packet[VideoStream]]:
        """What the encoder still holds; nothing can be encoded after it."""
        return self._stream.encode(None)
