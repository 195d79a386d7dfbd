"""Display matrices, crop rectangles and anamorphic pixels: frames as players show them."""

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.odd_media import add_clean_aperture, make_video, run_tool, set_display_matrix, tool
from vidgan.live.conversion import FrameConverter, display_size
from vidgan.media.frame import Frame
from vidgan.media.geometry import scaled_aspect_ratio
from vidgan.sources import open_source
from vidgan.sources.orientation import EXIF, Orientation, from_matrix
from vidgan.sources.video import VideoSource

MATRICES = {
    "upright": (1, 0, 0, 1),
    "mirrored": (-1, 0, 0, 1),
    "turned by 180": (-1, 0, 0, -1),
    "flipped": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "turned by 90": (0, 1, -1, 0),
    "transposed the other way": (0, -1, -1, 0),
    "turned by 270": (0, -1, 1, 0),
}
"""In the order of EXIF's values, 1 to 8."""

QUADRANTS = [[(230, 60, 60), (60, 200, 60)], [(60, 60, 220), (220, 220, 60)]]
"""Colors at the top left, top right, bottom left and bottom right."""


def image(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    pixels = np.zeros((height, width, 3), np.uint8)
    for row, colors in enumerate(QUADRANTS):
        for column, color in enumerate(colors):
            top, left = row * height // 2, column * width // 2
            pixels[top : top + height // 2, left : left + width // 2] = color
    return pixels


def clip(folder: Path) -> Path:
    options = {"crf": "4", "preset": "ultrafast"}
    return make_video(folder / "in.mp4", frames=3, image=image(), options=options)


def first_frame(path: Path, *, yuv: bool = False) -> Frame:
    with open_source(path, yuv=yuv) as source:
        return next(iter(source))


def as_ffmpeg_shows(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    done = subprocess.run(
        [
            tool("ffmpeg"),
            "-v",
            "error",
            "-i",
            path,
            "-frames:v",
            "1",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ],
        capture_output=True,
        check=True,
    )
    return np.frombuffer(done.stdout, np.uint8).reshape(size[1], size[0], 3)


def assert_like(found: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> None:
    assert found.shape == wanted.shape
    # Edges between colors are soft, since chroma has half the size.
    assert np.median(np.abs(found.astype(int) - wanted)) <= 4
    assert np.abs(found.astype(int) - wanted).mean() < 6


@pytest.mark.parametrize("yuv", [False, True])
@pytest.mark.parametrize("name", MATRICES)
def test_all_eight_display_matrices(tmp_path: Path, name: str, yuv: bool) -> None:
    value = list(MATRICES).index(name) + 1
    path = set_display_matrix(clip(tmp_path), MATRICES[name])
    frame = first_frame(path, yuv=yuv)
    assert_like(frame.pixels, EXIF[value].apply(image()))
    assert_like(frame.pixels, as_ffmpeg_shows(path, frame.size))


@pytest.mark.parametrize("name", MATRICES)
def test_the_live_path_turns_alike(tmp_path: Path, name: str) -> None:
    path = set_display_matrix(clip(tmp_path), MATRICES[name])
    wanted = EXIF[list(MATRICES).index(name) + 1].apply(image())
    with VideoSource(path) as source:
        decoded, _ = next(iter(source.decoded()))
        assert display_size(decoded) == wanted.shape[1::-1]
        assert_like(FrameConverter().convert(decoded, display_size(decoded), pts=0).pixels, wanted)


@pytest.mark.parametrize("matrix", [(0.7071, 0.7071, -0.7071, 0.7071), (1, 0.5, 0, 1), (0, 0, 0, 0)])
def test_a_matrix_that_is_no_quarter_turn_is_ignored_and_said(
    tmp_path: Path, matrix: tuple[float, ...]
) -> None:
    path = set_display_matrix(clip(tmp_path), matrix)
    with open_source(path) as source:
        assert_like(next(iter(source)).pixels, image())
        assert ["no quarter turn" in each for each in source.warnings] == [True]


def test_a_matrix_that_scales_turns_alike() -> None:
    numbers = np.array([0, 2 * 65536, 0, -65536, 0, 0, 0, 0, 1 << 30], "=i4")
    assert from_matrix(numbers.tobytes()) == EXIF[6]


def test_orientations_are_those_of_exif() -> None:
    corners = np.array([[1, 2], [3, 4]])
    shown = [orientation.apply(corners).tolist() for orientation in EXIF.values()]
    assert shown == [
        [[1, 2], [3, 4]], [[2, 1], [4, 3]], [[4, 3], [2, 1]], [[3, 4], [1, 2]],
        [[1, 3], [2, 4]], [[3, 1], [4, 2]], [[4, 2], [3, 1]], [[2, 4], [1, 3]],
    ]  # fmt: skip
    assert Orientation(transpose=True).size(96, 64) == (64, 96)


@pytest.mark.parametrize("yuv", [False, True])
def test_a_clean_aperture_is_what_is_shown(tmp_path: Path, yuv: bool) -> None:
    # 64x48 of 96x64, moved by 8 to the right and by 4 up.
    path = add_clean_aperture(clip(tmp_path), 64, 48, (Fraction(8), Fraction(-4)))
    assert_like(first_frame(path, yuv=yuv).pixels, image()[4:52, 24:88])


def test_a_clean_aperture_is_turned_with_the_frame(tmp_path: Path) -> None:
    path = add_clean_aperture(clip(tmp_path), 64, 48, (Fraction(8), Fraction(-4)))
    set_display_matrix(path, MATRICES["turned by 90"])
    assert_like(first_frame(path).pixels, EXIF[6].apply(image()[4:52, 24:88]))


def test_matroska_says_how_many_pixels_are_cut_off(tmp_path: Path) -> None:
    options = {"crf": "4", "preset": "ultrafast"}
    path = make_video(tmp_path / "in.mkv", frames=3, image=image(), options=options)
    cut = {"left": 20, "right": 6, "top": 2, "bottom": 14}
    changes = [word for side, count in cut.items() for word in ("--set", f"pixel-crop-{side}={count}")]
    sizes = ("--set", "display-width=70", "--set", "display-height=48")
    run_tool("mkvpropedit", "-q", path, "--edit", "track:v1", *changes, *sizes)
    frame = first_frame(path)
    assert_like(frame.pixels, image()[2:50, 20:90])


@pytest.mark.parametrize(
    ("size", "aspect"),
    [
        (None, Fraction(16, 11)),
        ("128x64", Fraction(12, 11)),
        ("64x64", Fraction(24, 11)),
        ("32", Fraction(16, 11)),
    ],
)
def test_anamorphic_videos_keep_their_shape(tmp_path: Path, size: str | None, aspect: Fraction) -> None:
    path = make_video(tmp_path / "in.mp4", frames=2, aspect=Fraction(16, 11))
    with open_source(path, size=size) as source:
        info = source.info
        assert info.sample_aspect_ratio == aspect
        assert info.width * aspect / info.height == Fraction(96 * 16, 64 * 11)


def test_square_pixels_stay_square() -> None:
    assert scaled_aspect_ratio(Fraction(1), (192, 112), (100, 100)) == 1
    # 1366x768 becomes 1280x720, which is half a pixel off.
    assert scaled_aspect_ratio(Fraction(4, 3), (1366, 768), (1280, 720)) == Fraction(4, 3)
