"""What formats hold, and what becomes of images that are not plain: deep, transparent, interlaced, HDR."""

import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan
from tests.support.commands import assert_one_clear_error
from tests.support.commands import vidgan as run
from tests.support.images import read_pixels
from tests.support.timestamps import seconds
from vidgan.media.frame import Color, Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.sources.hdr import HLG, PQ, compressed, tone_map

SIZE = 96, 64
FRAMES = 12


def scene(index: int) -> NDArray[np.uint8]:
    """A smooth slope with a disc that wanders over it; RGBA, transparent on the left."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    base = 200 - 120 * (x / SIZE[0] + y / SIZE[1]) / 2
    image = np.stack([base, base * 0.8, 60 + base * 0.5, 255 * x / SIZE[0]], -1).astype(np.uint8)
    cv2.circle(image, (20 + 4 * index, 32), 6, (250, 240, 90, 255), -1)
    return image


def video(
    path: Path, codec: str, pixels: str, *, color: tuple[int, int, int] | None = None, **options: str
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pixels
        if color is not None:
            context = stream.codec_context
            context.color_primaries, context.color_trc, context.colorspace = color
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(scene(index), "rgba").reformat(format=pixels)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def frames_of(path: Path) -> list[Frame]:
    with vidgan.open_source(path) as source:
        return list(source)


def distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(int) - b).mean())


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".y4m", ".nut", ".webm", ".mov", ".mkv", ".mp4"])
def test_every_format_has_every_frame_at_its_time(tmp_path: Path, identity: str, suffix: str) -> None:
    source = video(tmp_path / "in.mp4", "libx264", "yuv420p", crf="10")
    output = tmp_path / f"out{suffix}"
    vidgan.stylize(source, output, style=identity)
    before, after = frames_of(source), frames_of(output)
    assert [each.pts_seconds for each in after] == [each.pts_seconds for each in before]
    assert max(distance(a.pixels, b.pixels) for a, b in zip(before, after, strict=True)) < 6


def test_animated_webp_has_every_frame(tmp_path: Path, identity: str) -> None:
    source = video(tmp_path / "in.mp4", "libx264", "yuv420p", crf="10")
    vidgan.stylize(source, tmp_path / "out.webp", style=identity)
    whole, animation = cv2.imreadanimation(str(tmp_path / "out.webp"))
    assert whole and len(animation.frames) == FRAMES and set(np.ravel(animation.durations)) == {40}
    with vidgan.open_source(tmp_path / "out.webp") as again:
        assert [frame.pts for frame in again] == [40 * index for index in range(FRAMES)]


def test_a_long_moving_png_is_in_time_to_the_end(tmp_path: Path) -> None:
    """FFmpeg reads delays as hundred-thousandths of a second; thirds of one add up to something else."""
    info = VideoInfo(width=16, height=16, time_base=Fraction(1, 600), frame_rate=Fraction(25))
    times = [24 * index + index % 3 for index in range(600)]
    path = tmp_path / "long.apng"
    with vidgan.open_sink(path, info) as sink:
        for pts in times:
            pixels = np.full((16, 16, 3), pts % 251, np.uint8)
            sink.write(Frame(image=RgbImage(pixels), pts=pts, time_base=info.time_base, duration=24))
    found = [seconds(frame.pts, frame.time_base) for frame in frames_of(path)]
    assert len(found) == len(times)
    assert max(abs(a - Fraction(b, 600)) for a, b in zip(found, times, strict=True)) < Fraction(1, 20_000)


@pytest.mark.parametrize("suffix", [".webm", ".mov", ".mkv", ".apng", ".nut"])
@pytest.mark.parametrize(("name", "codec", "pixels"), [
    ("in.mov", "prores_ks", "yuva444p10le"), ("in.webm", "libvpx-vp9", "yuva420p"),
])  # fmt: skip
def test_transparency_is_carried_through(
    tmp_path: Path, identity: str, name: str, codec: str, pixels: str, suffix: str
) -> None:
    source = video(tmp_path / name, codec, pixels)
    result = vidgan.stylize(source, tmp_path / f"out{suffix}", style=identity)
    before, after = frames_of(source), frames_of(tmp_path / f"out{suffix}")
    for a, b in zip(before, after, strict=True):
        assert a.alpha is not None and b.alpha is not None
        assert a.alpha[:, 0].max() < 20 and a.alpha[:, -1].min() > 230
        assert distance(a.alpha, b.alpha) < 3
    assert not result.warnings


def test_a_format_without_transparency_shows_it_over_black_and_says_so(tmp_path: Path, identity: str) -> None:
    source = video(tmp_path / "in.mov", "prores_ks", "yuva444p10le")
    result = vidgan.stylize(source, tmp_path / "out.mp4", style=identity)
    assert "transparency" in " ".join(result.warnings)
    (first, *_) = frames_of(tmp_path / "out.mp4")
    assert first.pixels[:, :2].max() < 30 and first.pixels[5, -3].min() > 60


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm", "out.y4m"])
def test_ten_bits_stay_ten_bits(tmp_path: Path, identity: str, name: str) -> None:
    source = video(tmp_path / "in.mp4", "libx264", "yuv420p10le", crf="10")
    vidgan.stylize(source, tmp_path / name, style=identity)
    with av.open(str(tmp_path / name)) as container:
        assert next(container.decode(video=0)).format.name == "yuv420p10le"
    for a, b in zip(frames_of(source), frames_of(tmp_path / name), strict=True):
        assert distance(a.pixels, b.pixels) < 4


def reference_pq(code: float) -> float:
    """BT.2100, table 4: light in cd/m2."""
    power = code ** (1 / (2523 / 4096 * 128))
    return 10000 * (max(power - 3424 / 4096, 0) / (2413 / 4096 * 32 - 2392 / 4096 * 32 * power)) ** (
        1 / (2610 / 16384)
    )


@pytest.mark.parametrize("code", [0.1, 0.3, 0.45, 0.5])
def test_what_is_darker_than_white_is_as_bright_as_before(code: float) -> None:
    gray = np.full((16, 16, 3), round(code * 65535), np.uint16)
    shown = tone_map(gray, Color(matrix=9, primaries=9, transfer=PQ))
    light = reference_pq(code)
    assert light < 0.75 * 203
    assert np.abs(255 * (light / 203) ** (1 / 2.4) - shown.astype(float)).max() < 1.5


def test_highlights_are_compressed_and_never_clipped_together() -> None:
    light = np.linspace(0, 3, 200, dtype=np.float32)
    shown = compressed(light)
    assert np.all(np.diff(shown) > 0) and shown.max() < 1
    codes = np.linspace(0, 65535, 256, dtype=np.uint16)
    for transfer in (PQ, HLG):
        gray = tone_map(
            np.repeat(codes[None, :, None], 3, axis=2), Color(matrix=9, primaries=9, transfer=transfer)
        )[0, :, 1]
        assert np.all(np.diff(gray.astype(int)) >= 0) and gray[0] == 0 and gray[-1] >= 250


@pytest.mark.parametrize(("transfer", "word"), [(PQ, "PQ"), (HLG, "HLG")])
def test_high_dynamic_range_is_mapped_and_tagged_as_what_it_is_then(
    tmp_path: Path, identity: str, transfer: int, word: str
) -> None:
    quiet = {"x265-params": "log-level=none"}
    source = video(tmp_path / "in.mkv", "libx265", "yuv420p10le", color=(9, transfer, 9), **quiet)
    result = vidgan.stylize(source, tmp_path / "out.mp4", style=identity)
    assert word in " ".join(result.warnings)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (1, 1, 1)
        assert frame.format.name == "yuv420p10le"


def test_interlaced_videos_become_whole_frames(tmp_path: Path, identity: str) -> None:
    """Two fields of a disc that moves: combs before, none after."""
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream(
            "libx264", rate=25, options={"flags": "+ildct+ilme", "x264-params": "tff=1", "crf": "5"}
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(FRAMES):
            woven = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
            for field in (0, 1):
                left = 8 + 4 * (2 * index + field) % 60
                woven[field::2, left : left + 20] = 220
            frame = av.VideoFrame.from_ndarray(woven, "rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    result = vidgan.stylize(source, tmp_path / "out.mp4", style=identity)
    assert "interlaced" in " ".join(result.warnings) and result.frames == FRAMES

    def combs(path: Path) -> float:
        """How much lines differ from the mean of their neighbors."""
        with av.open(str(path)) as container:
            gray = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]
        return float(np.mean([np.abs(each[1:-1] - (each[:-2] + each[2:]) / 2) for each in gray]))

    assert combs(tmp_path / "out.mp4") < 0.3 * combs(source)
    with av.open(str(source)) as a, av.open(str(tmp_path / "out.mp4")) as b:
        times = [[seconds(frame.pts, frame.time_base) for frame in each.decode(video=0)] for each in (a, b)]
    assert times[0] == times[1]


def test_a_video_that_changes_its_size_is_fitted_into_the_first(tmp_path: Path, identity: str) -> None:
    joined = tmp_path / "in.ts"
    pieces = []
    for number, width in enumerate((96, 64)):
        piece = tmp_path / f"{number}.ts"
        with av.open(str(piece), "w") as container:
            stream = container.add_stream("mpeg2video", rate=25)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, 64, "yuv420p"
            stream.codec_context.bit_rate = 2_000_000
            for index in range(FRAMES):
                frame = av.VideoFrame.from_ndarray(np.full((64, width, 3), 180, np.uint8), "rgb24")
                frame.pts = index
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        pieces.append(piece.read_bytes())
    joined.write_bytes(b"".join(pieces))
    result = vidgan.stylize(joined, tmp_path / "out.mp4", style=identity)
    frames = frames_of(tmp_path / "out.mp4")
    assert "96x64 -> 64x64" in " ".join(result.warnings)
    assert len(frames) == len(frames_of(joined)) >= 2 * FRAMES - 1
    steps = {b.pts - a.pts for a, b in pairwise(frames)}
    assert len(steps) == 1, "time goes on where the second piece begins"
    assert frames[0].pixels[32, 3].min() > 150 and frames[-1].pixels[32, 3].max() < 30
    assert frames[-1].pixels[32, 48].min() > 150


def test_a_folder_of_images_is_a_video_and_a_video_becomes_a_folder(tmp_path: Path, identity: str) -> None:
    source = video(tmp_path / "in.mp4", "libx264", "yuv420p", crf="5")
    pattern = tmp_path / "frames" / "%03d.png"
    done = run("stylize", source, "-o", pattern, "--style", identity, "--smooth", "off")
    assert done.returncode == 0, done.stderr
    names = sorted(each.name for each in (tmp_path / "frames").iterdir())
    assert names == [f"{number:03}.png" for number in range(1, FRAMES + 1)]
    for frame, name in zip(frames_of(source), names, strict=True):
        image = read_pixels(tmp_path / "frames" / name, cv2.IMREAD_COLOR_RGB)
        assert np.array_equal(image, frame.pixels)
    again = run(
        "stylize", tmp_path / "frames", "-o", tmp_path / "out.mp4", "--style", identity, "--rate", "12.5"
    )
    assert again.returncode == 0, again.stderr
    assert [each.pts_seconds for each in frames_of(tmp_path / "out.mp4")] == [
        float(index * Fraction(2, 25)) for index in range(FRAMES)
    ]
    assert_one_clear_error(run("stylize", source, "-o", pattern, "--style", identity), "exists already")


def test_images_are_taken_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 2, 1):
        cv2.imwrite(str(tmp_path / f"f{number}.png"), np.full((16, 16, 3), number, np.uint8))
    assert [frame.pixels[0, 0, 0] for frame in frames_of(tmp_path)] == [1, 2, 9, 10]


def test_a_name_with_a_percent_sign_is_a_name(tmp_path: Path, identity: str) -> None:
    image = tmp_path / "100%.png"
    cv2.imwrite(str(image), np.full((32, 32, 3), 90, np.uint8))
    done = run("stylize", image, "-o", tmp_path / "50%.png", "--style", identity)
    assert done.returncode == 0 and (tmp_path / "50%.png").exists(), done.stderr


@pytest.mark.parametrize("kept", [True, False])
def test_the_transparency_of_a_image(tmp_path: Path, identity: str, kept: bool) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), cv2.cvtColor(scene(0), cv2.COLOR_RGBA2BGRA))
    output = tmp_path / ("out.png" if kept else "out.jpg")
    result = vidgan.stylize(tmp_path / "in.png", output, style=identity)
    image = read_pixels(output, cv2.IMREAD_UNCHANGED)
    if kept:
        assert np.array_equal(image[..., 3], scene(0)[..., 3]) and not result.warnings
    else:
        assert image.shape[2] == 3 and image[:, 0].max() < 20 and "transparency" in result.warnings[0]


@pytest.mark.parametrize("pipe_format", ["nut", "y4m"])
def test_frames_go_to_standard_output(tmp_path: Path, identity: str, pipe_format: str) -> None:
    source = video(tmp_path / "in.mp4", "libx264", "yuv420p", crf="5")
    arguments = [source, "-o", "-", "--style", identity, "--pipe-format", pipe_format]
    done = subprocess.run(
        [sys.executable, "-m", "vidgan", "stylize", *map(str, arguments)], capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    piped = tmp_path / f"piped.{pipe_format}"
    piped.write_bytes(done.stdout)
    before, after = frames_of(source), frames_of(piped)
    assert [each.pts_seconds for each in before] == [each.pts_seconds for each in after]
    assert max(distance(a.pixels, b.pixels) for a, b in zip(before, after, strict=True)) < 2


def test_a_reader_that_leaves_is_one_clear_error(tmp_path: Path, identity: str) -> None:
    source = video(tmp_path / "in.mp4", "libx264", "yuv420p", crf="5")
    process = subprocess.Popen(
        [sys.executable, "-m", "vidgan", "stylize", str(source), "-o", "-", "--style", identity],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert (
        process.returncode == 1 and errors.startswith("error: standard output") and "Traceback" not in errors
    )


def test_chroma_stands_where_the_stream_says_it_does(tmp_path: Path) -> None:
    """A colored edge, its chroma sited left or centered: the same codes mean places a quarter pixel apart."""
    edges = {}
    for siting in ("left", "center"):
        path = tmp_path / f"{siting}.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(
                "libx264", rate=25, options={"qp": "1", "chroma_sample_location": siting}
            )
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            planes = np.full((96, 64), 128, np.uint8)
            planes[80:].reshape(32, 32)[:, 16:] = 190
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts = 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        red = frames_of(path)[0].pixels[10, :, 0].astype(float)
        edges[siting] = float((red.max() - red).sum() / (red.max() - red.min()))
    assert 0.2 < edges["center"] - edges["left"] < 0.8


def test_color_survives_being_read_and_written(tmp_path: Path) -> None:
    """What vidgan writes, it reads with every edge of color at its place."""
    info = VideoInfo(width=64, height=64, time_base=Fraction(1, 25), frame_rate=Fraction(25))
    pixels = np.full((64, 64, 3), (60, 120, 60), np.uint8)
    pixels[:, 31:] = (200, 100, 60)
    with vidgan.open_sink(tmp_path / "out.mkv", info) as sink:
        sink.write(Frame(image=RgbImage(pixels), pts=0, time_base=info.time_base, duration=1))
    red = frames_of(tmp_path / "out.mkv")[0].pixels[10, :, 0].astype(float)
    # Not the extremes, which are ringing beside the edge.
    low, high = red[5], red[-6]
    assert abs((high - red).sum() / (high - low) - 31) < 0.2
