"""Pictures of any kind become planes of the size that is painted."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from support.commands import SAMPLES

from vidgan.live.clock import TIME_BASE
from vidgan.live.fitting import Fitter, mirrored, resized, upright_size
from vidgan.live.sources.film import FilmSource

SIZE = 160, 90


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    picture = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (320, 180), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture[..., ::-1])


def coded(photo: NDArray[np.uint8], layout: str) -> av.VideoFrame:
    """As cameras and decoders give it."""
    rgb = av.VideoFrame.from_ndarray(photo, "rgb24")
    if layout in ("rgb24", "bgr24", "gray"):
        return rgb.reformat(format=layout)
    picture = rgb.reformat(format=layout, dst_colorspace=5, dst_color_range=2 if "yuvj" in layout else 1)
    picture.colorspace = 5
    return picture


@pytest.mark.parametrize("layout", ["yuv420p", "yuvj420p", "yuvj422p", "yuyv422", "nv12", "bgr24", "yuv444p"])
@pytest.mark.parametrize("size", [SIZE, (320, 180)])
def test_colours_are_those_of_the_picture(
    photo: NDArray[np.uint8], layout: str, size: tuple[int, int]
) -> None:
    frame = Fitter().fit(coded(photo, layout), size, pts=5)
    assert (frame.size, frame.pts, frame.time_base) == (size, 5, TIME_BASE)
    wanted = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(float)
    # Blurred, because scalers differ in how sharp they are, and cameras halve colour.
    difference = cv2.blur(frame.pixels.astype(float), (9, 9)) - cv2.blur(wanted, (9, 9))
    assert np.abs(difference).mean() < 2 and np.abs(difference.mean(axis=(0, 1))).max() < 2


def test_a_source_may_change_what_it_gives(photo: NDArray[np.uint8]) -> None:
    fitter = Fitter()
    for layout in ("yuyv422", "bgr24", "yuv420p", "yuyv422"):
        difference = fitter.fit(coded(photo, layout), (320, 180), pts=0).pixels.astype(int) - photo
        assert np.abs(difference.mean(axis=(0, 1))).max() < 2


def test_films_that_are_turned_come_upright(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.set_display_rotation(90)
        container.mux(stream.encode(coded(photo, "yuv420p")))
        container.mux(stream.encode(None))
    (picture,) = FilmSource(path).pictures()
    size = upright_size(picture)
    assert size == (180, 320)
    difference = Fitter().fit(picture, size, pts=0).pixels.astype(int) - np.rot90(photo)
    assert np.abs(difference).mean() < 6


def test_mirrored_twice_is_as_it_was(photo: NDArray[np.uint8]) -> None:
    frame = Fitter().fit(coded(photo, "bgr24"), SIZE, pts=0)
    once = mirrored(frame)
    assert np.abs(once.pixels[:, ::-1].astype(int) - frame.pixels).mean() < 1
    assert np.abs(once.pixels.astype(int) - frame.pixels).mean() > 10
    assert np.array_equal(mirrored(once).image.luma, frame.image.luma)


def test_resized_keeps_the_moment(photo: NDArray[np.uint8]) -> None:
    frame = Fitter().fit(coded(photo, "yuv420p"), (320, 180), pts=9)
    small = resized(frame, SIZE)
    assert (small.size, small.pts) == (SIZE, 9) and resized(small, SIZE).image is small.image


def test_sides_are_even() -> None:
    assert upright_size(av.VideoFrame(321, 181, "rgb24")) == (320, 180)
