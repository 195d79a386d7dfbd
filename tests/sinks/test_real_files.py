"""Files as cameras, phones, tuners and editors make them: everything comes out at its time, or is named."""

import random
import shutil
import struct
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.timestamp_damage import move
from tests.support.commands import assert_one_clear_error
from tests.support.commands import vidgan as run
from tests.support.transcode import (
    VIDEO,
    codec_of,
    ffmpeg,
    ffprobe,
    payload_of,
    times_of,
    transcode,
)
from vidgan.errors import OutputError
from vidgan.media.stream_modes import StreamModes

SINE = ("-f", "lavfi", "-i", "sine=440:r=48000:d=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
CLOSE = Fraction(2, 1000)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of H.264 and AAC in Matroska."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    ffmpeg(*VIDEO, *SINE, *H264, "-c:a", "aac", path)
    return path


def moved(clip: Path, folder: Path, stream: int, packets: dict[int, Fraction]) -> Path:
    path = folder / "in.mkv"
    shutil.copy(clip, path)
    move(path, stream=stream, packets=packets)
    return path


# ------------------------------------------------------------------ times


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize(
    ("packets", "said"),
    [
        ({20: Fraction(20)}, "1 packets"),
        ({20: Fraction(-3, 10)}, "1 packets"),
        ({n: Fraction(-3, 100) for n in range(5, 40, 10)}, "4 packets"),
        ({20: Fraction(-21, 1000)}, "1 packets"),
    ],
    ids=["late", "early", "jitter", "twice"],
)
def test_only_sound_that_is_out_of_line_moves(
    clip: Path, tmp_path: Path, suffix: str, packets: dict[int, Fraction], said: str
) -> None:
    outcome = transcode(moved(clip, tmp_path, 1, packets), tmp_path / f"out.{suffix}")
    before, after = times_of(clip, "audio"), times_of(outcome.path, "audio")
    assert len(after) == len(before)
    elsewhere = [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if abs(a - b) > CLOSE]
    assert set(elsewhere) <= set(packets)
    assert all(a < b for a, b in pairwise(after))
    assert payload_of(outcome.path, "audio") == payload_of(clip, "audio")
    assert outcome.says(said, "times out of line")
    duration = max(float(each) for each in ffprobe(outcome.path, "format=duration"))
    assert abs(duration - 1.04) < 0.05


def test_a_subtitle_out_of_line_keeps_its_own_time(clip: Path, tmp_path: Path) -> None:
    lines = [f"{n}\n00:00:00,{200 * n:03} --> 00:00:00,{200 * n + 100:03}\nline {n}\n" for n in range(1, 5)]
    (tmp_path / "s.srt").write_text("\n".join(lines), encoding="utf-8")
    source = tmp_path / "in.mkv"
    ffmpeg(
        "-i", clip, "-i", tmp_path / "s.srt", "-map", "0", "-map", "1", "-c", "copy", "-c:s", "srt", source
    )
    move(source, stream=2, packets={1: Fraction(-3, 10)})
    outcome = transcode(source, tmp_path / "out.mkv")
    assert times_of(outcome.path, "subtitle") == [Fraction(n, 10) for n in (1, 2, 6, 8)]


@pytest.mark.parametrize(("name", "offset"), [("hours.ts", 36_000), ("wrap.ts", 95_443)])
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_transport_stream_starts_at_zero(
    clip: Path, tmp_path: Path, name: str, offset: int, suffix: str
) -> None:
    ffmpeg("-i", clip, "-c", "copy", "-output_ts_offset", offset, "-f", "mpegts", tmp_path / name)
    outcome = transcode(tmp_path / name, tmp_path / f"out.{suffix}")
    before, after = times_of(clip, "audio"), times_of(outcome.path, "audio")
    video = times_of(outcome.path, "video")
    assert len(video) == 25 and len(after) == len(before)
    assert abs((after[0] - min(video)) - (before[0] - min(times_of(clip, "video")))) < CLOSE
    assert after[-1] < Fraction(11, 10)


def test_a_gap_of_all_streams_is_closed_for_sound_too(clip: Path, tmp_path: Path) -> None:
    for name, offset in (("a.ts", 0), ("b.ts", 3600)):
        ffmpeg("-i", clip, "-c", "copy", "-output_ts_offset", offset, "-muxdelay", 0, "-f", "mpegts",
               tmp_path / name)  # fmt: skip
    joined = tmp_path / "joined.ts"
    joined.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    outcome = transcode(joined, tmp_path / "out.mkv")
    sound, video = times_of(outcome.path, "audio"), sorted(times_of(outcome.path, "video"))
    assert len(video) == 50 and outcome.says("closed a gap")
    assert max(b - a for a, b in pairwise(sound)) < Fraction(1, 10)
    # The second part is as much in step as the first one.
    count = len(sound) // 2
    assert abs((sound[count] - video[25]) - (sound[0] - video[0])) < Fraction(5, 1000)


# ------------------------------------------------------------------ codecs


SOUNDS = [
    ("old.wmv", ["-c:v", "msmpeg4v3", "-c:a", "wmav2"], "wmav2", {"mkv"}),
    ("camera.avi", ["-c:v", "mjpeg", "-ar", "44100", "-c:a", "adpcm_ima_wav"], "adpcm_ima_wav", {"mkv"}),
    ("mulaw.avi", ["-c:v", "mjpeg", "-ar", "8000", "-ac", "1", "-c:a", "pcm_mulaw"], "pcm_mulaw", {"mkv", "mov"}),
    ("speex.flv", ["-c:v", "flv1", "-ar", "16000", "-ac", "1", "-c:a", "libspeex"], "speex", {"mkv", "mov"}),
    ("lpcm.vob", ["-c:v", "mpeg2video", "-c:a", "pcm_dvd", "-f", "vob"], "pcm_dvd", set()),
    ("bluray.m2ts", ["-c:v", "mpeg2video", "-c:a", "pcm_bluray", "-f", "mpegts"], "pcm_bluray", set()),
]  # fmt: skip
CONVERTED = {"mkv": {"flac"}, "mp4": {"flac"}, "mov": {"alac", "pcm_s24le"}, "webm": {"opus"}}


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov", "webm"])
@pytest.mark.parametrize(("name", "options", "codec", "copied"), SOUNDS, ids=[each[0] for each in SOUNDS])
def test_sound_is_copied_where_it_can_be_and_converted_elsewhere(
    tmp_path: Path, suffix: str, name: str, options: list[str], codec: str, copied: set[str]
) -> None:
    ffmpeg(*VIDEO, *SINE, *options, tmp_path / name)
    outcome = transcode(tmp_path / name, tmp_path / f"out.{suffix}")
    found = codec_of(outcome.path, "audio")
    assert codec in (codec_of(tmp_path / name, "audio"), "pcm_dvd")
    if suffix in copied:
        assert found == codec and not outcome.says("converted")
        assert b"".join(payload_of(outcome.path, "audio")) == b"".join(payload_of(tmp_path / name, "audio"))
    else:
        assert found in CONVERTED[suffix] and outcome.says("was converted to", f"({'audio'}, {codec})")
    # FFprobe decodes as much sound as the input has.
    samples = sum(map(int, ffprobe(outcome.path, "frame=nb_samples")))
    rate = int(ffprobe(outcome.path, "stream=sample_rate")[-1])
    assert abs(samples / rate - 1) < 0.15


def test_amr_of_a_phone_goes_into_matroska(tmp_path: Path) -> None:
    chance = random.Random(1)
    frames = [b"\x04" + bytes(chance.randrange(256) for _ in range(12)) for _ in range(50)]
    (tmp_path / "v.amr").write_bytes(b"#!AMR\n" + b"".join(frames))
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=176x144:r=15:d=1", "-c:v", "h263", tmp_path / "h.3gp")
    ffmpeg("-i", tmp_path / "h.3gp", "-i", tmp_path / "v.amr", "-c", "copy", tmp_path / "phone.3gp")
    outcome = transcode(tmp_path / "phone.3gp", tmp_path / "out.mkv")
    assert codec_of(outcome.path, "audio") == "amr_nb"
    assert payload_of(outcome.path, "audio") == frames


def test_mkvmerge_reads_what_was_written_as_acm(tmp_path: Path) -> None:
    if (command := shutil.which("mkvmerge")) is None:
        pytest.skip("needs mkvtoolnix")
    ffmpeg(
        *VIDEO, *SINE, "-c:v", "msmpeg4v3", "-c:a", "wmav2", "-metadata:s:a", "title=Ton", tmp_path / "in.wmv"
    )
    outcome = transcode(tmp_path / "in.wmv", tmp_path / "out.mkv")
    done = subprocess.run([command, "-i", outcome.path], capture_output=True, text=True, check=True)
    assert "format tag 0x0161" in done.stdout and "rror" not in done.stdout + done.stderr


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "flac"), ("mp4", "flac")])
def test_conversion_of_plain_samples_is_lossless(tmp_path: Path, suffix: str, codec: str) -> None:
    ffmpeg(*VIDEO, *SINE, "-c:v", "mpeg2video", "-c:a", "pcm_bluray", "-f", "mpegts", tmp_path / "in.m2ts")
    outcome = transcode(tmp_path / "in.m2ts", tmp_path / f"out.{suffix}")
    assert codec_of(outcome.path, "audio") == codec
    for path in (tmp_path / "in.m2ts", outcome.path):
        ffmpeg("-i", path, "-map", "0:a", "-f", "s16le", "-c:a", "pcm_s16le", path.with_suffix(".raw"))
    before, after = ((tmp_path / each).read_bytes() for each in ("in.raw", "out.raw"))
    assert after == before and len(before) > 90_000


@pytest.mark.parametrize(
    ("modes", "audio", "subtitle", "said"),
    [
        (StreamModes(), "aac", "subrip", ()),
        (StreamModes(audio="convert"), "flac", "subrip", ("converted to FLAC", "it was to be converted")),
        (StreamModes(audio="drop"), None, "subrip", ("without stream 1", "left out")),
        (StreamModes(subtitles="drop"), "aac", None, ("without stream 2", "left out")),
    ],
)
def test_the_user_chooses(
    clip: Path,
    tmp_path: Path,
    modes: StreamModes,
    audio: str | None,
    subtitle: str | None,
    said: tuple[str, ...],
) -> None:
    (tmp_path / "s.srt").write_text("1\n00:00:00,200 --> 00:00:00,500\none\n", encoding="utf-8")
    ffmpeg("-i", clip, "-i", tmp_path / "s.srt", "-c", "copy", "-c:s", "srt", tmp_path / "in.mkv")
    outcome = transcode(tmp_path / "in.mkv", tmp_path / "out.mkv", streams=modes)
    lines = ffprobe(outcome.path, "stream=codec_type,codec_name")
    assert [each for each in lines if "audio" in each] == ([f"{audio},audio"] if audio else [])
    assert [each for each in lines if "subtitle" in each] == ([f"{subtitle},subtitle"] if subtitle else [])
    assert outcome.says(*said) if said else outcome.warnings == []


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov", "webm"])
@pytest.mark.parametrize("kind", ["srt", "ass", "webvtt", "mov_text"])
def test_text_subtitles_come_out_in_the_kind_of_the_container(
    clip: Path, tmp_path: Path, kind: str, suffix: str
) -> None:
    (tmp_path / "s.srt").write_text(
        "1\n00:00:00,200 --> 00:00:00,500\nÀ bientôt\n\n2\n00:00:00,600 --> 00:00:00,900\nfin\n",
        encoding="utf-8",
    )
    source = tmp_path / ("in.mp4" if kind == "mov_text" else "in.mkv")
    ffmpeg("-i", clip, "-i", tmp_path / "s.srt", "-c", "copy", "-c:s", kind, source)
    outcome = transcode(source, tmp_path / f"out.{suffix}")
    expected = {
        "mkv": {"subrip", "ass", "webvtt"},
        "mp4": {"mov_text"},
        "mov": {"mov_text"},
        "webm": {"webvtt"},
    }
    assert codec_of(outcome.path, "subtitle") in expected[suffix]
    ffmpeg("-copyts", "-i", outcome.path, "-map", "0:s", tmp_path / "back.srt")
    text = (tmp_path / "back.srt").read_text(encoding="utf-8")
    assert "À bientôt" in text and "00:00:00,200 --> 00:00:00,500" in text and "fin" in text


# ------------------------------------------------------------------ tags and marks


def test_place_date_and_model_of_a_phone_are_kept(clip: Path, tmp_path: Path) -> None:
    tags = {
        "com.apple.quicktime.creationdate": "2023-12-26T15:22:56+0100",
        "com.apple.quicktime.location.ISO6709": "+48.8577+002.2950+035.000/",
        "com.apple.quicktime.model": "Phone",
    }
    given = [word for key, text in tags.items() for word in ("-metadata", f"{key}={text}")]
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "use_metadata_tags", *given, tmp_path / "in.mov")
    for suffix in ("mov", "mp4", "mkv"):
        outcome = transcode(tmp_path / "in.mov", tmp_path / f"out.{suffix}")
        assert outcome.verification is not None and outcome.verification.missing_tags == []
        seen = "\n".join(ffprobe(outcome.path, "format_tags"))
        assert all(text in seen for text in tags.values())


def test_statistics_of_mkvmerge_are_not_copied(clip: Path, tmp_path: Path) -> None:
    if (command := shutil.which("mkvmerge")) is None:
        pytest.skip("needs mkvtoolnix")
    subprocess.run([command, "-q", "-o", tmp_path / "in.mkv", clip], check=True)
    assert any("mkvmerge" in each for each in ffprobe(tmp_path / "in.mkv", "stream_tags"))
    outcome = transcode(tmp_path / "in.mkv", tmp_path / "out.mkv")
    seen = "\n".join(ffprobe(outcome.path, "stream_tags"))
    assert "mkvmerge" not in seen and not outcome.says("tags")


def test_telemetry_of_a_camera_is_kept_or_named(clip: Path, tmp_path: Path) -> None:
    source = _with_telemetry(clip, tmp_path)
    kept = transcode(source, tmp_path / "out.mp4")
    assert "gpmd" in "\n".join(ffprobe(kept.path, "stream=codec_tag_string"))
    assert payload_of(kept.path, "data") == payload_of(source, "data")
    named = transcode(source, tmp_path / "out.mkv")
    assert named.says("GoPro MET", "matroska cannot hold it", "can")


def _with_telemetry(clip: Path, folder: Path) -> Path:
    """The clip with a track of GPMF, which FFmpeg copies from the one file that has it."""
    (folder / "t.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\ntelemetry\n", encoding="utf-8")
    path = folder / "camera.mp4"
    ffmpeg("-i", clip, "-i", folder / "t.srt", "-c", "copy", "-c:s", "mov_text",
           "-metadata:s:s", "handler_name=GoPro MET", path)  # fmt: skip
    data = bytearray(path.read_bytes())
    at = data.index(b"tx3g")
    data[at : at + 4] = b"gpmd"
    at = data.rindex(b"sbtl")
    data[at : at + 4] = b"meta"
    path.write_bytes(data)
    return path


def _boxes(data: bytes, start: int, end: int) -> list[tuple[bytes, int, int]]:
    found = []
    while start + 8 <= end:
        size = struct.unpack_from(">I", data, start)[0]
        found.append((data[start + 4 : start + 8], start, start + size))
        start += size
    return found


def _with_uuid(path: Path, box: bytes) -> None:
    """Appends a box to the first track of an mp4 whose index is last."""
    data = bytearray(path.read_bytes())
    moov = next(each for each in _boxes(bytes(data), 0, len(data)) if each[0] == b"moov")
    trak = next(each for each in _boxes(bytes(data), moov[1] + 8, moov[2]) if each[0] == b"trak")
    data[trak[2] : trak[2]] = box
    for start, end in (moov[1:], trak[1:]):
        struct.pack_into(">I", data, start, end - start + len(box))
    path.write_bytes(data)


def test_a_360_degree_mark_is_named(clip: Path, tmp_path: Path) -> None:
    xml = (
        b'<?xml version="1.0"?><rdf:SphericalVideo xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        b'xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">'
        b"<GSpherical:Spherical>true</GSpherical:Spherical><GSpherical:Stitched>true</GSpherical:Stitched>"
        b"<GSpherical:StitchingSoftware>Test</GSpherical:StitchingSoftware>"
        b"<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType></rdf:SphericalVideo>"
    )
    uuid = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
    ffmpeg("-i", clip, "-c", "copy", tmp_path / "in.mp4")
    _with_uuid(tmp_path / "in.mp4", struct.pack(">I4s", 24 + len(xml), b"uuid") + uuid + xml)
    assert transcode(tmp_path / "in.mp4", tmp_path / "out.mp4").says("360°", "encoded anew")


def test_closed_captions_are_named(clip: Path, tmp_path: Path) -> None:
    """The captions of ATSC A/53 in an SEI message before each slice."""
    ffmpeg("-i", clip, "-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", tmp_path / "a.h264")
    body = b"\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x20\xff"
    message = b"\x00\x00\x00\x01\x06\x04" + bytes([len(body)]) + body + b"\x80"
    plain = (tmp_path / "a.h264").read_bytes()
    first = plain.index(b"\x00\x00\x01\x65")
    (tmp_path / "cc.h264").write_bytes(plain[:first] + message[1:] + plain[first:])
    ffmpeg("-r", 25, "-i", tmp_path / "cc.h264", "-c", "copy", tmp_path / "in.mp4")
    assert transcode(tmp_path / "in.mp4", tmp_path / "out.mkv").says("closed captions", "CEA-608")


# ------------------------------------------------------------------ names


def test_a_name_may_be_as_long_as_the_system_allows(clip: Path, tmp_path: Path) -> None:
    output = tmp_path / f"{'x' * 251}.mkv"
    assert transcode(clip, output).path.is_file()
    assert sorted(each.name for each in tmp_path.iterdir()) == [output.name]
    with pytest.raises(OutputError, match="too long"):
        transcode(clip, tmp_path / f"{'x' * 300}.mkv")


@pytest.mark.parametrize("link", ["itself", "symlink", "hardlink"])
def test_no_output_replaces_its_input(clip: Path, tmp_path: Path, link: str) -> None:
    source, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    shutil.copy(clip, source)
    if link == "symlink":
        output.symlink_to(source)
    elif link == "hardlink":
        output.hardlink_to(source)
    else:
        output = source
    with pytest.raises(OutputError, match="is the input itself"):
        transcode(source, output)
    assert source.read_bytes() == clip.read_bytes()


def test_no_report_replaces_the_input(clip: Path, tmp_path: Path, identity: str) -> None:
    shutil.copy(clip, tmp_path / "in.mkv")
    (tmp_path / "link.json").symlink_to(tmp_path / "in.mkv")
    for report in ("in.mkv", "link.json"):
        done = run("stylize", tmp_path / "in.mkv", "-o", tmp_path / "out.mkv", "--style", identity,
                   "--report", tmp_path / report)  # fmt: skip
        assert_one_clear_error(done, "is the input itself")
    assert (tmp_path / "in.mkv").read_bytes() == clip.read_bytes()
