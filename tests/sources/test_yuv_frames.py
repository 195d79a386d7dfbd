"""Videos that go from the decoder to the encoder as luma and chroma: the same image as by way of RGB."""

from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan
from tests.support.commands import SAMPLES
from vidgan.media.frame import Color, Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage, YuvImage
from vidgan.models.registry import bundled_models
from vidgan.session.output_check import CheckedModel
from vidgan.sinks import open_sink
from vidgan.sources import open_source
from vidgan.sources.yuv import YuvConverter, chroma_location_of
from vidgan.tasks.style import StyleEffect

STEP = Fraction(1, 25)
UNTAGGED = Color()


def photo(width: int = 160, height: int = 90) -> Pixels:
    image = cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def video(path: Path, color: Color = UNTAGGED, bit_depth: int = 8, width: int = 160) -> Path:
    """Four frames of a photo that brightens."""
    info = VideoInfo(
        width=width, height=90, time_base=STEP, frame_rate=Fraction(25), color=color, bit_depth=bit_depth
    )
    with open_sink(path, info) as sink:
        for index in range(4):
            pixels = cv2.convertScaleAbs(photo(width), alpha=0.7 + 0.1 * index)
            sink.write(
                Frame(image=RgbImage(np.asarray(pixels, np.uint8)), pts=index, time_base=STEP, duration=1)
            )
    return path


@pytest.mark.parametrize("matrix", [1, 5, 6, 2])
@pytest.mark.parametrize("full_range", [False, True, None])
def test_a_source_gives_planes_of_what_it_gives_in_rgb(
    tmp_path: Path, matrix: int, full_range: bool | None
) -> None:
    path = video(tmp_path / "video.mp4", Color(matrix=matrix, full_range=full_range))
    with open_source(path, yuv=True) as planar, open_source(path) as plain:
        pairs = list(zip(planar, plain, strict=True))
    assert len(pairs) == 4
    for ours, theirs in pairs:
        assert isinstance(ours.image, YuvImage) and not isinstance(theirs.image, YuvImage)
        assert (ours.pts, ours.time_base, ours.duration, ours.size) == (
            theirs.pts, theirs.time_base, theirs.duration, theirs.size,
        )  # fmt: skip
        error = ours.pixels.astype(int) - theirs.pixels
        assert np.abs(error).mean() < 2 and np.abs(error.mean((0, 1))).max() < 0.7


def test_color_stands_where_it_stood(tmp_path: Path) -> None:
    """Half a pixel to the side would show: the right place is where the error is least."""
    path = video(tmp_path / "video.mp4", Color(matrix=6))
    with open_source(path, yuv=True) as planar, open_source(path) as plain:
        ours, theirs = next(iter(planar)), next(iter(plain))
    assert isinstance(ours.image, YuvImage)
    large = cv2.resize(theirs.pixels, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    wanted = cv2.cvtColor(large, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(float)
    found = cv2.resize(ours.image.yuv().chroma, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    errors = {
        shift: float(np.abs(np.roll(found, shift, 1)[32:-32, 32:-32] - wanted[32:-32, 32:-32]).mean())
        for shift in (-2, 0, 2)  # Half a pixel.
    }
    assert errors[0] < errors[-2] and errors[0] < errors[2]


@pytest.mark.parametrize(
    ("name", "facts", "size"),
    [
        ("deep.mkv", {"bit_depth": 10}, None),
        ("odd.mp4", {"width": 161}, None),
        ("large.mp4", {}, "80x45"),
        ("wide.mp4", {"color": Color(matrix=9)}, None),
    ],
)
def test_what_needs_work_comes_as_rgb(
    tmp_path: Path, name: str, facts: dict[str, object], size: str | None
) -> None:
    path = video(tmp_path / name, **facts)  # type: ignore[arg-type]
    with open_source(path, size=size, yuv=True) as planar, open_source(path, size=size) as plain:
        for ours, theirs in zip(planar, plain, strict=True):
            assert not isinstance(ours.image, YuvImage) and np.array_equal(ours.pixels, theirs.pixels)


def test_what_hardware_gives_is_the_same(tmp_path: Path) -> None:
    """NV12, in which Cb and Cr take turns."""
    path = video(tmp_path / "video.mp4", Color(matrix=6))
    with open_source(path) as source, av.open(str(path)) as container:
        usual = next(container.decode(video=0))
        reader = YuvConverter(source.info, usual)
        turns = usual.reformat(format="nv12")
        assert turns.format.name == "nv12" and reader.accepts(turns)
        ours, theirs = reader.image(turns), reader.image(usual)
    assert np.array_equal(ours.luma, theirs.luma) and np.array_equal(ours.chroma, theirs.chroma)


@pytest.mark.parametrize(
    ("said", "place"), [(None, "left"), ("left", "left"), ("center", "center"), ("topleft", None)]
)
def test_where_chroma_lies_is_found_out(tmp_path: Path, said: str | None, place: str | None) -> None:
    path = tmp_path / "video.mp4"
    options = {"x264-params": f"chromaloc={['left', 'center', 'topleft'].index(said)}"} if said else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(photo(), "rgb24")))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert chroma_location_of(next(container.decode(video=0))) == place
    with open_source(path, yuv=True) as source:
        assert isinstance(next(iter(source)).image, YuvImage) is (place is not None)


class Inverting:
    """A model for RGB, and for luma and chroma."""

    takes_yuv = True

    def __init__(self, broken: bool = False) -> None:
        self._broken = broken

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return 255 - images

    def run_yuv(self, planes: YuvImage) -> YuvImage:
        if self._broken:
            return YuvImage(planes.luma * 0, planes.chroma * 0 + 128)
        return YuvImage(255 - planes.luma, np.where(planes.chroma, 0 - planes.chroma, 255).astype(np.uint8))


def frames() -> tuple[Frame, Frame]:
    planar = Frame(image=YuvImage.from_rgb(photo()), pts=3, time_base=STEP, duration=1)
    return planar, planar.with_pixels(planar.pixels)


@pytest.mark.parametrize("strength", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("preserve_color", [False, True])
def test_effects_do_the_same_to_planes(strength: float, preserve_color: bool) -> None:
    effect = StyleEffect(Inverting(), strength=strength, preserve_color=preserve_color)
    planar, plain = frames()
    ours, theirs = effect.apply(planar), effect.apply(plain)
    assert isinstance(ours.image, YuvImage) and not isinstance(theirs.image, YuvImage)
    assert (ours.pts, ours.duration) == (3, 1)
    error = ours.pixels.astype(int) - theirs.pixels
    # Of strong colors, inverting may leave what RGB can show.
    assert np.abs(error).mean() < 6 and np.abs(error.mean((0, 1))).max() < 5


def test_broken_planes_are_stylized_again_in_rgb() -> None:
    opened = []

    def precise() -> Inverting:
        opened.append(True)
        return Inverting()

    checked = CheckedModel(Inverting(broken=True), precise)
    image = frames()[0].image
    assert isinstance(image, YuvImage)
    for _ in range(2):
        stylized = checked.run_yuv(image)
        assert np.abs(stylized.luma.astype(int) - (255 - image.luma)).mean() < 3
    assert len(opened) == 1
    assert checked.warnings == ["2 frames came out black and had to be processed again with full precision"]
    alone = CheckedModel(Inverting(broken=True), lambda: None)
    assert alone.run_yuv(image).luma.max() == 0
    assert "the model cannot do better" in alone.warnings[0]
    dark = YuvImage(image.luma // 30, image.chroma)
    assert CheckedModel(Inverting(broken=True), precise).run_yuv(dark).luma.max() == 0


@pytest.mark.parametrize("name", bundled_models("style"))
def test_bundled_styles_paint_planes_as_they_paint_rgb(name: str) -> None:
    session = vidgan.load_style(name, device="cpu")
    assert session.takes_yuv
    with open_source(SAMPLES / "bunny.mp4", yuv=True) as source:
        (frame,) = islice(source, 60, 61)
    assert isinstance(frame.image, YuvImage)
    ours = session.run_yuv(frame.image)
    theirs = YuvImage.from_rgb(session.run(frame.pixels[np.newaxis])[0])
    assert cv2.PSNR(ours.luma, theirs.luma) > 26 and cv2.PSNR(ours.chroma, theirs.chroma) > 30
    assert abs(float(ours.luma.mean()) - float(theirs.luma.mean())) < 1.5


def test_a_video_is_stylized_without_becoming_rgb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: YuvImage) -> Pixels:
        raise AssertionError("became RGB")

    monkeypatch.setattr(YuvImage, "pixels", property(never))
    trim = vidgan.Trim(frames=12)
    result = vidgan.stylize(
        SAMPLES / "bunny.mp4", tmp_path / "out.mp4", style="starry", device="cpu", trim=trim
    )
    assert result.frames == 12
