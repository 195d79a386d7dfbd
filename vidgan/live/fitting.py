"""Decoded pictures of any kind and size as planes of the size that is painted."""

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

Size = tuple[int, int]
"""Width and height, both even."""

_KNOWN_MATRICES = (1, *BT601)


class Fitter:
    """Fits the pictures of one source, which may change from one to the next."""

    def __init__(self) -> None:
        self._kind: object = None
        self._convert: Callable[[av.VideoFrame], YuvImage]

    def fit(self, picture: av.VideoFrame, size: Size, *, pts: int) -> Frame:
        """The picture, upright, at that size and time; the time is the live clock's."""
        orientation = orientation_of(picture)
        kind = (picture.format.name, picture.width, picture.height, orientation, color_of(picture), size)
        if kind != self._kind:
            self._kind, self._convert = kind, _converter(picture, size)
        return Frame(image=self._convert(picture), pts=pts, time_base=TIME_BASE)


def upright_size(picture: av.VideoFrame) -> Size:
    """Of a picture, made even."""
    width, height = orientation_of(picture).size(picture.width, picture.height)
    return max(16, width // 2 * 2), max(16, height // 2 * 2)


def _converter(first: av.VideoFrame, size: Size) -> Callable[[av.VideoFrame], YuvImage]:
    color = color_of(first)
    if not orientation_of(first).upright or color.transfer in HDR:
        to_rgb = RgbConverter(first, size, color)
        return lambda picture: YuvImage.from_rgb(to_rgb.pixels(picture))
    return _scaling(first, size, color)


def _scaling(first: av.VideoFrame, size: Size, color: Color) -> Callable[[av.VideoFrame], YuvImage]:
    """One pass of swscale, or none where nothing is to be done."""
    reformatter = VideoReformatter()
    rgb = first.format.is_rgb
    full = rgb or color.full_range or first.format.name.startswith("yuvj")
    matrix = BT601[0] if rgb else matrix_of(color, first.height)
    matrix = matrix if matrix in _KNOWN_MATRICES else BT601[0]
    given_range = FULL_RANGE if full else range_of(color)

    def scaled(picture: av.VideoFrame) -> av.VideoFrame:
        if (picture.width, picture.height) == size and picture.format.name in ("yuv420p", "yuvj420p"):
            return picture
        return reformatter.reformat(
            picture,
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
    to_yuv = YuvConverter(info, scaled(first))
    return lambda picture: to_yuv.image(scaled(picture))


def mirrored(frame: Frame) -> Frame:
    """With left and right swapped."""
    image = frame.image.yuv()
    luma, chroma = (np.asarray(cv2.flip(each, 1), np.uint8) for each in (image.luma, image.chroma))
    return frame.with_image(YuvImage(luma, chroma))


def resized(frame: Frame, size: Size) -> Frame:
    """The same moment at another size."""
    image = frame.image if isinstance(frame.image, YuvImage) else frame.image.yuv()
    if frame.size != size:
        width, height = size
        luma = cv2.resize(image.luma, size, interpolation=cv2.INTER_LINEAR)
        chroma = cv2.resize(image.chroma, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)
        image = replace(image, luma=np.asarray(luma, np.uint8), chroma=np.asarray(chroma, np.uint8))
    return Frame(image=image, pts=frame.pts, time_base=frame.time_base)
