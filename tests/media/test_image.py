"""Both kinds of images have the same operations, and their results show the same."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES
from tests.support.images import read_pixels
from vidgan.media.image import Image, RgbImage, YuvImage
from vidgan.media.yuv import Plane, to_left


def fitted(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(plane, size), np.uint8)


SHADE = np.tile(np.arange(-48, 48, dtype=np.int16)[:, np.newaxis], (1, 128))
OPERATIONS: dict[str, Callable[[Image], Image]] = {
    "as_yuv": lambda image: image.as_yuv(),
    "with_added_luma": lambda image: image.with_added_luma(SHADE),
    "resample": lambda image: image.resample(fitted, (90, 61)),
    "resized": lambda image: image.resized((81, 47)),
    "resized_pixels": lambda image: RgbImage(image.resized_pixels((96, 64))),
    "beside": lambda image: image.beside(RgbImage(np.full((96, 128, 3), 90, np.uint8))),
}  # fmt: skip


@pytest.fixture(scope="module")
def images() -> tuple[RgbImage, YuvImage, YuvImage]:
    """A photo as RGB, and as luma and chroma that is centered or left; smooth, so that all of them show the same."""
    photo = cv2.GaussianBlur(cv2.resize(read_pixels(SAMPLES / "bunny.jpg"), (128, 96)), (0, 0), 3)
    rgb = RgbImage(np.asarray(photo, np.uint8))
    centered = rgb.yuv()
    return rgb, centered, YuvImage(centered.luma, to_left(centered.chroma), "left")


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_shows_the_same_of_both_kinds(
    name: str, images: tuple[RgbImage, YuvImage, YuvImage]
) -> None:
    expected, *others = (OPERATIONS[name](each) for each in images)
    for other in others:
        assert other.size == expected.size
        assert cv2.PSNR(other.pixels, expected.pixels) > 36
    assert all(isinstance(each, YuvImage) for each in others) == (name != "resized_pixels")


def test_luma_is_that_of_the_planes(images: tuple[RgbImage, YuvImage, YuvImage]) -> None:
    rgb, centered, left = images
    assert np.array_equal(rgb.luma, centered.luma) and np.array_equal(rgb.luma, left.luma)
    assert left.as_yuv().chroma_location == "left" and left.resized((64, 48)).chroma_location == "center"
