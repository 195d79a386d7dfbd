"""Models of luma alone: the wrapper enlarges chroma, in RGB and in the variant that videos use."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.typing import NDArray

from tests.support.commands import SAMPLES
from tests.support.foreign import psnr
from vidgan.importer.adding import Options, add_model
from vidgan.media.image import RgbImage, YuvImage
from vidgan.models.registry import find_model
from vidgan.session import Session

ENLARGER = """<ir_version: 8, opset_import: ["" : 17]>
enlarger (float[N, 1, H, W] x) => (float[N, 1, P, Q] y)
<float[4] scales = {{1, 1, {scale}, {scale}}}, int64[4] sides = {{{sides}}}>
{{
    sized = Reshape (x, sides)
    y = Resize <mode = "nearest"> (sized, , scales)
}}
"""
"""Repeats pixels, which tells luma from chroma, that is smooth. A size in a Reshape is really fixed."""


def added(path: Path, scale: int, side: int | None) -> Session:
    sides = "0, 0, 0, 0" if side is None else f"-1, 1, {side}, {side}"
    onnx.save(onnx.parser.parse_model(ENLARGER.format(scale=scale, sides=sides)), path)
    result = add_model(path, Options(name="luma", best=True))
    assert (result.findings.scale, result.findings.fixed) == (scale, (side, side) if side else None)
    return Session(find_model("luma", precision="int8"), device="cpu", threads=1)


def photo() -> NDArray[np.uint8]:
    large = cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB)
    return np.asarray(cv2.resize(large, (166, 102), interpolation=cv2.INTER_AREA), np.uint8)


def through_luma(pixels: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """By OpenCV: luma repeated, chroma by cubic interpolation."""
    image = pixels.astype(np.float32)
    luma = image @ np.array([0.299, 0.587, 0.114], np.float32)
    blue, red = (image[..., 2] - luma) / 1.772, (image[..., 0] - luma) / 1.402
    luma = luma.repeat(scale, 0).repeat(scale, 1)
    size = luma.shape[::-1]
    blue, red = (cv2.resize(each, size, interpolation=cv2.INTER_CUBIC) for each in (blue, red))
    green = (luma - 0.299 * (luma + 1.402 * red) - 0.114 * (luma + 1.772 * blue)) / 0.587
    levels = np.stack([luma + 1.402 * red, green, luma + 1.772 * blue], 2)
    return np.rint(levels).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [None, 64])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_colors_are_enlarged_and_luma_is_the_models(scale: int, side: int | None, tmp_path: Path) -> None:
    session = added(tmp_path / "luma.onnx", scale, side)
    (result,) = session.run(photo()[np.newaxis])
    expected = through_luma(photo(), scale)
    assert np.abs(result.astype(int) - expected).max() <= 1 and psnr(result, expected) >= 60


@pytest.mark.parametrize("side", [None, 64])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_videos_keep_luma_and_chroma(scale: int, side: int | None, tmp_path: Path) -> None:
    session = added(tmp_path / "luma.onnx", scale, side)
    assert session.takes_yuv
    planes = RgbImage(photo()).yuv()
    result = session.run_yuv(YuvImage(planes.luma, planes.chroma))
    assert np.array_equal(result.luma, planes.luma.repeat(scale, 0).repeat(scale, 1))
    size = result.luma.shape[1] // 2, result.luma.shape[0] // 2
    for channel in range(2):
        plane = planes.chroma[..., channel].astype(np.float32)
        expected = np.rint(cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC)).clip(0, 255)
        assert np.abs(result.chroma[..., channel] - expected).max() <= 1
        assert psnr(result.chroma[..., channel], expected.astype(np.uint8)) >= 60


def test_two_images_at_a_time_are_those_of_one(tmp_path: Path) -> None:
    session = added(tmp_path / "luma.onnx", 2, None)
    images = np.stack([photo(), photo()[::-1]])
    both = session.run(images)
    assert all(
        np.array_equal(each, session.run(image[np.newaxis])[0])
        for each, image in zip(both, images, strict=True)
    )


def test_odd_fixed_sizes_have_no_planes_of_half_the_size(tmp_path: Path) -> None:
    session = added(tmp_path / "luma.onnx", 2, 65)
    assert not session.takes_yuv
    expected = through_luma(photo(), 2)
    assert psnr(session.run(photo()[np.newaxis])[0], expected) >= 60
