"""Decoded frames of any pixel format become planar 4:2:0 of the processing size."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.commands import SAMPLES
from vidgan.live.clock import TIME_BASE
from vidgan.live.conversion import FrameConverter, display_size, flip_horizontal, resize
from vidgan.live.sources.video_file import VideoFileSource
from vidgan.media.image import YuvImage

SIZE = 160, 90


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    bgr = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (320, 180), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(bgr[..., ::-1])


def coded(photo: NDArray[np.uint8], layout: str) -> av.VideoFrame:
    """A decoded frame in that pixel format."""
    rgb = av.VideoFrame.from_ndarray(photo, "rgb24")
    if layout in ("rgb24", "bgr24", "gray"):
        return rgb.reformat(format=layout)
    frame = rgb.reformat(format=layout, dst_colorspace=5, dst_color_range=2 if "yuvj" in layout else 1)
    frame.colorspace = 5
    return frame


@pytest.mark.parametrize("layout", ["yuv420p", "yuvj420p", "yuvj422p", "yuyv422", "nv12", "bgr24", "yuv444p"])
@pytest.mark.parametrize("size", [SIZE, (320, 180)])
def test_colors_are_kept(photo: NDArray[np.uint8], layout: str, size: tuple[int, int]) -> None:
    frame = FrameConverter().convert(coded(photo, layout), size, pts=5)
    assert (frame.size, frame.pts, frame.time_base) == (size, 5, TIME_BASE)
    wanted = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(float)
    # Blurred, because scalers differ in sharpness, and cameras subsample chroma.
    difference = cv2.blur(frame.pixels.astype(float), (9, 9)) - cv2.blur(wanted, (9, 9))
    assert np.abs(difference).mean() < 2 and np.abs(difference.mean(axis=(0, 1))).max() < 2


def test_format_may_change_between_frames(photo: NDArray[np.uint8]) -> None:
    converter = FrameConverter()
    for layout in ("yuyv422", "bgr24", "yuv420p", "yuyv422"):
        difference = converter.convert(coded(photo, layout), (320, 180), pts=0).pixels.astype(int) - photo
        assert np.abs(difference.mean(axis=(0, 1))).max() < 2


def test_rotated_videos_become_upright(tmp_path: Path, photo: NDArray[np.uint8]) -> None:
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.set_display_rotation(90)
        container.mux(stream.encode(coded(photo, "yuv420p")))
        container.mux(stream.encode(None))
    (frame,) = VideoFileSource(path).frames()
    size = display_size(frame)
    assert size == (180, 320)
    difference = FrameConverter().convert(frame, size, pts=0).pixels.astype(int) - np.rot90(photo)
    assert np.abs(difference).mean() < 6


def test_two_flips_are_the_identity(photo: NDArray[np.uint8]) -> None:
    frame = FrameConverter().convert(coded(photo, "bgr24"), SIZE, pts=0)
    once = flip_horizontal(frame)
    assert np.abs(once.pixels[:, ::-1].astype(int) - frame.pixels).mean() < 1
    assert np.abs(once.pixels.astype(int) - frame.pixels).mean() > 10
    twice = flip_horizontal(once)
    assert isinstance(twice.image, YuvImage) and isinstance(frame.image, YuvImage)
    assert np.array_equal(twice.image.luma, frame.image.luma)


def test_resize_keeps_the_time(photo: NDArray[np.uint8]) -> None:
    frame = FrameConverter().convert(coded(photo, "yuv420p"), (320, 180), pts=9)
    small = resize(frame, SIZE)
    assert (small.size, small.pts) == (SIZE, 9) and resize(small, SIZE).image is small.image


def test_display_size_is_even() -> None:
    assert display_size(av.VideoFrame(321, 181, "rgb24")) == (320, 180)
