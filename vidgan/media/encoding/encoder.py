"""Frames encoded with the stream's own size, timestamps and color tags."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidgan.errors import OutputError
from vidgan.media.encoding.choice import Encoding
from vidgan.media.encoding.graphs import ChromaLocationLeft, PaletteChoice
from vidgan.media.encoding.palettes import ColorTable, PaletteUse
from vidgan.media.encoding.svt_av1 import contained_svt_av1
from vidgan.media.ffmpeg import BT601, BT709, FULL_RANGE, INTERPOLATION, matrix_of, range_of
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import YuvImage

_DRIVERS = {
    "nvenc": "an NVIDIA GPU and its driver",
    "qsv": "an Intel GPU and its driver",
    "amf": "an AMD GPU and its driver",
    "vaapi": "a GPU with VA-API and its driver",
    "videotoolbox": "macOS",
}
"""Requirements of hardware encoders, by the end of their names."""

_SWSCALE_MATRICES = {6: 5}
"""Where swscale has another number than FFmpeg: BT.601 is one matrix, whether of 525 or 625 lines."""


def add_video(container: OutputContainer, encoding: Encoding, info: VideoInfo) -> VideoStream:
    """Adds a stream of such frames to a container.

    Raises:
        OutputError: the container cannot hold it.
    """
    try:
        stream = container.add_stream(
            encoding.encoder, rate=info.frame_rate or Fraction(25), options=dict(encoding.options)
        )
    except ValueError as exc:
        raise OutputError(
            f"{container.format.name} cannot hold what the encoder {encoding.encoder} makes"
        ) from exc
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = info.width, info.height
    stream.pix_fmt = encoding.pixel_format
    stream.time_base = info.time_base
    context = stream.codec_context
    context.time_base = info.time_base
    context.sample_aspect_ratio = info.sample_aspect_ratio
    context.thread_count = 0
    context.color_primaries, context.color_trc = info.color.primaries, info.color.transfer
    if not encoding.is_rgb:
        context.colorspace = info.color.matrix or matrix_of(info.color, info.height)
        context.color_range = 0 if info.color.full_range is None else range_of(info.color)
    if encoding.pixel_format == "yuva420p":
        # Without it, players of WebM do not look for transparency.
        stream.metadata["alpha_mode"] = "1"
    return stream


@contextlib.contextmanager
def opening(encoding: Encoding) -> Iterator[None]:
    """Wraps what opens the encoder: the first frame, or the header of a container with its stream.

    Raises:
        OutputError: the encoder needs hardware that is not there.
    """
    contained = contained_svt_av1() if encoding.encoder == "libsvtav1" else contextlib.nullcontext()
    try:
        with contained:
            yield
    except (av.error.FFmpegError, OSError) as exc:
        needs = _DRIVERS.get(encoding.encoder.rpartition("_")[2])
        if needs is None:
            raise
        raise OutputError(
            f"the encoder {encoding.encoder} does not open: it needs {needs}; "
            "without `encoder` the default one is used"
        ) from exc


class Encoder:
    """Turns frames into packets of a stream that :func:`add_video` made.

    Args:
        palettes: of the frames, where the pixel format has one, see :func:`choose_palettes`; None for one of each
            frame alone.
    """

    def __init__(
        self,
        stream: VideoStream,
        encoding: Encoding,
        info: VideoInfo,
        *,
        palettes: Iterable[ColorTable] | None = None,
    ) -> None:
        self._stream = stream
        self._encoding = encoding
        self._info = info
        self._matrix = matrix_of(info.color, info.height)
        self._reformatter = VideoReformatter()
        self._palette: PaletteChoice | PaletteUse | None = None
        if encoding.pixel_format == "pal8":
            self._palette = PaletteChoice(info) if palettes is None else PaletteUse(palettes, info)
        halved = encoding.encoder == "libx264" and "420" in encoding.pixel_format
        self._chroma_location = ChromaLocationLeft(info) if halved else None

    def encode(self, frame: Frame) -> list[Packet[VideoStream]]:
        return self.send(self.convert(frame))

    def convert(self, frame: Frame) -> av.VideoFrame:
        """The frame in the encoder's own format."""
        if isinstance(frame.image, YuvImage) and self._takes_yuv and frame.alpha is None:
            image = self._from_yuv(frame.image)
        else:
            image = self._converted(rgb_image(frame, alpha=self._encoding.has_alpha))
        image.pts, image.time_base = frame.pts, frame.time_base
        return image

    def send(self, image: av.VideoFrame) -> list[Packet[VideoStream]]:
        context = self._stream.codec_context
        with contextlib.nullcontext() if context.is_open else opening(self._encoding):
            packets = self._stream.encode(image)
        # Once it is open, what is left of its options are those that it does not know.
        if unknown := sorted(set(context.options) & set(self._encoding.options)):
            raise OutputError(f"the encoder {self._encoding.encoder} has no option {', '.join(unknown)}")
        return packets

    def flush(self) -> list[Packet[VideoStream]]:
        """The packets that the encoder still holds; nothing can be encoded after it."""
        return self._stream.encode(None)

    @property
    def _takes_yuv(self) -> bool:
        even = self._info.width % 2 == 0 and self._info.height % 2 == 0
        return even and self._encoding.pixel_format == "yuv420p" and self._matrix in (*BT601, BT709)

    def _from_yuv(self, yuv: YuvImage) -> av.VideoFrame:
        """The result of :meth:`_converted` for its pixels, at a fraction of the work."""
        image = av.VideoFrame(self._info.width, self._info.height, "yuv420p")
        samples = yuv.to_yuv420(
            full_range=bool(self._info.color.full_range),
            bt709=self._matrix == BT709,
            chroma_location="center" if self._chroma_location is None else "left",
        )
        for plane, values in zip(image.planes, samples, strict=True):
            height, width = values.shape
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width] = values
        image.colorspace, image.color_range = self._matrix, range_of(self._info.color)
        return image

    def _converted(self, image: av.VideoFrame) -> av.VideoFrame:
        if self._palette is not None:
            return self._palette.apply(image)
        if self._encoding.is_rgb:
            return self._reformatter.reformat(image, format=self._encoding.pixel_format, threads=1)
        if self._chroma_location is not None:
            image = self._chroma_location.apply(image)
        return self._reformatter.reformat(
            image,
            format=self._encoding.pixel_format,
            src_color_range=FULL_RANGE,
            dst_colorspace=_SWSCALE_MATRICES.get(self._matrix, self._matrix),
            dst_color_range=range_of(self._info.color),
            interpolation=INTERPOLATION,
            threads=1,
        )


def rgb_image(frame: Frame, *, alpha: bool) -> av.VideoFrame:
    """RGB for PyAV, with alpha or, where there is no place for it, upon black."""
    if alpha and frame.alpha is not None:
        return av.VideoFrame.from_numpy_buffer(np.dstack([frame.pixels, frame.alpha]), "rgba")
    return av.VideoFrame.from_numpy_buffer(frame.over_black().pixels, "rgb24")
