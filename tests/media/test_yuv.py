"""Luma and color apart: the same image, to the encoder and to who wants RGB."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES
from vidgan.media.encoding import Encoder, add_video, format_of
from vidgan.media.frame import Color, Frame, VideoInfo
from vidgan.media.image import ChromaLocation, Pixels, RgbImage, YuvImage


def photo(height: int, width: int) -> Pixels:
    image = cv2.imread(str(SAMPLES / "bunny.jpg"))
    assert image is not None
    return np.ascontiguousarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)[:, :, ::-1])


def frame(pixels: Pixels) -> Frame:
    return Frame(image=RgbImage(pixels), pts=7, time_base=Fraction(1, 25), duration=2)


def planar_frame(pixels: Pixels) -> Frame:
    return Frame(image=YuvImage.from_rgb(pixels), pts=7, time_base=Fraction(1, 25), duration=2)


def converted(tmp_path: Path, image: Frame, color: Color) -> av.VideoFrame:
    """What the encoder of an mp4 gets of it."""
    height, width = image.pixels.shape[:2]
    info = VideoInfo(
        width=width, height=height, time_base=Fraction(1, 25), frame_rate=Fraction(25), color=color
    )
    path = tmp_path / "video.mp4"
    encoding = format_of(path, info).encoding
    with av.open(str(path), "w") as container:
        return Encoder(add_video(container, encoding, info), encoding, info).convert(image)


def planes_of(image: av.VideoFrame) -> list[np.ndarray]:
    data = image.reformat(format="yuv420p").to_ndarray().astype(int)
    height = image.height
    luma, rest = data[:height], data[height:].ravel()
    return [luma, *np.split(rest, 2)]


@pytest.mark.parametrize("height", [90, 91])
def test_pixels_come_back_but_for_the_detail_of_color(height: int) -> None:
    pixels = photo(height, 161)
    back = YuvImage.from_rgb(pixels).pixels
    assert back.shape == pixels.shape and back.dtype == np.uint8
    error = back.astype(int) - pixels
    assert np.abs(error).mean() < 3 and np.abs(error.mean((0, 1))).max() < 0.5
    flat = np.full((height, 161, 3), (200, 60, 40), np.uint8)
    assert np.abs(YuvImage.from_rgb(flat).pixels.astype(int) - flat).max() <= 2


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize(("matrix", "mean", "most"), [(1, 1.1, 5), (6, 1, 4)], ids=["BT.709", "BT.601"])
def test_the_encoder_gets_of_planes_what_it_gets_of_their_pixels(
    tmp_path: Path, full_range: bool, matrix: int, mean: float, most: int
) -> None:
    color = Color(matrix=matrix, full_range=full_range)
    planar = planar_frame(photo(90, 160))
    direct = converted(tmp_path, planar, color)
    usual = converted(tmp_path, frame(planar.pixels), color)
    assert (direct.width, direct.height, direct.pts) == (160, 90, 7)
    assert (direct.color_range, direct.format.name) == (usual.color_range, usual.format.name)
    for ours, theirs in zip(planes_of(direct), planes_of(usual), strict=True):
        difference = np.abs(ours - theirs)
        assert difference.mean() < mean and abs((ours - theirs).mean()) < 0.7
        assert np.quantile(difference, 0.99) <= most


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("location", ["center", "left"])
def test_bt709_is_what_exact_arithmetic_makes_of_it(full_range: bool, location: ChromaLocation) -> None:
    """From BT.601's Y'CbCr by way of R'G'B', as H.273 defines both, with chroma where it lies."""
    planes = YuvImage.from_rgb(photo(90, 160))
    chroma = planes.chroma.astype(np.float64) - 128
    large = cv2.resize(chroma, (160, 90), interpolation=cv2.INTER_LINEAR)
    before = np.concatenate([chroma[:, :1], chroma[:, :-1]], 1)
    sited = 0.75 * chroma + 0.25 * before if location == "left" else chroma

    def luma_of(ycrcb: np.ndarray) -> np.ndarray:
        y, cr, cb = np.moveaxis(ycrcb, 2, 0)
        red, blue = y + 1.402 * cr, y + 1.772 * cb
        green = (y - 0.299 * red - 0.114 * blue) / 0.587
        return np.dstack([0.2126 * red + 0.7152 * green + 0.0722 * blue, red, blue])

    luma = luma_of(np.dstack([planes.luma, large]))[..., 0]
    small, red, blue = np.moveaxis(luma_of(np.dstack([0 * sited[..., :1], sited])), 2, 0)
    exact = [luma, (blue - small) / 1.8556, (red - small) / 1.5748]
    got = planes.to_yuv420(full_range=full_range, bt709=True, chroma_location=location)
    steps, zeros = (
        ((1, 1, 1), (0, 128, 128)) if full_range else ((219 / 255, *2 * (224 / 255,)), (16, 128, 128))
    )
    for ours, theirs, step, zero in zip(got, exact, steps, zeros, strict=True):
        error = ours - np.clip(theirs * step + zero, 0, 255)
        assert np.abs(error).max() <= 1.6 and np.abs(error).mean() < 0.5 and abs(error.mean()) < 0.1


@pytest.mark.parametrize(
    "change",
    [lambda p: p, lambda p: np.ascontiguousarray(p[:, :-1])],
    ids=["another matrix", "odd width"],
)
def test_where_planes_do_not_fit_the_pixels_are_taken(
    tmp_path: Path, change: Callable[[Pixels], Pixels]
) -> None:
    pixels = change(photo(90, 160))
    planar = planar_frame(pixels)
    color = Color(matrix=9)
    direct, usual = (converted(tmp_path, each, color) for each in (planar, frame(planar.pixels)))
    assert np.array_equal(direct.to_ndarray(), usual.to_ndarray())


def test_color_to_the_left_is_where_h264_has_it() -> None:
    """A ramp of color is a quarter of a chroma pixel further on."""
    ramp = np.repeat(np.arange(40, 200, 4, dtype=np.uint8)[None], 4, 0)
    planes = YuvImage(np.zeros((8, 80), np.uint8), np.dstack([ramp, ramp]))
    between, left = (
        np.stack(planes.to_yuv420(full_range=True, bt709=False, chroma_location=location)[1:]).astype(int)
        for location in ("center", "left")
    )
    assert (between == ramp).all()
    assert (left[:, :, 1:] == between[:, :, 1:] - 1).all()


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("bt709", [False, True])
@pytest.mark.parametrize("location", ["center", "left"])
def test_what_a_stream_has_comes_back(full_range: bool, bt709: bool, location: ChromaLocation) -> None:
    coded: Any = {"full_range": full_range, "bt709": bt709, "chroma_location": location}
    planes = YuvImage.from_rgb(photo(90, 160))
    samples = planes.to_yuv420(**coded)
    assert samples[0].min() >= (0 if full_range else 16) and samples[0].max() <= (255 if full_range else 235)
    back = YuvImage.from_yuv420(*(np.ascontiguousarray(each) for each in samples), **coded)
    assert back.chroma_location == location
    assert np.abs(back.luma.astype(int) - planes.luma).max() <= (3 if bt709 else 1)
    # Moving color to the left and back softens it.
    errors = back.yuv().chroma.astype(int) - planes.chroma
    assert (
        np.abs(errors).mean() < (2 if location == "left" else 1) and np.abs(errors.mean((0, 1))).max() < 0.5
    )
    again = back.to_yuv420(**coded)
    for ours, theirs in zip(again, samples, strict=True):
        assert np.abs(ours.astype(int) - theirs).max() <= 2


def test_gray_is_gray_in_every_matrix() -> None:
    gray = YuvImage(np.arange(256, dtype=np.uint8).reshape(16, 16), np.full((8, 8, 2), 128, np.uint8))
    luma, blue, red = gray.to_yuv420(full_range=True, bt709=True, chroma_location="left")
    assert (luma == gray.luma).all() and (blue == 128).all() and (red == 128).all()


def test_a_mixture_is_between_both_wherever_their_color_lies() -> None:
    one = YuvImage.from_rgb(photo(90, 160))
    other = YuvImage(255 - one.luma, np.roll(one.chroma, 1, axis=1), chroma_location="left")
    for share, expected in ((1.0, one), (0.0, other)):
        mixed = one.blend(other, share)
        assert np.array_equal(mixed.luma, expected.luma)
        assert np.array_equal(mixed.chroma, expected.yuv().chroma)
    assert np.abs(one.blend(other, 0.5).luma.astype(int) - 127).max() <= 1
    assert one.blend(one, 0.3).chroma_location == "center"
    assert other.blend(other, 0.3).chroma_location == "left"


def test_a_sparse_view_is_that_of_the_pixels() -> None:
    planes = YuvImage.from_rgb(photo(91, 160))
    sparse = planes.subsample(7)
    assert sparse.shape == (13, 23, 3)
    assert np.abs(sparse.astype(int) - planes.pixels[::7, ::7]).mean() < 4


def test_a_planar_frame_is_a_frame() -> None:
    pixels = photo(32, 48)
    planar = planar_frame(pixels)
    assert isinstance(planar, Frame) and planar.pixels is planar.pixels
    assert (planar.pts, planar.time_base, planar.duration) == (7, Fraction(1, 25), 2)
    assert repr(planar) == repr(frame(pixels))
    later = planar.at(9, duration=3)
    assert isinstance(later.image, YuvImage) and later.image is planar.image
    assert (later.pts, later.time_base, later.duration) == (9, Fraction(1, 25), 3)
    other = planar.with_pixels(pixels)
    assert other.pixels is pixels and other.pts == 7 and planar.over_black() is planar
