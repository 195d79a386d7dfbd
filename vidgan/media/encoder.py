"""Formats of films, and frames encoded with the stream's own shape, times and colour tags."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vidgan.errors import OutputError
from vidgan.media.ffmpeg import BT601, BT709, FULL_RANGE, INTERPOLATION, matrix_of, range_of
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import YuvImage


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pictures are encoded."""

    encoder: str
    pixel_format: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_rgb(self) -> bool:
        return self.pixel_format.startswith(("rgb", "bgr", "pal"))

    @property
    def has_alpha(self) -> bool:
        components = av.VideoFormat(self.pixel_format).components
        return self.pixel_format == "pal8" or any(each.is_alpha for each in components)


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """What a user wants of the encoder; what is not named stays as it is.

    Attributes:
        name: FFmpeg's, e.g. ``libx265``; None for the usual one of the format.
        options: of the encoder, e.g. ``{"crf": "18"}``.
    """

    name: str | None = None
    options: dict[str, str] = field(default_factory=dict)

    def of(self, usual: Encoding) -> Encoding:
        """The encoding that comes of it.

        Raises:
            OutputError: there is no such encoder.
        """
        if self.name is None or self.name == usual.encoder:
            # Whoever names a preset wants all of it.
            plain = _X264_PLAIN if "preset" in self.options and usual.encoder == "libx264" else {}
            return replace(usual, options=usual.options | plain | self.options)
        return Encoding(self.name, _pixel_format(self.name, usual.pixel_format), self.options)


USUAL = EncoderChoice()


def _pixel_format(encoder: str, usual: str) -> str:
    """The usual one where the encoder takes it, or else its nearest."""
    codec = _codec(encoder)
    if codec.type != "video":
        raise OutputError(f"the encoder {encoder!r} is for {codec.type}, not for pictures")
    formats = [each.name for each in codec.video_formats or []]
    if not formats or usual in formats:
        return usual
    return next((each for each in ("yuv420p", "nv12", "yuv444p") if each in formats), formats[0])


def _codec(encoder: str) -> av.Codec:
    try:
        return av.Codec(encoder, "w")
    except av.codec.codec.UnknownCodecError:
        raise OutputError(f"there is no encoder {encoder!r}; 'ffmpeg -encoders' lists FFmpeg's") from None


@dataclass(frozen=True, slots=True)
class Format:
    """A container, and how the picture in it is encoded.

    Attributes:
        joined: whether separately encoded segments can be joined in it. Where they cannot, segments are
            lossless, and the film is encoded from them in the end.
        silent: whether it holds nothing beside the picture.
    """

    muxer: str
    encoding: Encoding
    muxer_options: dict[str, str] = field(default_factory=dict)
    joined: bool = True
    silent: bool = False

    def of_segments(self, info: VideoInfo) -> Encoding:
        return self.encoding if self.joined else lossless(info)


# The AV1 encoder tells its whole configuration on stderr otherwise.
os.environ.setdefault("SVT_LOG", "1")

# Its look-ahead with AVX-512 reads memory that nobody has written, for sizes such as 854x480, and decides
# by it now and then; a continued film would not be what an undisturbed one is.
_AVX_512F = 13
"""OpenCV's number, for which its Python has no name."""

_X264_EXACT = {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(_AVX_512F) else {}

# On a painted film these come as near as the preset "veryfast" does, in half the time and with fewer bytes
# (benchmarks/encoders.py): searching long for motion among strokes is in vain, but two B frames are cheap.
_X264_QUICK = "weightp=1:mbtree=1:rc-lookahead=10:bframes=2:b-adapt=0"
_X264_PARAMS = ":".join([*_X264_EXACT.values(), _X264_QUICK])
_X264_PLAIN = {"x264-params": "", **_X264_EXACT}

_FASTSTART = {"movflags": "+faststart"}
_X264 = Encoding("libx264", "yuv420p", {"preset": "superfast", "crf": "20", "x264-params": _X264_PARAMS})
_VP9_OPTIONS = {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "crf": "30", "b": "0"}
_VP9 = Encoding("libvpx-vp9", "yuv420p", _VP9_OPTIONS)
_WEBP_OPTIONS = {"quality": "85"}
_RAW = Encoding("rawvideo", "yuv420p")

_FORMATS = {
    ".mp4": Format("mp4", _X264, _FASTSTART),
    ".m4v": Format("mp4", _X264, _FASTSTART),
    ".mov": Format("mov", _X264, _FASTSTART),
    ".mkv": Format("matroska", _X264),
    ".webm": Format("webm", _VP9),
    ".gif": Format("gif", Encoding("gif", "pal8"), {"loop": "0"}, joined=False, silent=True),
    ".apng": Format("apng", Encoding("apng", "rgb24"), {"plays": "0"}, joined=False, silent=True),
    ".webp": Format(
        "webp", Encoding("libwebp_anim", "yuv420p", _WEBP_OPTIONS), {"loop": "0"}, joined=False, silent=True
    ),
    ".y4m": Format("yuv4mpegpipe", _RAW, {"strict": "-1"}, joined=False, silent=True),
    ".nut": Format("nut", _RAW, joined=False),
}
_WITH_ALPHA = {
    ".mov": Encoding("prores_ks", "yuva444p10le", {"profile": "4444", "alpha_bits": "16"}),
    ".mkv": Encoding("libvpx-vp9", "yuva420p", {**_VP9_OPTIONS, "auto-alt-ref": "0"}),
    ".webm": Encoding("libvpx-vp9", "yuva420p", {**_VP9_OPTIONS, "auto-alt-ref": "0"}),
    ".apng": Encoding("apng", "rgba"),
    ".webp": Encoding("libwebp_anim", "bgra", _WEBP_OPTIONS),
    ".nut": Encoding("rawvideo", "rgba"),
}
_DEEP = {
    **dict.fromkeys([".mp4", ".m4v", ".mov", ".mkv"], replace(_X264, pixel_format="yuv420p10le")),
    ".webm": Encoding("libsvtav1", "yuv420p10le", {"preset": "9", "crf": "30"}),
    ".y4m": replace(_RAW, pixel_format="yuv420p10le"),
    ".nut": replace(_RAW, pixel_format="yuv420p10le"),
}
"""Of more than 8 bits."""

_JOINED = {"h264", "hevc", "vp9", "av1", "rawvideo"}
"""Codecs whose segments, encoded alike, are joined as they are."""

VIDEO_SUFFIXES = tuple(_FORMATS)
"""Of films that vidgan writes."""

WITH_ALPHA_SUFFIXES = (*_WITH_ALPHA, ".gif")
"""Of those that keep transparency."""


def format_of(path: Path, info: VideoInfo, choice: EncoderChoice = USUAL) -> Format:
    """The format that the name asks for, with the encoding that such frames need, and the user wants.

    Raises:
        OutputError: vidgan does not write such files, or there is no such encoder.
    """
    usual = _usual_format(path, info)
    encoding = choice.of(usual.encoding)
    joined = usual.joined and _codec(encoding.encoder).canonical_name in _JOINED
    return replace(usual, encoding=encoding, joined=joined)


def _usual_format(path: Path, info: VideoInfo) -> Format:
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise OutputError(
            f"{path}: vidgan writes {', '.join(VIDEO_SUFFIXES)} and pictures, "
            f"not {path.suffix or 'a name without suffix'!r}"
        )
    chosen = _FORMATS[suffix]
    if info.alpha and suffix in _WITH_ALPHA:
        return replace(chosen, encoding=_WITH_ALPHA[suffix], joined=False)
    encoding = _DEEP.get(suffix, chosen.encoding) if info.bit_depth > 8 else chosen.encoding
    if (info.width % 2 or info.height % 2) and encoding.encoder in ("libx264", "libvpx-vp9"):
        # Half-resolution colour needs even sides.
        encoding = replace(encoding, pixel_format=encoding.pixel_format.replace("420", "444"))
    return replace(chosen, encoding=encoding)


def lossless(info: VideoInfo) -> Encoding:
    """For what is encoded again later."""
    return Encoding("ffv1", "bgra" if info.alpha else "bgr0")


def add_video(container: OutputContainer, encoding: Encoding, info: VideoInfo) -> VideoStream:
    """Adds a stream of such frames to a container.

    Raises:
        OutputError: it cannot hold such.
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


_SWSCALE_MATRICES = {6: 5}
"""Where swscale has another number than FFmpeg: BT.601 is one matrix, whether of 525 or 625 lines."""


class Encoder:
    """Turns frames into packets of a stream that :func:`add_video` made."""

    def __init__(self, stream: VideoStream, encoding: Encoding, info: VideoInfo) -> None:
        self._stream = stream
        self._encoding = encoding
        self._info = info
        self._matrix = matrix_of(info.color, info.height)
        self._reformatter = VideoReformatter()
        self._palette = _Palette(info) if encoding.pixel_format == "pal8" else None
        halved = encoding.encoder == "libx264" and "420" in encoding.pixel_format
        self._siting = _LeftSiting(info) if halved else None

    def encode(self, frame: Frame) -> list[Packet[VideoStream]]:
        return self.send(self.convert(frame))

    def convert(self, frame: Frame) -> av.VideoFrame:
        """The frame in the encoder's own format."""
        if isinstance(frame.image, YuvImage) and self._takes_yuv and frame.alpha is None:
            picture = self._of_yuv(frame.image)
        else:
            picture = self._converted(_picture(frame, alpha=self._encoding.has_alpha))
        picture.pts, picture.time_base = frame.pts, frame.time_base
        return picture

    def send(self, picture: av.VideoFrame) -> list[Packet[VideoStream]]:
        packets = self._stream.encode(picture)
        # Once it is open, what is left of its options are those that it does not know.
        if unknown := sorted(set(self._stream.codec_context.options) & set(self._encoding.options)):
            raise OutputError(f"the encoder {self._encoding.encoder} has no option {', '.join(unknown)}")
        return packets

    def flush(self) -> list[Packet[VideoStream]]:
        """What the encoder still holds; nothing can be encoded after it."""
        return self._stream.encode(None)

    @property
    def _takes_yuv(self) -> bool:
        even = self._info.width % 2 == 0 and self._info.height % 2 == 0
        return even and self._encoding.pixel_format == "yuv420p" and self._matrix in (*BT601, BT709)

    def _of_yuv(self, image: YuvImage) -> av.VideoFrame:
        """What :meth:`_converted` makes of its pixels, at a fraction of the work."""
        picture = av.VideoFrame(self._info.width, self._info.height, "yuv420p")
        samples = image.to_yuv420(
            full_range=bool(self._info.color.full_range),
            bt709=self._matrix == BT709,
            chroma_location="center" if self._siting is None else "left",
        )
        for plane, values in zip(picture.planes, samples, strict=True):
            height, width = values.shape
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width] = values
        picture.colorspace, picture.color_range = self._matrix, range_of(self._info.color)
        return picture

    def _converted(self, picture: av.VideoFrame) -> av.VideoFrame:
        if self._palette is not None:
            return self._palette.of(picture)
        if self._encoding.is_rgb:
            return self._reformatter.reformat(picture, format=self._encoding.pixel_format, threads=1)
        if self._siting is not None:
            picture = self._siting.of(picture)
        return self._reformatter.reformat(
            picture,
            format=self._encoding.pixel_format,
            src_color_range=FULL_RANGE,
            dst_colorspace=_SWSCALE_MATRICES.get(self._matrix, self._matrix),
            dst_color_range=range_of(self._info.color),
            interpolation=INTERPOLATION,
            threads=1,
        )


class _Palette:
    """256 colours, chosen for each picture anew."""

    def __init__(self, info: VideoInfo) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=info.width,
            height=info.height,
            format=av.VideoFormat("rgba", info.width, info.height),
            time_base=info.time_base,
        )
        split = self._graph.add("split")
        chosen = self._graph.add("palettegen", "stats_mode=single")
        used = self._graph.add("paletteuse", "new=1:dither=sierra2_4a")
        sink = self._graph.add("buffersink")
        source.link_to(split)
        split.link_to(used, 0, 0)
        split.link_to(chosen, 1, 0)
        chosen.link_to(used, 0, 1)
        used.link_to(sink)
        self._graph.configure()

    def of(self, picture: av.VideoFrame) -> av.VideoFrame:
        self._graph.vpush(picture.reformat(format="rgba"))
        return self._graph.vpull()


class _LeftSiting:
    """Asks swscale for colour of half resolution at the left of its two pixels.

    That is where H.264 has it unless it says otherwise. swscale puts it between the two, which comes out
    as colours that are half a pixel off.
    """

    def __init__(self, info: VideoInfo) -> None:
        self._graph = Graph()
        self._graph.link_nodes(
            self._graph.add_buffer(
                width=info.width,
                height=info.height,
                format=av.VideoFormat("rgb24", info.width, info.height),
                time_base=info.time_base,
            ),
            self._graph.add("setparams", "chroma_location=left"),
            self._graph.add("buffersink"),
        ).configure()

    def of(self, picture: av.VideoFrame) -> av.VideoFrame:
        self._graph.vpush(picture)
        return self._graph.vpull()


def _picture(frame: Frame, *, alpha: bool) -> av.VideoFrame:
    """RGB for PyAV, with alpha or, where there is no place for it, upon black."""
    if alpha and frame.alpha is not None:
        return av.VideoFrame.from_numpy_buffer(np.dstack([frame.pixels, frame.alpha]), "rgba")
    return av.VideoFrame.from_numpy_buffer(frame.over_black().pixels, "rgb24")
