"""An image that is to be a style: read in whatever form it has, scaled as the predictor takes it."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from vidgan.errors import InputError, InputNotFoundError
from vidgan.media.image import Pixels
from vidgan.models.universal.painting_size import painting_size
from vidgan.sources import is_still, open_source
from vidgan.sources.image import DecodedImage, read_image

_FEW_PIXELS = 128
"""Long side below which strokes are mostly made up by scaling."""

_GRAY = 3
"""Largest difference of channels, in levels, of an image without colors."""

_EVEN = 1.0
"""Standard deviation, in levels, below which an image shows one color."""


def read_painting(path: Path, *, stroke: float) -> tuple[Pixels, list[str]]:
    """Reads an image of any size: transparent ones over white, moving ones by their first frame.

    Args:
        stroke: size of strokes, 1 for the usual.

    Returns:
        RGB, ``(H, W, 3)`` uint8, as the predictor takes it; and remarks for the user.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it is no image, or has nothing to make a style of.
    """
    check_painting(path)
    image = read_image(path) if is_still(path) else _first_frame(path)
    pixels = _over_white(image)
    small = _scaled(pixels, stroke)
    if float(small.std((0, 1)).max()) < _EVEN:
        raise InputError(f"{path}: shows a single color; a style needs an image with strokes or texture")
    return small, [f"{path}: {each}" for each in _remarks(image, pixels, small)]


def check_painting(path: Path) -> None:
    """Refuses what is no file, before anything is looked for that makes a style of it.

    Raises:
        InputNotFoundError, InputError: as of :func:`read_painting`.
    """
    if not path.exists():
        raise InputNotFoundError(f"{path}: no such image")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; a style is made of one image")
    if not path.is_file():
        raise InputError(f"{path}: is not a file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")


def _first_frame(path: Path) -> DecodedImage:
    with open_source(path) as source:
        frame = next(iter(source))
    return DecodedImage(frame.pixels, frame.alpha, remarks=("moves; its first frame is the style",))


def _over_white(image: DecodedImage) -> Pixels:
    if image.alpha is None:
        return image.pixels
    white = np.full_like(image.pixels, 255)
    weights = image.alpha.astype(np.float32) / 255
    return np.asarray(cv2.blendLinear(image.pixels, white, weights, 1 - weights), np.uint8)


def _scaled(pixels: Pixels, stroke: float) -> Pixels:
    height, width = painting_size(*pixels.shape[:2], stroke=stroke)
    smaller = height * width < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), np.uint8)


def _remarks(image: DecodedImage, pixels: Pixels, small: Pixels) -> Iterator[str]:
    height, width = pixels.shape[:2]
    yield from image.remarks
    if image.damaged:
        yield "is damaged; the part that could be decoded was used"
    if image.camera:
        yield f"was taken by a camera ({image.camera}); of a photo, colors and texture become the style"
    if image.alpha is not None and image.alpha.min() < 255:
        yield "is transparent in places, which count as white"
    if max(height, width) < _FEW_PIXELS:
        yield f"has only {width}x{height} pixels and was enlarged; its strokes will be soft"
    if int(np.ptp(small, axis=2).max()) <= _GRAY:
        yield "has no colors, and neither has its style; `preserve_color=True` keeps those of the input"
