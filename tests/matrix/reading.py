"""Cases of what is read: display matrices, crop rectangles, and times of broadcasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.clips import scene
from tests.support.odd_media import add_clean_aperture, set_display_matrix
from vidgan.sources.orientation import EXIF

from .cases import AAC, Case
from .media import SIZE, Film, Pixels

_MATRICES = {
    "mirrored": (2, (-1, 0, 0, 1)),
    "flipped": (4, (1, 0, 0, -1)),
    "transposed": (5, (0, 1, 1, 0)),
    "transposed-the-other-way": (7, (0, -1, -1, 0)),
}
"""EXIF's value, and the matrix, of those that are no rotation."""


def _turned(folder: Path, *, matrix: Sequence[float]) -> Path:
    return set_display_matrix(Film(name="in.mp4", sound=(AAC,))(folder), matrix)


def _seen(index: int, _width: int, _height: int, *, value: int) -> Pixels:
    return EXIF[value].apply(scene(index, *SIZE))


def _cropped(folder: Path) -> Path:
    return add_clean_aperture(Film(name="in.mp4")(folder), 64, 48, (Fraction(8), Fraction(-4)))


def _middle(index: int, _width: int, _height: int) -> Pixels:
    return scene(index, *SIZE)[4:52, 24:88]


def _broadcast(offset: int) -> Callable[[Path], Path]:
    return Film(
        name="in.ts",
        muxer={"output_ts_offset": str(offset)},
        codec="mpeg2video",
        options={"b": "3M"},
        sound=(replace(AAC, codec="mp2"),),
    )


def _matrix_case(name: str, value: int, matrix: Sequence[float]) -> Case:
    turned: dict[str, Any] = {"size": SIZE[::-1]} if value > 4 else {}
    return Case(
        name=name,
        covers="display matrix that is no rotation",
        make=partial(_turned, matrix=matrix),
        input="H.264, AAC",
        reference=partial(_seen, value=value),
        **turned,
    )


READING = [
    *(_matrix_case(name, value, matrix) for name, (value, matrix) in _MATRICES.items()),
    Case(
        name="clean-aperture",
        covers="crop rectangle of mp4",
        make=_cropped,
        input="H.264, clap",
        reference=_middle,
        size=(64, 48),
        psnr=30.0,
    ),
    Case(
        name="ten-hours",
        covers="starts after ten hours",
        make=_broadcast(36_000),
        input="MPEG-2, MP2",
    ),
    Case(
        name="clock-wraps",
        covers="starts a second before the clock of MPEG-TS begins anew",
        make=_broadcast(95_442),
        input="MPEG-2, MP2",
    ),
]
