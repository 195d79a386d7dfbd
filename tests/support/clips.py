"""Clips made by the encoders that people have, and the colors that they should show."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

VARIABLE = [0, 1, 2, 7, 8, 30, 31, 32, 33, 60]
"""Times of frames at a variable rate."""

BT709, SMPTE170M = 1, 6
COEFFICIENTS = {BT709: (0.2126, 0.0722), SMPTE170M: (0.299, 0.114)}
"""Shares of red and blue in luma, by ``AVColorSpace``."""


def scene(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """A smooth moving image: light at the top left, a bright spot that wanders."""
    y, x = np.mgrid[0:height, 0:width]
    base = 200 - 120 * (x / width + y / height) / 2
    image = np.stack([base, base * 0.8, 60 + base * 0.5], -1)
    cv2.circle(image, (10 + 3 * index % width, height // 2), 6, (250, 240, 90), -1)
    return image.astype(np.uint8)


def make_clip(
    path: Path,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (96, 64),
    times: Sequence[int] = range(20),
    time_base: Fraction = Fraction(1, 25),
    sound: str | None = None,
    rotation: int = 0,
    pix_fmt: str = "yuv420p",
) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        video.codec_context.time_base = video.time_base = time_base
        if rotation:
            video.set_display_rotation(rotation)
        audio = container.add_stream(sound, rate=48000) if sound else None
        for index, pts in enumerate(times):
            image = av.VideoFrame.from_ndarray(scene(index, *size), "rgb24")
            image.pts, image.time_base = pts, time_base
            container.mux(video.encode(image))
        container.mux(video.encode(None))
        if isinstance(audio, av.AudioStream):
            tone = (np.sin(np.arange(48000) / 20) * 8000).astype(np.int16)[None]
            for start in range(0, 48000 - 960, 960):
                frame = av.AudioFrame.from_ndarray(tone[:, start : start + 960], "s16", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def reference_rgb(yuv: NDArray[np.float64], matrix: int, full: bool) -> NDArray[np.float64]:
    """H.273: Y'CbCr codes ``(..., 3)`` to R'G'B' in 0 to 255."""
    red, blue = COEFFICIENTS[matrix]
    scale, offset, chroma = (255, 0, 255) if full else (219, 16, 224)
    y, cb, cr = (
        (yuv[..., 0] - offset) / scale,
        (yuv[..., 1] - 128) / chroma,
        (yuv[..., 2] - 128) / chroma,
    )
    r = y + 2 * (1 - red) * cr
    b = y + 2 * (1 - blue) * cb
    g = (y - red * r - blue * b) / (1 - red - blue)
    return 255 * np.stack([r, g, b], -1)
