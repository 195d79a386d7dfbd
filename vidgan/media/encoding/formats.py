"""Containers that vidgan writes, and the default encoding of video in each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2

from vidgan.errors import OutputError
from vidgan.media.encoding.choice import (
    DEFAULT_ENCODER,
    EncoderChoice,
    Encoding,
    check_preset,
    find_codec,
    nearest_pixel_format,
)
from vidgan.media.frame import VideoInfo


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A container and how the video in it is encoded.

    Attributes:
        muxer: FFmpeg's name.
        encoding: of the video.
        muxer_options: of the container.
        concatenable: whether separately encoded segments can be joined in it. Where they cannot, segments
            are lossless, and the video is encoded from them at the end.
        video_only: whether it holds no other stream.
    """

    muxer: str
    encoding: Encoding
    muxer_options: dict[str, str] = field(default_factory=dict)
    concatenable: bool = True
    video_only: bool = False

    def segment_encoding(self, info: VideoInfo) -> Encoding:
        """How the segments of such a video are encoded."""
        return self.encoding if self.concatenable else lossless(info)


# With AVX-512, x264's look-ahead reads uninitialized memory for sizes such as 854x480, and its decisions
# depend on it now and then. A resumed video would then differ from an uninterrupted one.
_AVX_512F = 13
"""OpenCV's constant, which its Python package does not name."""

_X264_EXACT = {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(_AVX_512F) else {}

# On stylized video these are as close to the source as the preset "veryfast", in half the time and with fewer
# bytes (benchmarks/encoders.py): a long motion search gains nothing there, and two B-frames are cheap.
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
    ".mp4": OutputFormat("mp4", _X264, _FASTSTART),
    ".m4v": OutputFormat("mp4", _X264, _FASTSTART),
    ".mov": OutputFormat("mov", _X264, _FASTSTART),
    ".mkv": OutputFormat("matroska", _X264),
    ".webm": OutputFormat("webm", _VP9),
    ".gif": OutputFormat("gif", Encoding("gif", "pal8"), {"loop": "0"}, concatenable=False, video_only=True),
    ".apng": OutputFormat(
        "apng", Encoding("apng", "rgb24"), {"plays": "0"}, concatenable=False, video_only=True
    ),
    ".webp": OutputFormat(
        "webp",
        Encoding("libwebp_anim", "yuv420p", _WEBP_OPTIONS),
        {"loop": "0"},
        concatenable=False,
        video_only=True,
    ),
    ".y4m": OutputFormat("yuv4mpegpipe", _RAW, {"strict": "-1"}, concatenable=False, video_only=True),
    ".nut": OutputFormat("nut", _RAW, concatenable=False),
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
"""Encodings of video with more than 8 bits."""

_CONCATENABLE = {"h264", "hevc", "vp9", "av1", "rawvideo"}
"""Codecs whose separately encoded segments can be concatenated without encoding them again."""

_WITH_ODD_SIDES = {"vp8", "vp9", "webp", "rawvideo", "ffv1", "gif", "apng"}
"""Codecs that hold odd sides together with chroma of half resolution."""

VIDEO_SUFFIXES = tuple(_FORMATS)
"""Suffixes of the videos that vidgan writes."""

WITH_ALPHA_SUFFIXES = (*_WITH_ALPHA, ".gif")
"""Suffixes of those that keep transparency."""

_GIF_LEAST_DELAY, _GIF_MOST_DELAY = 2, 65_535
"""Hundredths of a second."""

_APNG_MOST = 65_535

_X265_QUIET = "log-level=none"
"""Without it x265 prints its settings and its statistics on stderr."""


def format_of(path: Path, info: VideoInfo, choice: EncoderChoice = DEFAULT_ENCODER) -> OutputFormat:
    """The format that the name asks for, with the encoding that the frames need and the user chose.

    Raises:
        OutputError: vidgan does not write such files, or there is no such encoder.
    """
    default = _default_format(path, info)
    encoding = _chosen(choice, default.encoding)
    check_preset(encoding.encoder, encoding.options)
    loop = _loop_options(default.muxer, info.loop_count)
    concatenable = default.concatenable and find_codec(encoding.encoder).canonical_name in _CONCATENABLE
    return replace(
        default,
        encoding=encoding,
        concatenable=concatenable,
        muxer_options={**default.muxer_options, **loop},
    )


def even_sides_needed(path: Path, info: VideoInfo, choice: EncoderChoice) -> tuple[bool, bool]:
    """Whether width and height of such a video have to be even for its usual pixel format.

    Raises:
        OutputError: as of :func:`format_of`.
    """
    even = replace(info, width=info.width + info.width % 2, height=info.height + info.height % 2)
    chosen = format_of(path, even, choice)
    encoding = chosen.encoding
    if encoding.has_alpha or find_codec(encoding.encoder).canonical_name in _WITH_ODD_SIDES:
        return False, False
    sampling = av.VideoFormat(encoding.pixel_format)
    return sampling.chroma_width(2) == 1, sampling.chroma_height(2) == 1


def final_delay_options(muxer: str, seconds: Fraction) -> dict[str, str]:
    """How long an animation shows its last frame, which has no frame after it that would say so."""
    if muxer == "gif":
        return {"final_delay": str(min(_GIF_MOST_DELAY, max(_GIF_LEAST_DELAY, round(100 * seconds))))}
    if muxer == "apng":
        delay = seconds.limit_denominator(_APNG_MOST)
        return {"final_delay": f"{delay.numerator}/{delay.denominator}"}
    return {}


def _loop_options(muxer: str, count: int | None) -> dict[str, str]:
    """How often an animation plays: as often as the input, or for ever where that is no animation."""
    if count is None:
        return {}
    if muxer == "gif":
        # GIF says how often it is repeated.
        return {"loop": str(count - 1 if count > 1 else -count)}
    option = {"apng": "plays", "webp": "loop"}.get(muxer)
    return {} if option is None else {option: str(count)}


def lossless(info: VideoInfo) -> Encoding:
    """An encoding for frames that are encoded again later."""
    return Encoding("ffv1", "bgra" if info.alpha else "bgr0")


def _chosen(choice: EncoderChoice, default: Encoding) -> Encoding:
    if choice.name is None or choice.name == default.encoder:
        # A preset that the user names replaces the tuned parameters as a whole.
        plain = _X264_PLAIN if "preset" in choice.options and default.encoder == "libx264" else {}
        return replace(default, options=default.options | plain | choice.options)
    options = choice.options
    if choice.name == "libx265":
        own = options.get("x265-params")
        options = options | {"x265-params": f"{_X265_QUIET}:{own}" if own else _X265_QUIET}
    return Encoding(choice.name, nearest_pixel_format(choice.name, default.pixel_format), options)


def _default_format(path: Path, info: VideoInfo) -> OutputFormat:
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise OutputError(
            f"{path}: vidgan writes {', '.join(VIDEO_SUFFIXES)} and images, "
            f"not {path.suffix or 'a name without suffix'!r}"
        )
    chosen = _FORMATS[suffix]
    if info.alpha and suffix in _WITH_ALPHA:
        return replace(chosen, encoding=_WITH_ALPHA[suffix], concatenable=False)
    encoding = _DEEP.get(suffix, chosen.encoding) if info.bit_depth > 8 else chosen.encoding
    if (info.width % 2 or info.height % 2) and encoding.encoder == "libx264":
        # H.264 needs even sides for chroma of half resolution.
        encoding = replace(encoding, pixel_format=encoding.pixel_format.replace("420", "444"))
    return replace(chosen, encoding=encoding)
