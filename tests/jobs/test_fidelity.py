"""What must survive a run, on clips made by the encoders that people have."""

import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.typing import NDArray

import vidgan
from tests.support.clips import VARIABLE, make_clip, scene
from tests.support.commands import SAMPLES
from tests.support.timestamps import seconds
from vidgan.errors import InputError, ModelError

SAMPLE = SAMPLES / "bunny.mp4"


def times_of(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [seconds(f.pts, stream.time_base) for f in container.decode(stream) if f.pts is not None]


def first_frame(path: Path) -> NDArray[np.uint8]:
    with vidgan.open_source(path) as source:
        return next(iter(source)).pixels


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("constant.mp4", {}),
        ("variable.mp4", {"times": VARIABLE}),
        ("variable.mkv", {"times": VARIABLE, "time_base": Fraction(1, 1000)}),
        ("late.mp4", {"times": range(10, 30), "sound": "aac"}),
        ("late.mkv", {"times": range(400, 1200, 40), "time_base": Fraction(1, 1000), "sound": "libopus"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "sound": "libopus"}),
        ("ntsc.mov", {"times": range(0, 20020, 1001), "time_base": Fraction(1, 30000)}),
    ],
)
def test_times_and_images_survive(
    tmp_path: Path, identity: str, name: str, options: dict[str, object]
) -> None:
    source = make_clip(tmp_path / name, **options)  # type: ignore[arg-type]
    output = tmp_path / f"out{source.suffix}"
    result = vidgan.stylize(source, output, style=identity)
    assert times_of(output) == times_of(source)
    assert result.frames == len(times_of(source))
    with vidgan.open_source(source) as before, vidgan.open_source(output) as after:
        for a, b in zip(before, after, strict=True):
            assert np.abs(a.pixels.astype(int) - b.pixels).mean() < 6
    if "sound" in options:
        with av.open(str(source)) as one, av.open(str(output)) as other:
            packets = [
                [(seconds(p.pts, p.time_base), bytes(p)) for p in c.demux(audio=0) if p.pts is not None]
                for c in (one, other)
            ]
        assert packets[0] and packets[0] == packets[1]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_phone_clip_comes_out_upright(tmp_path: Path, identity: str, degrees: int) -> None:
    source = make_clip(tmp_path / "phone.mp4", rotation=degrees)
    output = tmp_path / "out.mp4"
    vidgan.stylize(source, output, style=identity)
    with av.open(str(output)) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
        shown = frame.to_ndarray(format="rgb24").astype(int)
    # Where the player puts it: FFmpeg's rotation is counter-clockwise.
    expected = np.rot90(scene(0, 96, 64), degrees // 90)
    assert shown.shape == expected.shape
    assert np.abs(shown - expected).mean() < 8


@pytest.mark.parametrize(
    ("even", "size", "says"),
    [(None, (98, 66), "were padded to 98x66"), ("crop", (96, 64), "were cropped to 96x64"),
     ("444", (97, 65), "need 4:4:4")],
)  # fmt: skip
def test_odd_sides(tmp_path: Path, identity: str, even: str | None, size: tuple[int, int], says: str) -> None:
    source = make_clip(tmp_path / "odd.mp4", size=(97, 65), times=range(3), pix_fmt="yuv444p")
    options = {} if even is None else {"even": even}
    result = vidgan.stylize(source, tmp_path / "out.mp4", style=identity, **options)
    found, whole = first_frame(tmp_path / "out.mp4"), first_frame(source)
    assert (result.width, result.height) == found.shape[1::-1] == size
    assert [says in warning for warning in result.warnings].count(True) == 1
    assert np.abs(found[:64, :96].astype(int) - whole[:64, :96]).mean() < 4
    if even is None:
        # The border that was added is what was beside it.
        assert np.abs(found[:, 97].astype(int) - found[:, 96]).mean() < 6
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].pix_fmt == ("yuv444p" if even == "444" else "yuv420p")


def test_odd_sides_stay_where_the_codec_holds_them(tmp_path: Path, identity: str) -> None:
    source = make_clip(tmp_path / "odd.mp4", size=(97, 65), times=range(3), pix_fmt="yuv444p")
    for name, pixel_format in (("out.webm", "yuv420p"), ("out.gif", "bgra"), ("out.y4m", "yuv420p")):
        result = vidgan.stylize(source, tmp_path / name, style=identity)
        assert (result.width, result.height) == (97, 65)
        assert not [each for each in result.warnings if "sides" in each]
        with av.open(str(tmp_path / name)) as container:
            assert container.streams.video[0].pix_fmt == pixel_format


def test_a_comparison_of_odd_sides_is_padded_below(tmp_path: Path, identity: str) -> None:
    source = make_clip(tmp_path / "odd.mp4", size=(97, 65), times=range(2), pix_fmt="yuv444p")
    result = vidgan.stylize(source, tmp_path / "out.mp4", style=identity, compare=True)
    assert first_frame(tmp_path / "out.mp4").shape == (66, 194, 3) and result.width == 194


@pytest.mark.parametrize(("wanted", "size"), [("32", (48, 32)), ("48p", (72, 48)), ("50x40", (50, 40))])
def test_size(tmp_path: Path, identity: str, wanted: str, size: tuple[int, int]) -> None:
    source = make_clip(tmp_path / "in.mp4")
    result = vidgan.stylize(source, tmp_path / "out.mp4", style=identity, size=wanted)
    assert (result.width, result.height) == size
    assert first_frame(tmp_path / "out.mp4").shape == (size[1], size[0], 3)


@pytest.mark.parametrize("wanted", ["big", "0", "-5", "99999", "12x12", "1e3", ""])
def test_senseless_sizes_are_refused(tmp_path: Path, identity: str, wanted: str) -> None:
    with pytest.raises(InputError, match="size"):
        vidgan.stylize(SAMPLE, tmp_path / "out.mp4", style=identity, size=wanted)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff"])
def test_images(tmp_path: Path, identity: str, suffix: str) -> None:
    source = tmp_path / f"in{suffix}"
    assert cv2.imwrite(str(source), scene(0, 97, 65)[:, :, ::-1])
    result = vidgan.stylize(source, style=identity)
    output = tmp_path / f"in.identity{suffix}"
    assert result.output == str(output) and result.frames == 1
    assert np.abs(first_frame(output).astype(int) - first_frame(source)).mean() < 3


def test_strength_and_color(tmp_path: Path) -> None:
    image = scene(0, 96, 64)
    source = tmp_path / "in.png"
    cv2.imwrite(str(source), image[:, :, ::-1])

    def stylized(**options: object) -> NDArray[np.int64]:
        vidgan.stylize(source, tmp_path / "out.png", style="starry", overwrite=True, **options)
        return first_frame(tmp_path / "out.png").astype(int)

    whole = stylized()
    assert np.array_equal(stylized(strength=0.0), image)
    assert np.abs(stylized(strength=0.5) - (whole + image) / 2).max() <= 1
    chroma = [
        cv2.cvtColor(each.astype(np.uint8), cv2.COLOR_RGB2YCrCb)[:, :, 1:].astype(int)
        for each in (stylized(preserve_color=True), whole, image)
    ]
    assert np.abs(chroma[0] - chroma[2]).mean() < 0.2 * np.abs(chroma[1] - chroma[2]).mean()


@pytest.mark.parametrize(
    "name", ["two words.mp4", "50% off.mp4", "a:b.mp4", "-dash.mp4", "für alle 漢字.mp4", "it's.mp4"]
)
def test_any_name(tmp_path: Path, identity: str, name: str) -> None:
    source = make_clip(tmp_path / name)
    result = vidgan.stylize(source, style=identity)
    assert Path(result.output).parent == tmp_path
    assert times_of(Path(result.output)) == times_of(source)


def test_an_old_container_becomes_matroska(tmp_path: Path, identity: str) -> None:
    source = make_clip(tmp_path / "old.avi", codec="mpeg4")
    result = vidgan.stylize(source, style=identity)
    assert result.output.endswith("old.identity.mkv")
    assert len(times_of(Path(result.output))) == 20


def test_sound_that_the_container_cannot_hold_is_converted_and_said(tmp_path: Path, identity: str) -> None:
    source = make_clip(tmp_path / "in.mp4", sound="aac")
    result = vidgan.stylize(source, tmp_path / "out.webm", style=identity)
    assert any("audio, aac) was converted to" in each and ".mkv" in each for each in result.warnings)
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.audio[0].codec_context.name in ("libopus", "opus")


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_video_that_was_cut_off_is_refused(tmp_path: Path, identity: str, name: str) -> None:
    whole = make_clip(tmp_path / f"whole{Path(name).suffix}", times=range(100))
    data = whole.read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(InputError):
        vidgan.stylize(tmp_path / name, tmp_path / f"out{whole.suffix}", style=identity)
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(
    "text",
    ["#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/clip.ts\n", "ffconcat version 1.0\nfile bunny.mp4\n"],
)
def test_playlists_are_not_followed(tmp_path: Path, identity: str, text: str) -> None:
    for name in ("list.m3u8", "list.mp4", "list.ffconcat"):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError):
            vidgan.stylize(tmp_path / name, tmp_path / "out.mp4", style=identity)


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        ("g (float[N, 3, H, W] x) => (float[N, 3, H, W] y) { y = Identity (x) }", "uint8"),
        ("g (uint8[N, H, W, 3] x) => (uint8[M] y) { s = Shape (x)  y = Cast <to = 2> (s) }", "uint8"),
    ],
)
def test_a_model_of_another_shape_is_refused(tmp_path: Path, graph: str, words: str) -> None:
    model = onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["" : 20]> {graph}')
    onnx.helper.set_model_props(model, {"vidgan.task": "style"})
    path = tmp_path / "other.onnx"
    onnx.save(model, path)
    with pytest.raises(ModelError, match=words):
        vidgan.stylize(SAMPLE, tmp_path / "out.mp4", style=str(path))
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX resource limits")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_disk_that_fills_up_leaves_nothing_and_keeps_what_was_there(
    tmp_path: Path, identity: str, suffix: str
) -> None:
    output = tmp_path / f"out{suffix}"
    output.write_text("precious")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [sys.executable, "-m", "vidgan", "stylize", SAMPLE, "-o", output, "--style", identity, "--force"],
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=limit,
    )
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == [output.name]
    assert output.read_text() == "precious"
