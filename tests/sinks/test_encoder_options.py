"""Options of the encoder: they reach it, and what it does not know is said."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from vidgan.jobs.speed import make_clip
from vidgan.media.encoding import EncoderChoice, format_of
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.sinks import open_sink

CLIP = SAMPLES / "bunny.mp4"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(CLIP, tmp_path_factory.mktemp("clip") / "clip.mp4", size="160x90", frames=12)


def stylized(clip: Path, out: Path, *options: object) -> Path:
    done = vidgan("stylize", clip, "-o", out, "--style", "starry", "--quiet", "--no-credentials", *options)
    assert done.returncode == 0, done.stderr
    return out


def codec_of(path: Path) -> tuple[str, str | None, int]:
    """Codec, pixel format and number of frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        count = sum(1 for _ in container.decode(stream))
        return stream.codec_context.name, stream.codec_context.pix_fmt, count


def test_crf_decides_the_size(clip: Path, tmp_path: Path) -> None:
    usual = stylized(clip, tmp_path / "usual.mp4")
    fine = stylized(clip, tmp_path / "fine.mp4", "--crf", "8")
    coarse = stylized(clip, tmp_path / "coarse.mp4", "--crf", "40", "--preset", "ultrafast")
    assert fine.stat().st_size > 1.5 * usual.stat().st_size > 3 * coarse.stat().st_size
    assert codec_of(fine) == codec_of(coarse) == ("h264", "yuv420p", 12)


def x264_settings(path: Path) -> str:
    """What x264 writes of itself into the first frame."""
    data = path.read_bytes()
    start = data.index(b"options: ")
    return data[start : data.index(b"\0", start)].decode("ascii", "replace")


def test_a_preset_is_taken_whole(clip: Path, tmp_path: Path) -> None:
    usual = x264_settings(stylized(clip, tmp_path / "usual.mp4"))
    assert "b_adapt=0" in usual and "bframes=2" in usual and "mbtree=1" in usual and "subme=1" in usual
    slower = x264_settings(stylized(clip, tmp_path / "slower.mp4", "--preset", "faster"))
    assert "b_adapt=1" in slower and "bframes=3" in slower and "subme=4" in slower
    fine = x264_settings(stylized(clip, tmp_path / "fine.mp4", "--crf", "12"))
    assert fine.replace("crf=12.0", "crf=20.0") == usual


def test_a_preset_of_another_usual_encoder_is_only_that(tmp_path: Path) -> None:
    """What is x264's stays with x264: a video of 10 bits in WebM is AV1."""
    info = VideoInfo(width=160, height=90, time_base=Fraction(1, 25), frame_rate=Fraction(25), bit_depth=10)
    deep = tmp_path / "deep.mkv"
    with open_sink(deep, info) as sink:
        for index in range(4):
            gray = np.full((90, 160, 3), 60 + 20 * index, np.uint8)
            sink.write(Frame(image=RgbImage(gray), pts=index, time_base=Fraction(1, 25), duration=1))
    out = stylized(deep, tmp_path / "out.webm", "--preset", "12")
    assert "dav1d" in codec_of(out)[0] or "av1" in codec_of(out)[0]


def test_another_encoder_and_any_of_its_options(clip: Path, tmp_path: Path) -> None:
    options = ["--encoder", "libx265", "--preset", "ultrafast", "-e", "x265-params=log-level=none:keyint=3"]
    out = stylized(clip, tmp_path / "out.mp4", *options)
    assert codec_of(out) == ("hevc", "yuv420p", 12)
    with av.open(str(out)) as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    assert sum(keys) >= 4


@pytest.mark.parametrize(
    ("name", "encoder"),
    [("h265", "libx265"), ("HEVC", "libx265"), ("av1", "libsvtav1"), ("nvenc", "h264_nvenc"),
     ("prores", "prores_ks"), ("libvpx-vp9", "libvpx-vp9"), ("mpeg4", "mpeg4")],
)  # fmt: skip
def test_usual_names_of_codecs_are_understood(name: str, encoder: str) -> None:
    assert EncoderChoice(name).name == encoder


def test_h264_has_the_settings_of_the_usual_encoder(tmp_path: Path) -> None:
    info = VideoInfo(width=64, height=64, time_base=Fraction(1, 25))
    named = format_of(tmp_path / "out.mp4", info, EncoderChoice("h264"))
    assert named == format_of(tmp_path / "out.mp4", info)


def test_h265_writes_hevc(clip: Path, tmp_path: Path) -> None:
    out = stylized(clip, tmp_path / "out.mp4", "--encoder", "h265", "--preset", "ultrafast")
    assert codec_of(out) == ("hevc", "yuv420p", 12)


@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1", "libvpx-vp9"])
def test_an_encoder_prints_nothing_of_its_own(clip: Path, tmp_path: Path, encoder: str) -> None:
    done = vidgan("stylize", clip, "-o", tmp_path / "out.mkv", "-s", "starry", "--encoder", encoder)
    assert done.returncode == 0
    assert all(line.startswith(("note: ", "clip.mp4: ")) for line in done.stderr.splitlines()), done.stderr
    assert len(done.stdout.splitlines()) == 1 and "out.mkv: 12 frames" in done.stdout


def test_an_encoder_with_other_pixels_gets_those(clip: Path, tmp_path: Path) -> None:
    out = stylized(clip, tmp_path / "out.mov", "--encoder", "prores_ks")
    assert codec_of(out) == ("prores", "yuv422p10le", 12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--encoder", "nonesuch"], ["no encoder", "nonesuch"]),
        (["--encoder", "libx256"], ["did you mean libx265"]),
        (["--encoder", "aac"], ["aac", "audio"]),
        (["-e", "bogus=1"], ["libx264", "bogus"]),
        (["--preset", "nonsense"], ["libx264", "nonsense", "ultrafast, superfast", "placebo"]),
        (["--encoder", "av1", "--preset", "slow"], ["libsvtav1", "-1, 0, 1"]),
        (["--encoder", "mjpeg"], ["mjpeg", "does not take such images"]),
        (["--encoder", "dnxhd"], ["dnxhd"]),
        (["--encoder", "vp8"], ["libvpx"]),
    ],
)
def test_what_the_encoder_does_not_know(
    clip: Path, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    done = vidgan("stylize", clip, "-o", tmp_path / "out.mp4", "--style", "starry", "--quiet", *options)
    assert_one_clear_error(done, *words)
    assert not list(tmp_path.glob("*.mp4"))


def test_what_is_no_pair_is_wrong_usage(clip: Path, tmp_path: Path) -> None:
    done = vidgan("stylize", clip, "-o", tmp_path / "out.mp4", "--style", "starry", "-e", "crf")
    assert done.returncode == 2 and "KEY=VALUE" in done.stderr


def test_a_image_has_no_encoder(tmp_path: Path) -> None:
    photo, out = SAMPLES / "bunny.jpg", tmp_path / "out.png"
    done = vidgan("stylize", photo, "-o", out, "--style", "starry", "--crf", "3")
    assert done.returncode == 0 and out.exists() and "is no video" in done.stderr


def test_a_batch_takes_them_too(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "clip.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "in" / "photo.jpg").write_bytes((SAMPLES / "bunny.jpg").read_bytes())
    done = vidgan(
        "batch", tmp_path / "in", "-o", tmp_path / "out", "--style", "starry", "--encoder", "libx265",
        "--preset", "ultrafast", "-e", "x265-params=log-level=none",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert codec_of(tmp_path / "out" / "clip.starry.mp4")[0] == "hevc"
    assert (tmp_path / "out" / "photo.starry.jpg").exists()
