"""Conversion of decoded frames of any pixel format and size to planar 4:2:0 of the processing size."""

from collections.abc import Callable
from dataclasses import replace

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from vidgan.live.clock import TIME_BASE
from vidgan.media.ffmpeg import BT601, FULL_RANGE, matrix_of, range_of
from vidgan.media.frame import Color, Frame, VideoInfo
from vidgan.media.image import YuvImage
from vidgan.sources.hdr import NAMES as HDR
from vidgan.sources.orientation import orientation_of
from vidgan.sources.rgb import RgbConverter
from vidgan.sources.video import color_of
from vidgan.sources.yuv import YuvConverter

FrameSize = tuple[int, int]
"""Width and height in pixels, both even."""

_KNOWN_MATRICES = (1, *BT601)
_SMALLEST_SIDE = 16


class FrameConverter:
    """Converts the frames of one source; their format may change from frame to frame."""

    def __init__(self) -> None:
        self._format: object = None
        self._convert: Callable[[av.VideoFrame], YuvImage]

    def convert(self, decoded: av.VideoFrame, size: FrameSize, *, pts: int) -> Frame:
        """The decoded frame, rotated upright and scaled to that size.

        Args:
            pts: capture time on the live clock.
        """
        color = color_of(decoded)
        # The rotation stands for the display matrix, which is not to be asked for of each frame.
        kind = (decoded.format.name, decoded.width, decoded.height, decoded.rotation, color, size)
        if kind != self._format:
            self._format, self._convert = kind, _converter(decoded, size)
        return Frame(image=self._convert(decoded), pts=pts, time_base=TIME_BASE)


def display_size(decoded: av.VideoFrame) -> FrameSize:
    """Width and height after rotation, rounded down to even numbers."""
    width, height = decoded.width, decoded.height
    if decoded.rotation % 180 == 90:
        width, height = height, width
    return max(_SMALLEST_SIDE, width // 2 * 2), max(_SMALLEST_SIDE, height // 2 * 2)


def _converter(first: av.VideoFrame, size: FrameSize) -> Callable[[av.VideoFrame], YuvImage]:
    color = color_of(first)
    if not orientation_of(first).upright or color.transfer in HDR:
        to_rgb = RgbConverter(first, size, color)
        return lambda decoded: YuvImage.from_rgb(to_rgb.pixels(decoded))
    return _scaler(first, size, color)


def _scaler(first: av.VideoFrame, size: FrameSize, color: Color) -> Callable[[av.VideoFrame], YuvImage]:
    """One pass of swscale, or none where format and size fit already."""
    reformatter = VideoReformatter()
    rgb = first.format.is_rgb
    full = rgb or color.full_range or first.format.name.startswith("yuvj")
    matrix = BT601[0] if rgb else matrix_of(color, first.height)
    matrix = matrix if matrix in _KNOWN_MATRICES else BT601[0]
    given_range = FULL_RANGE if full else range_of(color)

    def scale(decoded: av.VideoFrame) -> av.VideoFrame:
        if (decoded.width, decoded.height) == size and decoded.format.name in ("yuv420p", "yuvj420p"):
            return decoded
        return reformatter.reformat(
            decoded,
            *size,
            "yuv420p",
            src_colorspace=None if rgb else matrix,
            dst_colorspace=matrix,
            src_color_range=given_range,
            dst_color_range=given_range,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )

    tagged = Color(matrix=matrix, full_range=bool(full))
    info = VideoInfo(width=size[0], height=size[1], time_base=TIME_BASE, color=tagged)
    to_yuv = YuvConverter(info, scale(first))
    return lambda decoded: to_yuv.image(scale(decoded))


def flip_horizontal(frame: Frame) -> Frame:
    """The frame with left and right swapped."""
    image = frame.image.yuv()
    luma, chroma = (np.asarray(cv2.flip(plane, 1), np.uint8) for plane in (image.luma, image.chroma))
    return frame.with_image(YuvImage(luma, chroma))


def resize(frame: Frame, size: FrameSize) -> Frame:
    """The frame at another size, with the same time; the proportions are not kept."""
    image = frame.image.as_yuv()
    if frame.size != size:
        width, height = size
        luma = cv2.resize(image.luma, size, interpolation=cv2.INTER_LINEAR)
        chroma = cv2.resize(image.chroma, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)
        image = replace(image, luma=np.asarray(luma, np.uint8), chroma=np.asarray(chroma, np.uint8))
    return Frame(image=image, pts=frame.pts, time_base=frame.time_base)
