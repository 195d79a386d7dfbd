"""Use of PyAV that sources and sinks share: errors in words, and color tags in swscale's terms."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import av
from av.video.reformatter import ColorRange, Interpolation

from vidgan.errors import InputError, OutputError, VidganError
from vidgan.media.frame import Color


class ColorMatrix(IntEnum):
    """``AVColorSpace``, as H.273 numbers them; PyAV's ``Colorspace`` has swscale's numbers."""

    RGB = 0
    BT709 = 1
    UNSPECIFIED = 2
    BT470BG = 5
    SMPTE170M = 6
    YCGCO = 8
    BT2020_NCL = 9
    SMPTE2085 = 11
    CHROMA_DERIVED_NCL = 12
    CHROMA_DERIVED_CL = 13
    ICTCP = 14


BT709 = ColorMatrix.BT709
BT601 = ColorMatrix.BT470BG, ColorMatrix.SMPTE170M
"""BT.601, which streams of 625 and of 525 lines number differently."""

_DAMAGED = (av.error.InvalidDataError, av.error.EOFError, av.error.BlockingIOError)
"""Errors of demuxers and decoders about a file that is damaged, cut off or of another format."""

INTERPOLATION = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
NEAREST = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""For label maps: between two of their colors there is none."""


def matrix_of(color: Color, height: int) -> int:
    """The matrix to convert with: the tagged one, or what players assume where the tag is missing.

    Without a tag, players take BT.709 for high definition and BT.601 below. RGB's own "matrix" (0)
    is no answer for Y'CbCr either.
    """
    if color.matrix in (ColorMatrix.RGB, ColorMatrix.UNSPECIFIED):
        return BT709 if height >= 720 else ColorMatrix.SMPTE170M
    return color.matrix


def range_of(color: Color) -> int:
    """swscale's number for the range; a stream that does not say is limited."""
    return int(ColorRange.JPEG if color.full_range else ColorRange.MPEG)


FULL_RANGE = int(ColorRange.JPEG)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns PyAV's and the system's errors while reading ``path`` into :class:`InputError`."""
    try:
        yield
    except _DAMAGED as exc:
        raise InputError(f"{path}: not a video or image, or damaged or cut off") from exc
    except (av.error.FFmpegError, OSError) as exc:
        raise InputError(f"{path}: cannot be read: {_words(exc)}") from exc


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns PyAV's and the system's errors while writing ``path`` into :class:`OutputError`."""
    try:
        yield
    except VidganError:
        raise  # Some of them are errors of the system too, such as OutputExistsError.
    except (av.error.FFmpegError, OSError) as exc:
        if getattr(exc, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(f"{path}: the disk is full; nothing was left there") from exc
        raise OutputError(f"{path}: cannot be written: {_words(exc)}") from exc


def _words(exc: BaseException) -> str:
    return getattr(exc, "strerror", None) or str(exc)
