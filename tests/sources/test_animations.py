"""GIF, APNG, animated WebP and AVIF: durations, loops, and names that promise a still."""

import gc
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.odd_media import run_tool
from vidgan import stylize
from vidgan.media.trim import Trim
from vidgan.sources import default_suffix, is_still, open_source
from vidgan.sources.animation import loop_count_of

Image = pytest.importorskip("PIL.Image")

DURATIONS = [100, 40, 100, 250, 100, 3000]
COLORS = [(40 * index, 100, 200 - 30 * index) for index in range(6)]


def animation(path: Path, *, loop: int | None = 0, alpha: bool = False) -> Path:
    mode = "RGBA" if alpha else "RGB"
    frames = [Image.new(mode, (48, 32), (*color, 128) if alpha else color) for color in COLORS]
    options = {} if loop is None else {"loop": loop}
    if path.suffix == ".webp":
        options["lossless"] = True
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=DURATIONS, **options)
    return path


@pytest.mark.parametrize("name", ["a.gif", "a.apng", "moving.png", "a.webp"])
def test_each_frame_stands_for_its_time(tmp_path: Path, name: str) -> None:
    path = animation(tmp_path / name)
    with open_source(path) as source:
        frames = list(source)
    starts = [frame.pts * frame.time_base for frame in frames]
    assert starts == [Fraction(sum(DURATIONS[:index]), 1000) for index in range(6)]
    last = frames[-1]
    assert (last.pts + last.duration) * last.time_base == Fraction(sum(DURATIONS), 1000)
    for frame, color in zip(frames, COLORS, strict=True):
        assert np.abs(frame.pixels[16, 24].astype(int) - color).max() <= 4
    assert not source.warnings


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_the_track_of_an_mp4_lasts_as_long_as_its_last_frame_is_held(
    tmp_path: Path, identity: str, name: str
) -> None:
    stylize(animation(tmp_path / "a.gif"), tmp_path / name, style=identity, smooth="off")
    probed = run_tool(
        *("ffprobe", "-v", "error", "-show_entries", "stream=duration:format=duration"),
        *("-of", "csv=p=0", tmp_path / name),
    )
    assert [float(each) for each in probed.split()] == [pytest.approx(3.59, abs=0.002)] * 2
    with open_source(tmp_path / name) as source:
        starts = [float(frame.pts * frame.time_base) for frame in source]
    assert starts == pytest.approx([sum(DURATIONS[:index]) / 1000 for index in range(6)])


@pytest.mark.parametrize(
    ("name", "loop", "count"),
    [
        ("a.gif", None, 1), ("a.gif", 0, 0), ("a.gif", 2, 3),
        ("a.apng", 0, 0), ("a.png", 1, 1), ("a.png", 3, 3),
        ("a.webp", 0, 0), ("a.webp", 2, 2),
    ],
)  # fmt: skip
def test_how_often_it_plays(tmp_path: Path, name: str, loop: int | None, count: int) -> None:
    path = animation(tmp_path / name, loop=loop)
    assert loop_count_of(path) == count
    with open_source(path) as source:
        assert source.info.loop_count == count


def test_a_still_does_not_play(tmp_path: Path) -> None:
    for name in ("a.png", "a.webp", "a.jpg", "a.bmp"):
        path = tmp_path / name
        cv2.imwrite(str(path), np.zeros((32, 48, 3), np.uint8))
        assert is_still(path) and loop_count_of(path) is None and default_suffix(path) == path.suffix


def test_names_that_promise_a_still(tmp_path: Path) -> None:
    moving = animation(tmp_path / "moving.png")
    assert not is_still(moving) and default_suffix(moving) == ".apng"
    # One frame with the chunks of an animation is a still.
    Image.new("RGB", (48, 32)).save(tmp_path / "one.png", save_all=True)
    assert is_still(tmp_path / "one.png")
    assert run_tool(
        "ffprobe", "-v", "error", "-show_entries", "format=format_name", "-of", "csv=p=0", moving
    ) == ("apng\n")


def test_transparency_of_an_animated_webp(tmp_path: Path) -> None:
    with open_source(animation(tmp_path / "a.webp", alpha=True)) as source:
        assert source.info.alpha
        frames = list(source)
    assert [int(frame.alpha[0, 0]) for frame in frames if frame.alpha is not None] == [128] * 6


def test_part_of_an_animated_webp(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.webp")
    with open_source(path, size="16", trim=Trim(start=Fraction("0.24"), end=Fraction("0.6"))) as source:
        frames = list(source)
        assert source.info.frame_count == 3 and (source.info.width, source.info.height) == (24, 16)
    assert [frame.pts for frame in frames] == [0, 250, 350]
    with open_source(path) as source:
        assert list(source.times()) == [0, 100, 140, 240, 490, 590]
    with open_source(path) as source:
        last = source.skip(4)
        assert last is not None and last.pts == 240
        assert [frame.pts for frame in source] == [490, 590]


def test_an_avif_sequence_is_a_video(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    frames = [Image.new("RGB", (48, 32), color) for color in COLORS]
    try:
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    except (KeyError, OSError):
        pytest.skip("this Pillow does not write AVIF")
    assert not is_still(path)
    with open_source(path) as source:
        assert [frame.pts * frame.time_base for frame in source] == [Fraction(each, 10) for each in range(6)]


def test_an_animation_with_a_profile_is_read(tmp_path: Path) -> None:
    """PyAV frees the name of a PNG's profile twice, if the side data of its frames is looked at."""
    profile = pytest.importorskip("PIL.ImageCms")
    data = profile.ImageCmsProfile(profile.createProfile("sRGB")).tobytes()
    frames = [Image.new("RGB", (48, 32), color) for color in COLORS]
    path = tmp_path / "a.png"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, icc_profile=data)
    for _ in range(3):
        with open_source(path, yuv=True) as source:
            assert [tuple(frame.pixels[16, 24]) for frame in source] == COLORS
        gc.collect()
