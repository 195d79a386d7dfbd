"""``vidgan colorize --hint`` and ``--like``: colors that the user sets, in decoded pixels."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan as package
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.translators import RED, translator_file
from vidgan.errors import InputError
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage, YuvImage
from vidgan.media.trim import Trim
from vidgan.tasks.colorize.chroma_filter import ChromaFilter
from vidgan.tasks.colorize.hint_filter import HintFilter
from vidgan.tasks.colorize.hints import Hint, parse_hint, ways_from
from vidgan.tasks.colorize.lab import lightness_of
from vidgan.tasks.colorize.task import TASK, ColorizeSettings
from vidgan.temporal.motion import estimate_motion, flow_luma

BLUE, GREEN = "#3050c0", "#308040"
WIDTH, HEIGHT = 160, 96
SIDE = 32
LOSSLESS = {"encoder": "ffv1", "encoder_options": {}}

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A colorizer that says the same of everything."""
    return str(translator_file(tmp_path_factory.mktemp("models") / "red.onnx", "colorize"))


def chroma(text: str) -> NDArray[np.int64]:
    """a and b of CIE Lab, plus 128, of #rrggbb."""
    pixel = np.array([[list(bytes.fromhex(text[1:]))]], np.uint8)
    return cv2.cvtColor(pixel, cv2.COLOR_RGB2Lab)[0, 0, 1:].astype(int)


def ab(image: Image) -> NDArray[np.int64]:
    return cv2.cvtColor(image, cv2.COLOR_RGB2Lab)[:, :, 1:].astype(int)


def scene(left: int, top: int = 32) -> Image:
    """A lighter square with some texture on a darker ground, gray."""
    random = np.random.default_rng(0)
    luma = 90 + cv2.blur(random.normal(0, 30, (HEIGHT, WIDTH)), (5, 5))
    square = 150 + cv2.blur(random.normal(0, 30, (SIDE, SIDE)), (5, 5))
    luma[top : top + SIDE, left : left + SIDE] = square
    return np.repeat(luma.round().clip(0, 255).astype(np.uint8)[..., np.newaxis], 3, 2)


def video(path: Path, frames: list[Image]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"qp": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A square that moves to the right by 3 pixels a frame."""
    return video(
        tmp_path_factory.mktemp("videos") / "moving.mkv", [scene(16 + 3 * each) for each in range(24)]
    )


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stills") / "gray.png"
    assert cv2.imwrite(str(path), scene(48))
    return path


def read_pixels(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


def inside(image: Image, left: int, top: int = 32) -> NDArray[np.int64]:
    return np.median(ab(image)[top + 8 : top + SIDE - 8, left + 8 : left + SIDE - 8], (0, 1))


@pytest.mark.parametrize("hint", ["64,48={}", "64:48={}", "40%,50%={}", "0s:64,48={}"])
def test_a_hint_colors_what_it_is_on_up_to_its_edges(
    hint: str, model: str, still: Path, tmp_path: Path
) -> None:
    done = vidgan("colorize", still, "-m", model, "--hint", hint.format(BLUE), "-o", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    image = read_pixels(tmp_path / "out.png")
    assert np.array_equal(lightness_of(image), lightness_of(scene(48)))
    assert np.abs(inside(image, 48) - chroma(BLUE)).max() <= 4
    assert np.abs(np.median(ab(image)[:, 100:], (0, 1)) - RED).max() <= 2


def test_the_nearer_of_two_hints_counts(model: str, still: Path, tmp_path: Path) -> None:
    hints = [f"64,48={BLUE}", f"140,48={GREEN}"]
    package.colorize(still, tmp_path / "out.png", model=model, hints=hints)
    image = read_pixels(tmp_path / "out.png")
    assert np.abs(inside(image, 48) - chroma(BLUE)).max() <= 4
    assert np.abs(np.median(ab(image)[:, 120:], (0, 1)) - chroma(GREEN)).max() <= 4


@pytest.mark.parametrize("smooth", ["flow", "off"])
def test_a_hint_follows_the_motion(smooth: str, model: str, moving: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    package.colorize(moving, out, model=model, hints=f"32,48={BLUE}", smooth=smooth, **LOSSLESS)
    with package.open_source(out) as source:
        frames = [each.pixels for each in source]
    assert len(frames) == 24
    for index, image in enumerate(frames):
        assert np.abs(inside(image, 16 + 3 * index) - chroma(BLUE)).max() <= 8
        far = ab(image)[:20, :].reshape(-1, 2)
        assert np.abs(np.median(far, 0) - RED).max() <= 3


def test_a_hint_begins_at_its_time_of_the_whole_input(model: str, moving: Path, tmp_path: Path) -> None:
    place = 16 + 3 * 12 + 16
    options = {"model": model, "hints": f"1.2s:{place},48={BLUE}", "smooth": "off"}
    for name, start, first in (("whole", "0", 12), ("part", "0.6", 6)):
        trim = Trim(start=Fraction(start))
        package.colorize(moving, tmp_path / name / "%02d.png", trim=trim, **options)
        images = [read_pixels(each) for each in sorted((tmp_path / name).iterdir())]
        colors = [np.abs(inside(each, 16 + 3 * (index + 12 - first)) - RED).max()
                  for index, each in enumerate(images)]  # fmt: skip
        assert max(colors[:first]) <= 2 and min(colors[first:]) > 20


def test_hints_end_with_a_cut(model: str, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    other = cv2.resize(random.integers(0, 255, (12, 20), np.uint8), (WIDTH, HEIGHT))
    frames = [scene(48)] * 3 + [np.repeat(other[..., np.newaxis], 3, 2)] * 2
    clip = video(tmp_path / "cut.mkv", frames)
    done = vidgan("colorize", clip, "-m", model, "--hint", f"64,48={BLUE}", "-o", tmp_path / "%d.png")
    assert done.returncode == 0 and "ends with the cut at 0.30 s" in done.stderr
    assert np.abs(inside(read_pixels(tmp_path / "3.png"), 48) - chroma(BLUE)).max() <= 4
    for number in (4, 5):
        assert np.abs(np.median(ab(read_pixels(tmp_path / f"{number}.png")), (0, 1)) - RED).max() <= 2


@pytest.mark.parametrize("yuv", [False, True])
@pytest.mark.parametrize("smooth", [False, True])
def test_a_restored_state_goes_on_bit_for_bit(yuv: bool, smooth: bool) -> None:
    def opened() -> HintFilter:
        smoothing = ChromaFilter() if smooth else None
        hint = parse_hint(f"32,48={BLUE}")
        return HintFilter([hint], size=(WIDTH, HEIGHT), start=0, smoothing=smoothing)

    images = [scene(16 + 3 * each) for each in range(8)]
    frames = [
        Frame(image=RgbImage(each), pts=index, time_base=Fraction(1, 10)) for index, each in enumerate(images)
    ]
    lumas = [flow_luma(each) for each in frames]
    motions = [None, *(estimate_motion(a, b) for a, b in pairwise(lumas))]
    if yuv:
        frames = [each.with_image(YuvImage.from_rgb(each.pixels)) for each in frames]
    whole, first, second = opened(), opened(), opened()
    assert whole.state is None
    expected = [whole.apply(*each).pixels for each in zip(frames, motions, strict=True)]
    for each in zip(frames[:4], motions[:4], strict=True):
        first.apply(*each)
    second.state = first.state
    for wanted, frame, motion in zip(expected[4:], frames[4:], motions[4:], strict=True):
        assert np.array_equal(second.apply(frame, motion).pixels, wanted)
    assert np.abs(expected[-1].astype(int) - images[-1]).max() > 20


def test_a_video_with_hints_goes_on_where_it_was_interrupted(
    model: str, moving: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgan.segments.store.SEGMENT_FRAMES", 6)
    options = {"model": model, "hints": f"32,48={BLUE}", **LOSSLESS}

    def stop(count: int) -> None:
        if count == 14:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        package.colorize(moving, tmp_path / "resumed.mkv", on_frame=stop, **options)
    assert package.colorize(moving, tmp_path / "resumed.mkv", **options).resumed_frames >= 6
    package.colorize(moving, tmp_path / "whole.mkv", **options)
    with (
        package.open_source(tmp_path / "resumed.mkv") as one,
        package.open_source(tmp_path / "whole.mkv") as two,
    ):
        for a, b in zip(one, two, strict=True):
            assert np.array_equal(a.pixels, b.pixels)


def test_ways_are_short_where_there_are_no_edges() -> None:
    planes = np.full((60, 80, 3), 100, np.float32)
    planes[:, 40:] += 30
    planes[20:40, 38:42] = 100  # A gap in the edge.
    planes[20:40, 42:] = 100
    (ways,) = ways_from(planes, [(0.1, 0.5)])
    assert ways[30, 8] == 0
    # 70 pixels to the right, through the gap; then round the corner, which is no edge to the left of it.
    assert ways[30, 78] == pytest.approx(70 / 120, abs=0.01)
    assert ways[5, 20] == pytest.approx((12 + 25) / 120, abs=0.01)
    assert ways[5, 60] > 3


@pytest.mark.parametrize("text", ["120,80", "12%,80=#ff0000", "-3,80=#ff0000", "1,2,3=#ff0000", "1,2=#f00"])
def test_a_text_that_is_no_hint_is_refused(text: str, model: str, still: Path, tmp_path: Path) -> None:
    done = vidgan("colorize", still, "-m", model, "--hint", text, "-o", tmp_path / "out.png")
    assert done.returncode == 2 and "is no hint X,Y=#RRGGBB" in done.stderr
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("text", ["160,80=#ff0000", "159,96=#ff0000", "50%,101%=#ff0000"])
def test_a_hint_outside_of_the_frame_is_one_clear_error(
    text: str, model: str, still: Path, tmp_path: Path
) -> None:
    done = vidgan("colorize", still, "-m", model, "--hint", text, "-o", tmp_path / "out.png")
    assert_one_clear_error(done, "is outside of the frame of 160x96")


@pytest.mark.parametrize("text", ["120,80=#c08060", "12.5s:30%,40.25%=#c08060"])
def test_hints_go_into_journals_and_chains(text: str) -> None:
    settings = ColorizeSettings(hints=(parse_hint(text),))
    assert settings.as_json()["hints"] == [text]
    assert ColorizeSettings.from_json(settings.as_json()) == settings
    assert not TASK.runs_in_segments(settings) and TASK.runs_in_segments(ColorizeSettings())
    with pytest.raises(InputError, match="33 hints; 32 are the most"):
        ColorizeSettings(hints=(Hint(1, 1, (0, 0, 0)),) * 33)


def reference(path: Path) -> Path:
    """Orange where it is light, blue where it is dark."""
    image = np.zeros((64, 96, 3), np.uint8)
    image[:, :48], image[:, 48:] = (230, 170, 90), (40, 60, 120)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


def test_a_reference_gives_its_colors_by_lightness_and_what_the_model_says(
    model: str, still: Path, tmp_path: Path
) -> None:
    light, dark = (chroma(each) for each in ("#e6aa5a", "#283c78"))
    gray = np.full((64, 96, 3), 48, np.uint8)
    gray[:, :48] = 185
    assert cv2.imwrite(str(tmp_path / "gray.png"), gray)
    photo = reference(tmp_path / "photo.png")
    done = vidgan("colorize", tmp_path / "gray.png", "-m", model, "--like", photo, "-o", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    image = read_pixels(tmp_path / "out.png")
    assert np.array_equal(lightness_of(image), lightness_of(gray))
    assert np.abs(np.median(ab(image)[:, :40], (0, 1)) - light).max() <= 6
    assert np.abs(np.median(ab(image)[:, 56:], (0, 1)) - dark).max() <= 6


def test_a_reference_of_the_same_image_brings_its_colors_nearer(tmp_path: Path) -> None:
    target = SAMPLES / "bunny.jpg"
    lab = ab(read_pixels(target))
    errors = {}
    for name, like in (("plain", None), ("like", target)):
        package.colorize(target, tmp_path / f"{name}.png", like=like)
        errors[name] = np.linalg.norm(ab(read_pixels(tmp_path / f"{name}.png")) - lab, axis=2).mean()
    assert errors["like"] < 0.6 * errors["plain"]


def test_a_reference_adds_no_flicker_and_leaves_other_colors(
    model: str, moving: Path, tmp_path: Path
) -> None:
    photo = reference(tmp_path / "photo.png")
    package.colorize(moving, tmp_path / "%02d.png", model=model, like=photo, smooth="off")
    a, b = (ab(read_pixels(tmp_path / f"0{number}.png"))[:24, 110:] for number in (1, 4))
    # Nothing moves there, and the model sees single frames.
    assert np.abs(a - b).mean() < 1


@pytest.mark.parametrize("kind", ["gray", "missing"])
def test_a_reference_without_colors_is_one_clear_error(
    kind: str, model: str, still: Path, tmp_path: Path
) -> None:
    like = still if kind == "gray" else tmp_path / "none.jpg"
    message = "is gray; --like takes" if kind == "gray" else "no such reference photo"
    done = vidgan("colorize", still, "-m", model, "--like", like, "-o", tmp_path / "out.png")
    assert_one_clear_error(done, message)
