"""A foreign graph tried on photos: the conventions that make an image of what it returns."""

import time

import cv2
import numpy as np
from onnx import TensorProto

from vidgan.errors import ModelError
from vidgan.importer.convention import Hints, Photo, Trial, find_convention, hints_of, interior
from vidgan.importer.geometry import Geometry, Probe, other_scale
from vidgan.importer.graph import ForeignGraph
from vidgan.importer.likeness import LUMA, Image
from vidgan.importer.photos import load_photos

_PROBE_SECONDS = 40.0
"""Time for all probing, about; photos are made smaller for graphs slower than that, and tell less."""

_NOISE = 20 / 255
"""Standard deviation of the noise of noisy photos."""


def timed_pixel(probe: Probe, geometry: Geometry) -> float:
    """Seconds that a pixel of the input takes."""
    channels = geometry.channels_in
    image = np.full((*geometry.base, channels), 0.5, np.float32)
    probe(image)
    started = time.perf_counter()
    probe(image)
    return (time.perf_counter() - started) / (geometry.base[0] * geometry.base[1])


def conventions_of(
    original: ForeignGraph, given: Hints, geometry: Geometry, probe: Probe, seconds_per_pixel: float
) -> list[Trial]:
    """The conventions that a graph may have, the likeliest first.

    Args:
        original: the graph as it was given.
        given: the user's hints.
        geometry, probe: of the graph that is run.
        seconds_per_pixel: of the input, see :func:`timed_pixel`.

    Raises:
        ModelError: none of them makes an image of what comes out, or its scale is not whole.
    """
    side = _photo_side(geometry, seconds_per_pixel)
    photos = _photos(geometry, side)
    previews = [] if 4 * side < 5 * max(geometry.base) else _photos(geometry, max(geometry.base))
    hints = hints_of(original.metadata, given)
    output = next(each for each in original.outputs if each.name == geometry.output)
    integers = {TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64}
    candidates = hints.candidates(
        min(geometry.channels_in, 3),
        integers_in=original.image.type in integers,
        integers_out=output.type in integers,
    )

    def run(image: Image) -> Image:
        if geometry.channels_in == 4:
            # Opaque, as every range but caffe's has it: 1, 255, or the largest value.
            image = np.concatenate([image, np.full_like(image[..., :1], image.max())], 2)
        result = probe(image)
        rows, columns = (max(0, -(each // 2)) for each in geometry.border)
        height, width = (
            each + min(0, lost) for each, lost in zip(result.shape[:2], geometry.border, strict=True)
        )
        return result[rows : rows + height, columns : columns + width, :3]

    noisy = [_noisy(each) for each in photos] if geometry.scale == 1 else []
    trials = find_convention(run, photos, candidates, geometry.scale, previews=previews, noisy=noisy)
    if geometry.fixed and max(geometry.border) > 0:
        _refuse_squeezed(geometry, trials[0], photos)
    return trials


def _refuse_squeezed(geometry: Geometry, best: Trial, photos: list[Photo]) -> None:
    """Refuses a graph of one size whose result is that small for another scale, not for a border that is lost."""
    height, width = (
        geometry.scale * side - lost for side, lost in zip(geometry.base, geometry.border, strict=True)
    )
    squeezed = [resized(each.given, (width, height)).reshape(height, width, -1) for each in photos]

    def error(others: list[Image]) -> float:
        pairs = zip(best.images, others, strict=True)
        return float(np.mean([np.square(a - interior(b, geometry.scale)).mean() for a, b in pairs]))

    if error(squeezed) < error([each.expected for each in photos]):
        raise ModelError(other_scale(height / geometry.base[0]))


def _noisy(photo: Photo) -> Photo:
    noise = np.random.default_rng(0).normal(0, _NOISE, photo.given.shape).astype(np.float32)
    return Photo((photo.given + noise).clip(0, 1), photo.expected)


def _photo_side(geometry: Geometry, seconds_per_pixel: float) -> int:
    """The side of photos that are not too large for the speed of the graph."""
    runs = 20
    affordable = int(np.sqrt(_PROBE_SECONDS / runs / max(seconds_per_pixel, 1e-9)))
    return min(max(affordable, 48), 256 // geometry.scale if geometry.scale > 1 else 160)


def _photos(geometry: Geometry, side: int) -> list[Photo]:
    """Photos of about that side, as the graph takes them."""
    sides = geometry.taken((side, side))
    photos = []
    for photo in load_photos():
        large = (geometry.scale * sides[1], geometry.scale * sides[0])
        expected = resized(photo, large)
        given = resized(expected, sides[::-1])
        if geometry.channels_in == 1:
            given, expected = ((each @ LUMA)[..., np.newaxis] for each in (given, expected))
        photos.append(Photo(given, _uncropped(expected, geometry)))
    return photos


def _uncropped(expected: Image, geometry: Geometry) -> Image:
    """The photo without the border that the graph eats."""
    rows, columns = (max(0, each) for each in geometry.border)
    height, width = expected.shape[:2]
    return expected[rows // 2 : height - (rows - rows // 2), columns // 2 : width - (columns - columns // 2)]


def resized(photo: Image, size: tuple[int, int]) -> Image:
    """A photo of that width and height."""
    smaller = size[0] < photo.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(photo, size, interpolation=how), np.float32).clip(0, 1)
