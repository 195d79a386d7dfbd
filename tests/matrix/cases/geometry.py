"""Sizes, orientation, pixel aspect ratios, fields and alpha."""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from tests.support.clips import scene
from tests.support.odd_media import add_clean_aperture, set_display_matrix
from vidgan.media.image import Pixels
from vidgan.sources.orientation import EXIF

from .. import patterns
from ..case import Case
from ..media import SIZE, Video, concatenated
from .inputs import MP4, MP4_WITH_AAC

_MATRICES = {
    "mirrored": (2, (-1, 0, 0, 1)),
    "flipped": (4, (1, 0, 0, -1)),
    "transposed": (5, (0, 1, 1, 0)),
    "transposed-the-other-way": (7, (0, -1, -1, 0)),
}
"""EXIF's value, and the matrix, of orientations that are no rotation."""


def _rotated(degrees: int) -> Case:
    video = Video("in.mp4", rotation=degrees, aspect=Fraction(4, 3))
    return Case(f"turned-{degrees}", "rotation", video, f"H.264, turned by {degrees}°")


def _display_matrix(name: str, exif: int, matrix: Sequence[float]) -> Case:
    return Case(
        name,
        "display matrix that is no rotation",
        lambda folder: set_display_matrix(MP4_WITH_AAC(folder), matrix),
        "H.264, AAC",
        reference=partial(_oriented, exif=exif),
        size=SIZE[::-1] if exif > 4 else None,
    )


def _oriented(index: int, _width: int, _height: int, *, exif: int) -> Pixels:
    return EXIF[exif].apply(scene(index, *SIZE))


def _cropped(folder: Path) -> Path:
    return add_clean_aperture(MP4(folder), 64, 48, (Fraction(8), Fraction(-4)))


def _middle(index: int, _width: int, _height: int) -> Pixels:
    return scene(index, *SIZE)[4:52, 24:88]


_PRORES_4444 = Video("in.mov", codec="prores_ks", pixel_format="yuva444p10le", pattern=patterns.transparent)
_VP9_ALPHA = Video(
    "in.webm",
    codec="libvpx-vp9",
    pixel_format="yuva420p",
    pattern=patterns.transparent,
    options={"auto-alt-ref": "0", "crf": "15", "b": "0"},
)
_MPEG2 = Video("1.ts", codec="mpeg2video", options={"b": "3M"})

CASES = [
    *(_rotated(degrees) for degrees in (90, 180, 270)),
    Case("aspect", "sample aspect ratio", Video("in.mp4", aspect=Fraction(16, 11)), "H.264, pixels 16:11"),
    Case(
        "odd-444",
        "odd sides",
        Video("in.mp4", size=(97, 65), pixel_format="yuv444p"),
        "H.264 4:4:4, 97×65",
        options={"even": "444"},
        warnings=("need 4:4:4",),
        pixel_format="yuv444p",
    ),
    Case(
        "odd-420", "odd sides", Video("in.webm", codec="libvpx-vp9", size=(97, 65)), "VP9, 97×65", "out.webm"
    ),
    Case(
        "size-changes",
        "size changes within the video",
        partial(
            concatenated,
            videos=(_MPEG2, Video("2.ts", codec="mpeg2video", options={"b": "3M"}, size=(64, 64))),
        ),
        "MPEG-2, 96×64, then 64×64",
        psnr=None,
        frames=40,
        warnings=("96x64 -> 64x64", "closed a gap"),
    ),
    Case(
        "interlaced",
        "fields become whole frames",
        Video("in.mp4", pattern=patterns.woven, options={"flags": "+ildct+ilme", "crf": "8"}),
        "H.264, interlaced",
        warnings=("is interlaced",),
        reference=patterns.first_field,
        psnr=25.0,
    ),
    Case("alpha-prores", "alpha", _PRORES_4444, "ProRes 4444", "out.mov", keeps_alpha=True),
    Case("alpha-vp9", "alpha", _VP9_ALPHA, "VP9 with alpha", "out.webm", keeps_alpha=True),
    Case(
        "alpha-to-mp4",
        "alpha that the output cannot hold",
        _PRORES_4444,
        "ProRes 4444",
        warnings=("cannot hold transparency; .mov, .mkv, .webm",),
        psnr=None,
    ),
    *(_display_matrix(name, exif, matrix) for name, (exif, matrix) in _MATRICES.items()),
    Case(
        "clean-aperture",
        "crop rectangle of mp4",
        _cropped,
        "H.264, clap",
        reference=_middle,
        size=(64, 48),
        psnr=30.0,
    ),
]
