"""Colorization: a generator says what colours grey pictures had; their lightness stays as it is, to the bit.

After Isola et al. 2017 in CIE Lab. Eyes see much less of colour's detail than of lightness's, so colours are
made at the size that the generator was trained for, and enlarged. Of films, whose frames come as luma and
chroma, luma stays as it is, and colours are never made larger than films keep them.
"""

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, YuvImage
from vidgan.session.output_check import Painter

_GREY = 128
_LESS = 0.85, 0.7, 0.5, 0.3, 0.15, 0.0
"""Shares of colour to try where there is no such light and dark in that colour."""
_STEPS = np.array(sorted(product((-1, 0, 1), repeat=3), key=lambda step: sum(map(abs, step))), np.int16)
"""To the neighbours of a colour, the nearest first."""
_LEAST = 16


class ColorizeEffect:
    """Gives frames colours; those that they have are not looked at.

    Args:
        painter: a model of the task ``colorize``.
        side: about how long the shorter side of pictures is that the model was trained for; None for any.
        strength: of the colours; 0 leaves grey, 1 is what the model says, 2 twice as saturated.
    """

    def __init__(self, painter: Painter, *, side: int | None, strength: float = 1.0) -> None:
        self._painter = painter
        self._side = side
        self._strength = strength

    def apply(self, frame: Frame) -> Frame:
        if isinstance(frame.image, YuvImage):
            return frame.with_image(self._coloured(frame.image))
        lightness = lightness_of(frame.pixels)
        return frame.with_pixels(in_colour(lightness, self._chroma(lightness)))

    def _coloured(self, image: YuvImage) -> YuvImage:
        height, width = image.chroma.shape[:2]
        lightness = np.asarray(cv2.LUT(image.luma, _LIGHTNESS_OF_GREY), np.uint8)
        half = np.asarray(cv2.resize(lightness, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        pixels = _rgb_of(half, _enlarged(self._chroma(lightness), height, width))
        chroma = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)[:, :, 1:]
        return YuvImage(image.luma, np.ascontiguousarray(chroma, np.uint8))

    def _chroma(self, lightness: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Of the size at which the model makes it."""
        chroma: NDArray[np.uint8] = self._painter.run(self._small(lightness)[np.newaxis])[0]
        if self._strength == 1:
            return chroma
        signed = self._strength * (chroma.astype(np.float32) - _GREY)
        return np.asarray((signed + _GREY).round().clip(0, 255), np.uint8)

    def _small(self, lightness: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = lightness.shape
        if self._side is None or min(height, width) <= self._side:
            return np.ascontiguousarray(lightness)
        scale = self._side / min(height, width)
        size = max(_LEAST, round(scale * width)), max(_LEAST, round(scale * height))
        return np.asarray(cv2.resize(lightness, size, interpolation=cv2.INTER_AREA), np.uint8)


def lightness_of(pixels: Pixels) -> NDArray[np.uint8]:
    """L of CIE Lab times 255 / 100, ``(H, W)`` uint8, of RGB."""
    return np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)[:, :, 0], np.uint8)


def in_colour(lightness: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> Pixels:
    """RGB of exactly that lightness, and of about that colour.

    Where sRGB has no such colour of that lightness, there is less of it; and where bytes miss the lightness,
    the nearest colour that does not is taken.

    Args:
        lightness: of a picture, see :func:`lightness_of`, ``(H, W)``.
        chroma: a and b of CIE Lab, each plus 128, ``(h, w, 2)`` uint8; enlarged where it is smaller.
    """
    chroma = _enlarged(chroma, *lightness.shape)
    pixels = _rgb_of(lightness, chroma)
    rows, columns = np.nonzero(lightness_of(pixels) != lightness)
    wanted, colour = lightness[rows, columns], chroma[rows, columns].astype(np.float32) - _GREY
    for share in (1.0, *_LESS):
        if not len(rows):
            break
        less = np.asarray((share * colour + _GREY).round(), np.uint8)
        found, hit = _nearest_of(wanted, less)
        pixels[rows[hit], columns[hit]] = found[hit]
        rows, columns, wanted, colour = rows[~hit], columns[~hit], wanted[~hit], colour[~hit]
    return pixels


def _nearest_of(wanted: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> tuple[Pixels, NDArray[np.bool_]]:
    """Colours ``(N, 3)`` of lightness ``(N,)`` and chroma ``(N, 2)``, and which of them hit it."""
    start = _rgb_of(wanted[:, np.newaxis], chroma[:, np.newaxis])[:, 0]
    found, missed = start.copy(), np.arange(len(start))
    for step in _STEPS:
        if not len(missed):
            break
        near = (start[missed] + step).clip(0, 255).astype(np.uint8)
        hits = lightness_of(near[:, np.newaxis])[:, 0] == wanted[missed]
        found[missed[hits]] = near[hits]
        missed = missed[~hits]
    hit = np.ones(len(start), np.bool_)
    hit[missed] = False
    return found, hit


def _enlarged(chroma: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if chroma.shape[:2] == (height, width):
        return chroma
    # What follows edges of lightness helps true colours a little, and a model's not: benchmarks/chroma.py.
    return np.asarray(cv2.resize(chroma, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _rgb_of(lightness: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> Pixels:
    lab = np.concatenate([lightness[..., np.newaxis], chroma], 2)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.uint8)


_GREYS = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis], 3, axis=2)
_LIGHTNESS_OF_GREY = lightness_of(_GREYS).ravel()
