"""Color tags, depth, chroma and high dynamic range."""

from collections.abc import Callable
from typing import Any

from av.video.reformatter import ColorPrimaries, ColorTrc

from vidgan.media.ffmpeg import ColorMatrix

from .. import patterns
from ..case import Case
from ..chroma_location import wrong_chroma_location
from ..media import FULL, LIMITED, UNSPECIFIED, UNTAGGED, Video

_BT601 = ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M, ColorMatrix.SMPTE170M
_BT709 = ColorPrimaries.BT709, ColorTrc.BT709, ColorMatrix.BT709
_BT2020 = ColorPrimaries.BT2020, ColorTrc.BT2020_10, ColorMatrix.BT2020_NCL
_10_BITS = "yuv420p10le"


def _video(
    tags: tuple[int, int, int], color_range: int, *, name: str = "in.mp4", pixel_format: str = "yuv420p"
) -> Video:
    return Video(name, color=(*tags, color_range), pixel_format=pixel_format, options={"crf": "12"})


def _limited(name: str, input: str, tags: tuple[int, int, int]) -> Case:
    return Case(name, "colors", _video(tags, LIMITED), f"H.264, {input}, limited")


def _full(name: str, input: str, tags: tuple[int, int, int]) -> Case:
    return Case(name, "colors", _video(tags, FULL, pixel_format="yuvj420p"), f"H.264, {input}, full")


def _10_bits(name: str, input: str, tags: tuple[int, int, int]) -> Case:
    video = _video(tags, LIMITED, pixel_format=_10_BITS)
    return Case(name, "colors", video, f"H.264, 10 bits, {input}", pixel_format=_10_BITS)


def _hdr(name: str, transfer: ColorTrc, pattern: Callable[..., Any]) -> Case:
    return Case(
        f"{name}-to-sdr".lower(),
        "high dynamic range, against ITU-R BT.2100 and BT.2408",
        Video(
            "in.mkv",
            codec="libx265",
            pixel_format=_10_BITS,
            pattern=pattern,
            color=(ColorPrimaries.BT2020, transfer, ColorMatrix.BT2020_NCL, LIMITED),
            options={"x265-params": "log-level=none", "crf": "4"},
        ),
        f"HEVC, 10 bits, BT.2020, {name}",
        reference=patterns.dim,
        pixel_format=_10_BITS,
        color=(*_BT709, False),
        warnings=(f"high dynamic range ({name})",),
    )


def _chroma_location(location: str) -> Case:
    options = {"crf": "1", "chroma_sample_location": location}
    return Case(
        f"chroma-{location}",
        "chroma location; the place of an edge, from the codes alone",
        Video(f"{location}.mp4", pattern=patterns.edges, options=options),
        f"H.264, chroma {location}",
        psnr=28.0,
        also=wrong_chroma_location,
    )


CASES = [
    Case("untagged", "colors", _video(UNTAGGED, UNSPECIFIED), "H.264, no tags"),
    _limited("bt601-limited", "BT.601", _BT601),
    _full("bt601-full", "BT.601", _BT601),
    _limited("bt709-limited", "BT.709", _BT709),
    _full("bt709-full", "BT.709", _BT709),
    Case(
        "bt709-mkv-to-webm",
        "colors",
        _video(_BT709, LIMITED, name="in.mkv"),
        "H.264, BT.709, limited",
        "out.webm",
    ),
    _10_bits("bt709-ten-bits", "BT.709", _BT709),
    _10_bits("bt2020-ten-bits", "BT.2020", _BT2020),
    Case("bt709-422", "colors", _video(_BT709, LIMITED, pixel_format="yuv422p"), "H.264, 4:2:2, BT.709"),
    Case(
        "bt709-to-gif",
        "colors as RGB",
        _video(_BT709, LIMITED),
        "H.264, BT.709",
        "out.gif",
        psnr=30.0,
        keeps_tags=False,
    ),
    Case(
        "bt709-full-to-y4m",
        "colors as Y'CbCr without tags",
        _video(_BT709, FULL, pixel_format="yuvj420p"),
        "H.264, BT.709, full",
        "-y4m",
        keeps_tags=False,
    ),
    _hdr("PQ", ColorTrc.SMPTE2084, patterns.in_pq),
    _hdr("HLG", ColorTrc.ARIB_STD_B67, patterns.in_hlg),
    *(_chroma_location(location) for location in ("left", "center", "topleft")),
]
