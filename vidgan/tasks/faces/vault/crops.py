"""Crops of faces as video: H.264 of a part of the frame that follows a face."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from vidgan.media.image import Image, YuvImage
from vidgan.media.yuv import Plane
from vidgan.tasks.faces.hiding import Place
from vidgan.tasks.faces.vault.layout import CropPlace

MARGIN = 8
"""Pixels round what is hidden, over which a crop passes into the frame."""

_ROOM = 1.12
"""Growth of a face before its crops get another size."""
_OPTIONS = {
    "crf": "26",
    "maxrate": "58000",
    "bufsize": "58000",
    "preset": "slow",
    "tune": "psnr",
    "g": "250",
    "keyint_min": "25",
}
"""43 dB and 2 kB/s for a face of 75×100 pixels. Of single images, crf 33 costs 4 of 100 true accepts at a FAR of 1e-3,
crf 26 less than 1. Noisy crops are held to 7.25 kB in any second, so that a face takes less than 10 with places and
padding: 36.0 dB for the noisiest, 37.8 at crf 33 without the limit."""
_TIME_BASE, _RATE = Fraction(1, 1_000_000), 25
"""Times of frames are what the encoder holds its rate by; frames per second are a hint."""
_DECOYS, _MOST_DECOY_SIDE = 8, 2048
"""Different crops of a decoy, and the longest side of one, so that a vault cannot ask for any memory."""


def window(place: Place, frame_time: int, track: int, before: CropPlace | None) -> CropPlace:
    """The part of a frame that is stored: what is hidden and a margin, of the size before if that is large enough.

    Args:
        frame_time: in microseconds.
        before: of the frame before.
    """
    sides = []
    for low, high, size in (
        (place.left, place.right, None if before is None else before.width),
        (place.top, place.bottom, None if before is None else before.height),
    ):
        needed = high - low + 2 * MARGIN + 2
        fits = size is not None and needed <= size <= 2 * needed
        side = size if fits and size is not None else _even(needed * _ROOM)
        sides.append((_even_below((low + high - side) / 2), side))
    (left, width), (top, height) = sides
    return CropPlace(frame_time, track, left, top, width, height)


def cut(image: Image, place: CropPlace) -> YuvImage:
    """The pixels of a place, chroma centered; beyond the frame those at its border."""
    if isinstance(image, YuvImage):
        luma = _cut(image.luma, place.left, place.top, place.width, place.height)
        chroma = _cut(image.chroma, place.left // 2, place.top // 2, place.width // 2, place.height // 2)
        return YuvImage(luma, chroma, image.chroma_location).yuv()
    return YuvImage.from_rgb(_cut(image.pixels, place.left, place.top, place.width, place.height))


def _cut(plane: Plane, left: int, top: int, width: int, height: int) -> Plane:
    rows = np.arange(top, top + height).clip(0, plane.shape[0] - 1)
    columns = np.arange(left, left + width).clip(0, plane.shape[1] - 1)
    return np.ascontiguousarray(plane[rows[:, np.newaxis], columns])


class CropEncoder:
    """Encodes crops of one size.

    Attributes:
        places: numbers of the places of the crops so far.
    """

    def __init__(self, width: int, height: int) -> None:
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.framerate = _TIME_BASE, Fraction(_RATE)
        context.thread_count = 1
        context.options = _OPTIONS
        self.places: list[int] = []
        self._context = context
        self._packets: list[bytes] = []
        self._time = -1

    def add(self, crop: YuvImage, place: int, frame_time: int) -> None:
        """Appends a crop.

        Args:
            place: number of its place.
            frame_time: in microseconds.
        """
        half = crop.chroma.reshape(-1, 2)
        flat = np.concatenate([crop.luma.ravel(), half[:, 1], half[:, 0]])
        width, height = crop.size
        frame = av.VideoFrame.from_ndarray(flat.reshape(height * 3 // 2, width), format="yuv420p")
        self._time = max(self._time + 1, frame_time)
        frame.pts, frame.time_base = self._time, _TIME_BASE
        self.places.append(place)
        self._packets += map(bytes, self._context.encode(frame))

    def finish(self) -> bytes:
        """The whole of it, H.264 in Annex B."""
        return b"".join([*self._packets, *map(bytes, self._context.encode(None))])


def decoded(data: bytes) -> Iterator[YuvImage]:
    """The crops of one encoder, in order."""
    context = av.CodecContext.create("h264", "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    for packet in [*context.parse(data), *context.parse(None), None]:
        for frame in context.decode(packet):
            planes = frame.to_ndarray(format="yuv420p")
            height, width = frame.height, frame.width
            blue, red = planes[height:].reshape(2, height // 2, width // 2)
            yield YuvImage(
                np.ascontiguousarray(planes[:height]), np.ascontiguousarray(np.dstack([red, blue]))
            )


def decoy(size: tuple[int, int], count: int) -> bytes:
    """Crops of a pattern that take about as long to decode as those of a face: H.264, Annex B.

    Args:
        size: width and height, even; a side of more than 2048 pixels gets 2048.
        count: how many crops there are at least.
    """
    width, height = (min(each, _MOST_DECOY_SIDE) for each in size)
    return _pattern(width, height, min(count, _DECOYS)) * -(-count // _DECOYS)


@lru_cache(maxsize=64)
def _pattern(width: int, height: int, count: int) -> bytes:
    encoder = CropEncoder(width, height)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    chroma = np.full((height // 2, width // 2, 2), 128, np.uint8)
    for number in range(count):
        # By a part of a pixel, so that motion is compensated as in a face.
        waves = np.sin((columns + 0.75 * number) / 15) * np.cos((rows - 0.5 * number) / 19)
        encoder.add(
            YuvImage((128 + 60 * waves).astype(np.uint8), chroma), number, number * 1_000_000 // _RATE
        )
    return encoder.finish()


def _even(value: float) -> int:
    return -(-int(np.ceil(value)) // 2) * 2


def _even_below(value: float) -> int:
    return int(value // 2) * 2
