"""Decoded frames as planes, where nothing has to be done to them: RGB would be a detour."""

import av
import numpy as np
from numpy.typing import NDArray

from vidgan.frame import VideoInfo
from vidgan.media import BT601, BT709, FULL_RANGE, matrix_of, range_of
from vidgan.planes import Planes
from vidgan.sources.hdr import NAMES as HDR

_FORMATS = {"yuv420p", "yuvj420p", "nv12"}
"""Hardware gives the last, in which Cb and Cr take turns."""

_CENTRED = {"mjpeg", "mpeg1video"}
"""Codecs whose chroma lies between its pixels; that of all others where the left ones do."""


class ToPlanes:
    """Takes the planes of one stream's frames as they are.

    Args:
        info: of the frames that are wanted.
        codec: FFmpeg's name of the decoder.
    """

    def __init__(self, info: VideoInfo, codec: str) -> None:
        self._size = info.width, info.height
        self._matrix = matrix_of(info.color, info.height)
        self._full_range = range_of(info.color) == FULL_RANGE
        self._left = codec not in _CENTRED
        self._fits = (
            self._matrix in (*BT601, BT709)
            and info.color.transfer not in HDR
            and not (info.alpha or info.width % 2 or info.height % 2)
        )

    def can(self, frame: av.VideoFrame) -> bool:
        """Whether it is one that has nothing to be done to it."""
        as_wanted = (frame.width, frame.height) == self._size and not frame.rotation % 360
        return self._fits and as_wanted and frame.format.name in _FORMATS

    def planes(self, frame: av.VideoFrame) -> Planes:
        if frame.format.name == "nv12":
            luma, both = _samples(frame.planes[0]), _samples(frame.planes[1], 2)
            blue, red = (np.ascontiguousarray(both[:, first::2]) for first in (0, 1))
        else:
            luma, blue, red = map(_samples, frame.planes)
        return Planes.of_yuv420(
            luma,
            blue,
            red,
            full_range=self._full_range or frame.format.name == "yuvj420p",
            bt709=self._matrix == BT709,
            left=self._left,
        )


def _samples(plane: av.video.plane.VideoPlane, each: int = 1) -> NDArray[np.uint8]:
    """``each`` values a place, side by side."""
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    # A copy, because the decoder uses its memory again.
    return np.ascontiguousarray(rows[: plane.height, : each * plane.width])
