"""Codec × container: what ``ffmpeg -c copy`` writes and reads back, vidgan copies too; the rest it converts."""

import shutil
import subprocess
from pathlib import Path

import av
import pytest

from tests.support.transcode import VIDEO, codec_of, ffmpeg, payload_of, transcode
from vidgan.media.encoding import format_of
from vidgan.media.frame import VideoInfo
from vidgan.media.stream_modes import DEFAULT_STREAM_MODES
from vidgan.sinks.copy.plan import Planner, StreamPlan

SUFFIXES = ("mkv", "mp4", "mov", "webm")

MONO_8K = ["-ar", "8000", "-ac", "1"]
AUDIO: dict[str, tuple[str, list[str]]] = {
    "aac": ("mkv", []),
    "ac3": ("mkv", []),
    "eac3": ("mkv", []),
    "mp2": ("mkv", []),
    "libmp3lame": ("mkv", []),
    "libopus": ("mkv", []),
    "libvorbis": ("mkv", []),
    "flac": ("mkv", []),
    "alac": ("mov", []),
    "tta": ("mkv", []),
    "wavpack": ("mkv", []),
    "truehd": ("mkv", ["-strict", "-2"]),
    "dca": ("mkv", ["-strict", "-2"]),
    "pcm_u8": ("mkv", []),
    "pcm_s16le": ("mkv", []),
    "pcm_s16be": ("mov", []),
    "pcm_s24le": ("mkv", []),
    "pcm_f32le": ("mkv", []),
    "pcm_alaw": ("mov", MONO_8K),
    "pcm_mulaw": ("mov", MONO_8K),
    "adpcm_ms": ("avi", []),
    "adpcm_ima_wav": ("avi", []),
    "adpcm_ima_qt": ("mov", []),
    "adpcm_swf": ("flv", ["-ar", "44100"]),
    "wmav1": ("asf", []),
    "wmav2": ("asf", []),
    "nellymoser": ("flv", ["-ar", "44100", "-ac", "1"]),
    "libspeex": ("flv", ["-ar", "16000", "-ac", "1"]),
    "g722": ("mkv", ["-ar", "16000", "-ac", "1"]),
    "pcm_dvd": ("vob", []),
    "pcm_bluray": ("m2ts", ["-f", "mpegts"]),
}  # fmt: skip
"""Encoder: container of the input, and options."""

UNTAGGED = {("libvorbis", "mov"), ("adpcm_swf", "mov"), ("g722", "mov")}
"""QuickTime has no tag for these; FFmpeg's command writes them under a tag of its own, which only FFmpeg reads.
They are converted without loss instead."""

VIDEO_CODECS = {"mov": "mpeg4", "mkv": "mpeg4", "avi": "mpeg4", "asf": "msmpeg4v3", "flv": "flv1"}


@pytest.fixture(params=AUDIO, ids=str)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    suffix, options = AUDIO[request.param]
    path = tmp_path / f"in.{suffix}"
    sine = ("-f", "lavfi", "-i", "sine=440:r=48000:d=0.5", "-c:v", VIDEO_CODECS.get(suffix, "mpeg2video"))
    ffmpeg(*VIDEO, *sine, "-t", "0.5", "-c:a", request.param, *options, path)
    return path


def ffmpeg_copies(source: Path, path: Path) -> bool:
    """Whether FFmpeg's command copies the sound so that FFmpeg reads it again."""
    command = shutil.which("ffmpeg")
    assert command is not None
    done = subprocess.run(
        [command, "-v", "error", "-y", "-nostdin", "-i", source, "-map", "0:a", "-c", "copy", path],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode:
        return False
    try:
        return codec_of(path, "audio") == codec_of(source, "audio") and bool(payload_of(path, "audio"))
    except (AttributeError, av.error.FFmpegError):
        return False  # Nothing decodes it.


def plan_for(source: Path, suffix: str) -> StreamPlan:
    info = VideoInfo(width=96, height=64, time_base=1 / 25)  # type: ignore[arg-type]
    chosen = format_of(Path(f"out.{suffix}"), info)
    with av.open(str(source)) as container:
        video = container.streams.video[0].index
        planner = Planner(container, video, chosen.muxer, chosen.muxer_options, DEFAULT_STREAM_MODES)
        (plan,) = (each for each in planner.plans() if each.kind == "audio")
    return plan


def test_sound_is_copied_where_ffmpeg_copies_it(
    source: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    encoder = request.node.callspec.params["source"]
    for suffix in SUFFIXES:
        plan = plan_for(source, suffix)
        if (encoder, suffix) in UNTAGGED:
            assert plan.encoder == "alac"
        elif ffmpeg_copies(source, tmp_path / f"copy.{suffix}"):
            assert plan.action in ("copy", "copy as ACM"), (suffix, plan)
        # Where this FFmpeg copies more than that one, it is right too; nothing is lost anywhere.
        assert plan.action != "drop", (suffix, plan)


def test_what_is_planned_for_matroska_is_what_comes_out(source: Path, tmp_path: Path) -> None:
    plan = plan_for(source, "mkv")
    outcome = transcode(source, tmp_path / "out.mkv")
    assert outcome.says("was converted") == (plan.action == "convert")
    if plan.action != "convert":
        assert codec_of(outcome.path, "audio") == codec_of(source, "audio")
        before, after = (b"".join(payload_of(path, "audio")) for path in (source, outcome.path))
        assert after == before
