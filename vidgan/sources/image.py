"""A still picture as a stream of one frame, and a folder of them as a film."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from vidgan.errors import InputError
from vidgan.media.ffmpeg import reading
from vidgan.media.frame import Alpha, Frame, VideoInfo
from vidgan.media.geometry import target_size
from vidgan.media.image import Pixels, RgbImage
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources.header import size_of
from vidgan.sources.limits import check_frame_size, check_picture_size
from vidgan.sources.stderr_capture import overheard

_MAY_BE_TRANSPARENT = {".png", ".webp", ".tif", ".tiff"}


class PictureSource:
    """Each picture a frame, upright (its EXIF orientation applied), 8 bit.

    Pictures of other sizes than the first are scaled to its size.

    Args:
        path: for messages.
        pictures: the files, in order.
        rate: frames a second; None for a still picture.
        size: of the frames, see :func:`vidgan.media.geometry.target_size`.
        trim: which of them are wanted.

    Raises:
        InputError: a file is no picture, or too large or too small a one, or there is none.
    """

    def __init__(
        self,
        path: Path,
        pictures: list[Path],
        *,
        rate: Fraction | None = None,
        size: str | None = None,
        trim: Trim = WHOLE,
    ) -> None:
        self.notices: list[str] = []
        self._time_base = Fraction(1) if rate is None else 1 / rate
        self._start = _begin(self._time_base, trim) * self._time_base
        self._pictures = _wanted(pictures, self._time_base, trim)
        if not self._pictures:
            raise InputError(f"{path}: has no picture" + ("" if trim == WHOLE else f" {trim}"))
        pixels, alpha, _ = self._picture(self._pictures[0])
        width, height = target_size(pixels.shape[1], pixels.shape[0], size)
        check_frame_size(self._pictures[0], width, height)
        self.info = VideoInfo(
            width=width,
            height=height,
            time_base=self._time_base,
            frame_rate=rate,
            frame_count=len(self._pictures),
            alpha=alpha is not None,
        )
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        yield from self._frames

    def skip(self, count: int) -> Frame | None:
        last = None
        for _ in range(count):
            last = next(self._frames, last)
        return last

    def times(self) -> Iterator[int]:
        yield from range(len(self._pictures))

    def seconds_at(self, pts: int) -> Fraction | None:
        return self._start + pts * self._time_base

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def _read(self) -> Iterator[Frame]:
        for index, path in enumerate(self._pictures):
            pixels, alpha, damage = self._picture(path)
            if damage:
                self.notices.append(f"{path}: is damaged; what could be decoded of it was taken")
            if path.suffix.lower() == ".webp" and b"ANMF" in path.read_bytes():
                self.notices.append(f"{path}: is animated; only its first picture was taken")
            frame = Frame(
                image=RgbImage(self._scaled(pixels)), pts=index, time_base=self._time_base, duration=1
            )
            if self.info.alpha:
                opaque = np.full(pixels.shape[:2], 255, np.uint8)
                frame = replace(frame, alpha=self._scaled(opaque if alpha is None else alpha))
            yield frame

    def _picture(self, path: Path) -> tuple[Pixels, Alpha | None, bool]:
        return read_picture(path)

    def _scaled(self, picture: Pixels | Alpha) -> Pixels:
        target = self.info.width, self.info.height
        if picture.shape[1::-1] == target:
            return picture
        how = cv2.INTER_AREA if target[1] < picture.shape[0] else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(picture, target, interpolation=how), np.uint8)


def read_picture(path: Path) -> tuple[Pixels, Alpha | None, bool]:
    """A picture's colours, its transparency if it has any, and whether it is damaged.

    Raises:
        InputError: the file is no picture of the kinds that vidgan reads, or a huge one, or nothing
            of it can be decoded.
    """
    with reading(path):
        encoded = np.fromfile(path, np.uint8)
    size = size_of(encoded.tobytes())
    if size is None:
        raise InputError(f"{path}: not a picture (PNG, JPEG, WebP, BMP or TIFF), or damaged or cut off")
    check_picture_size(path, *size)
    try:
        with overheard() as complaints:
            pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
            may_be_transparent = pixels is not None and path.suffix.lower() in _MAY_BE_TRANSPARENT
            alpha = _alpha(encoded) if may_be_transparent else None
    except cv2.error as exc:
        raise InputError(f"{path}: the picture cannot be decoded: {exc.err}") from exc
    if pixels is None:
        raise InputError(f"{path}: not a picture, or damaged or cut off")
    # A TIFF may be turned, and its transparency is not.
    fits = alpha is not None and alpha.shape == pixels.shape[:2]
    return np.asarray(pixels, np.uint8), alpha if fits else None, bool(complaints)


def _alpha(encoded: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Alpha | None:
    picture = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        return None
    alpha = picture[..., 3]
    return np.ascontiguousarray(alpha >> 8 if alpha.dtype == np.uint16 else alpha, np.uint8)


def _wanted(pictures: list[Path], time_base: Fraction, trim: Trim) -> list[Path]:
    end = None if trim.end is None else ceil(trim.end / time_base)
    return pictures[_begin(time_base, trim) : end][: trim.frames]


def _begin(time_base: Fraction, trim: Trim) -> int:
    """The number of the first picture that is wanted."""
    return ceil(trim.start / time_base)
