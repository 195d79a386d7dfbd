"""Conversion of decoded frames to RGB, upright and of one size."""

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from vidgan.media.ffmpeg import FULL_RANGE, INTERPOLATION, matrix_of, range_of
from vidgan.media.frame import Alpha, Color
from vidgan.media.image import Pixels
from vidgan.sources.hdr import NAMES as HDR
from vidgan.sources.hdr import tone_map
from vidgan.sources.orientation import orientation_of

_SAME_SHAPE = 0.01


class RgbConverter:
    """Converts the frames of one stream.

    A frame of another shape than the first, in a stream that changes, is fitted in, with black beside it.

    Args:
        first: the first frame.
        size: width and height of the pixels, upright.
        color: color tags of the stream.
        scaling: how they are scaled.
    """

    def __init__(
        self,
        first: av.VideoFrame,
        size: tuple[int, int],
        color: Color,
        scaling: Interpolation = INTERPOLATION,
    ) -> None:
        self._scaling = scaling
        self._shape = first.width / first.height
        self._size = size
        self._color = color
        self._orientation = orientation_of(first)
        self._reformatter = VideoReformatter()

    def pixels(self, frame: av.VideoFrame) -> Pixels:
        if self._color.transfer in HDR:
            return tone_map(np.asarray(self._placed(frame, "rgb48le"), np.uint16), self._color)
        # Rows of a frame that is RGB already are as far apart as the decoder has them.
        return np.ascontiguousarray(self._placed(frame, "rgb24"), np.uint8)

    def alpha(self, frame: av.VideoFrame) -> Alpha:
        return np.ascontiguousarray(self._placed(frame, "rgba")[..., 3], np.uint8)

    def _placed(self, frame: av.VideoFrame, layout: str) -> NDArray[np.generic]:
        """Returns the frame's pixels, scaled, at their place in an image of the wanted size."""
        orientation = self._orientation
        width, height = orientation.size(*self._size)
        inner_width, inner_height = self._fitted(frame, width, height)
        converted = self._reformatter.reformat(
            frame,
            inner_width,
            inner_height,
            layout,
            src_colorspace=matrix_of(self._color, frame.height),
            src_color_range=range_of(self._color),
            dst_color_range=FULL_RANGE,
            interpolation=self._scaling,
            threads=1,
        )
        pixels = converted.to_ndarray()
        if (inner_width, inner_height) != (width, height):
            left, top = (width - inner_width) // 2, (height - inner_height) // 2
            right, bottom = width - inner_width - left, height - inner_height - top
            pixels = np.asarray(cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT))
        return pixels if orientation.upright else orientation.apply(pixels)

    def _fitted(self, frame: av.VideoFrame, width: int, height: int) -> tuple[int, int]:
        """The size of the frame within ``width`` × ``height``."""
        wider = frame.width / frame.height / self._shape
        if abs(wider - 1) < _SAME_SHAPE:
            return width, height
        return (width, max(1, round(height / wider))) if wider > 1 else (max(1, round(width * wider)), height)
