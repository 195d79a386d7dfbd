"""Compositing of two images by a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Image, RgbImage, YuvImage
from vidgan.media.yuv import Plane, to_center, to_left

Matte = NDArray[np.uint8]
"""Share of the inner image, ``(H, W)`` uint8: 0 is outside, 255 inside."""


def composite(inside: Image, outside: Image, mask: Matte) -> Image:
    """``inside`` where the mask is 255, ``outside`` where it is 0, to the bit; a mixture between.

    Args:
        inside, outside: of one size. The result has the layout of ``outside``.
        mask: ``(H, W)`` uint8, of that size.
    """
    if isinstance(outside, YuvImage):
        planes = inside.as_yuv()
        height, width = outside.chroma.shape[:2]
        half = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        return YuvImage(
            _mixed(planes.luma, outside.luma, mask),
            _mixed(_located(planes, outside), outside.chroma, half),
            outside.chroma_location,
        )
    return RgbImage(_mixed(inside.pixels, outside.pixels, mask))


def _located(image: YuvImage, other: YuvImage) -> Plane:
    """Chroma where the other image has its samples."""
    if image.chroma_location == other.chroma_location:
        return image.chroma
    return to_left(image.chroma) if other.chroma_location == "left" else to_center(image.chroma)


def _mixed(inside: Plane, outside: Plane, mask: Matte) -> Plane:
    weights = np.multiply(mask, np.float32(1 / 255), dtype=np.float32)
    mixed = cv2.blendLinear(inside, outside, weights, 1 - weights)
    return np.asarray(mixed, np.uint8).reshape(outside.shape)
