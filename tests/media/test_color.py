"""Colors through decoder and encoder, against a reference conversion written out here."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.clips import reference_rgb
from vidgan.media.frame import Color, Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.sinks import open_sink
from vidgan.sources import open_source

BT709, SMPTE170M = 1, 6
# Mid-range colors that every matrix and range can hold.
PATCHES = np.array(
    [[200, 40, 60], [40, 180, 70], [50, 60, 190], [190, 180, 50], [128, 128, 128], [230, 220, 215]], np.uint8
)


def image() -> NDArray[np.uint8]:
    """Patches of 32 x 32 pixels, large enough for half-resolution chroma not to matter inside."""
    return np.ascontiguousarray(np.kron(PATCHES.reshape(2, 3, 3), np.ones((32, 32, 1), np.uint8)))


def decoded_yuv(path: Path) -> NDArray[np.float64]:
    """The codes of the first frame at the patches' centers, ``(2, 3, 3)``."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    height, width = frame.height, frame.width
    planes = frame.to_ndarray().reshape(-1)
    size = width * height
    luma = planes[:size].reshape(height, width)
    cb = planes[size : size * 5 // 4].reshape(height // 2, width // 2)
    cr = planes[size * 5 // 4 :].reshape(height // 2, width // 2)
    chroma = [np.kron(plane, np.ones((2, 2))) for plane in (cb, cr)]
    return np.stack([luma, *chroma], -1)[16::32, 16::32].astype(np.float64)


def write(path: Path, color: Color, count: int = 3) -> None:
    info = VideoInfo(width=96, height=64, time_base=Fraction(1, 25), frame_rate=Fraction(25), color=color)
    with open_sink(path, info) as sink:
        for pts in range(count):
            sink.write(Frame(image=RgbImage(image()), pts=pts, time_base=info.time_base, duration=1))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [BT709, SMPTE170M])
def test_what_is_written_means_the_colors_it_was_given(
    tmp_path: Path, matrix: int, full: bool, suffix: str
) -> None:
    path = tmp_path / f"patches{suffix}"
    write(path, Color(matrix=matrix, full_range=full, primaries=1, transfer=1))
    rgb = reference_rgb(decoded_yuv(path), matrix, full)
    assert np.abs(rgb - PATCHES.reshape(2, 3, 3)).max() < 7  # the encoder is lossy


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [BT709, SMPTE170M])
def test_what_is_read_is_what_the_codes_mean(tmp_path: Path, matrix: int, full: bool) -> None:
    path = tmp_path / "patches.mp4"
    write(path, Color(matrix=matrix, full_range=full, primaries=1, transfer=1))
    with open_source(path) as source:
        read = next(iter(source)).pixels[16::32, 16::32].astype(float)
    assert np.abs(read - reference_rgb(decoded_yuv(path), matrix, full)).max() < 2.5


@pytest.mark.parametrize("full", [False, True, None])
@pytest.mark.parametrize("matrix", [BT709, SMPTE170M, 2])
def test_tags_survive(tmp_path: Path, matrix: int, full: bool | None) -> None:
    color = Color(matrix=matrix, full_range=full, primaries=matrix, transfer=matrix)
    write(tmp_path / "first.mp4", color)
    with open_source(tmp_path / "first.mp4") as source:
        read = source.info.color
    # H.264 cannot tell "limited" from "not said": both mean limited.
    assert bool(read.full_range) == bool(full)
    assert (read.matrix, read.primaries, read.transfer) == (matrix, matrix, matrix)


def test_an_untagged_stream_is_taken_for_what_players_take_it_for(tmp_path: Path) -> None:
    path = tmp_path / "untagged.mp4"
    write(path, Color())
    rgb = reference_rgb(decoded_yuv(path), SMPTE170M, False)
    assert np.abs(rgb - PATCHES.reshape(2, 3, 3)).max() < 7
