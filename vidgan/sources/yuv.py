"""Decoded frames as luma and chroma, for streams that need no other conversion: RGB would be a detour."""

import av
import numpy as np
from numpy.typing import NDArray

from vidgan.media.ffmpeg import BT601, BT709, FULL_RANGE, INTERPOLATION, matrix_of, range_of
from vidgan.media.frame import VideoInfo
from vidgan.media.image import ChromaLocation, YuvImage
from vidgan.sources.filter_chain import filter_chain
from vidgan.sources.hdr import NAMES as HDR
from vidgan.sources.orientation import orientation_of

_FORMATS = {"yuv420p", "yuvj420p", "nv12"}
"""Hardware gives the last, in which Cb and Cr take turns."""

_PATTERN = "lum=128:cb=mod(X*X*37+Y*91\\,256):cr=128"
"""Expression of FFmpeg's filter geq: chroma that differs from one sample to the next."""


class YuvConverter:
    """Takes the planes of one stream's frames without a conversion to RGB.

    Args:
        info: of the frames that are wanted.
        first: the first frame.
    """

    def __init__(self, info: VideoInfo, first: av.VideoFrame) -> None:
        self._size = info.width, info.height
        self._matrix = matrix_of(info.color, info.height)
        self._full_range = range_of(info.color) == FULL_RANGE
        fits = (
            self._matrix in (*BT601, BT709)
            and info.color.transfer not in HDR
            and not (info.alpha or info.width % 2 or info.height % 2)
            and first.format.name in _FORMATS
            and orientation_of(first).upright
        )
        self._chroma_location = chroma_location_of(first) if fits else None

    def accepts(self, frame: av.VideoFrame) -> bool:
        """Whether the frame needs neither scaling nor turning."""
        as_wanted = (frame.width, frame.height) == self._size
        return self._chroma_location is not None and as_wanted and frame.format.name in _FORMATS

    def image(self, frame: av.VideoFrame) -> YuvImage:
        assert self._chroma_location is not None
        if frame.format.name == "nv12":
            luma, both = _samples(frame.planes[0]), _samples(frame.planes[1], 2)
            blue, red = (np.ascontiguousarray(both[:, first::2]) for first in (0, 1))
        else:
            luma, blue, red = map(_samples, frame.planes)
        return YuvImage.from_yuv420(
            luma,
            blue,
            red,
            full_range=self._full_range or frame.format.name == "yuvj420p",
            bt709=self._matrix == BT709,
            chroma_location=self._chroma_location,
        )


def chroma_location_of(frame: av.VideoFrame) -> ChromaLocation | None:
    """The chroma location that swscale assumes for a frame; None for any other one.

    PyAV does not tell. So a pattern in its place is converted as the frame would be, and as if it said so.
    """
    try:
        usual = _converted(frame, None)
        places: tuple[ChromaLocation, ...] = "left", "center"
        return next((each for each in places if np.array_equal(usual, _converted(frame, each))), None)
    except (av.error.FFmpegError, ValueError):  # An FFmpeg without one of the filters.
        return None


def _converted(frame: av.VideoFrame, place: str | None) -> NDArray[np.uint8]:
    said = [("setparams", f"chroma_location={place}")] if place else []
    graph = filter_chain(frame, None, ("crop", "16:16:0:0"), ("geq", _PATTERN), *said)
    graph.vpush(frame)
    converted = graph.vpull()
    assert isinstance(converted, av.VideoFrame)
    return np.asarray(
        converted.reformat(format="yuv444p", interpolation=INTERPOLATION).to_ndarray(), np.uint8
    )


def _samples(plane: av.video.plane.VideoPlane, each: int = 1) -> NDArray[np.uint8]:
    """``each`` values a place, side by side."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    # A copy, because the decoder uses its memory again.
    return np.ascontiguousarray(rows[: plane.height, : each * plane.width])
