"""Videos whose times are odd: what comes out has every frame once, in order, when it should be shown."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

import vidgan
from benchmarks.timestamp_damage import make_noise_video, move
from tests.support.commands import vidgan as vidgan_command
from tests.support.odd_media import ffprobe_seconds, make_video, numbers, shift_matroska
from vidgan.live.sources.video_file import VideoFileSource
from vidgan.media.frame import Frame
from vidgan.media.trim import Trim
from vidgan.sources import open_source
from vidgan.sources.video import VideoSource

TICK = Fraction(1, 25)


def read(path: Path, trim: Trim | None = None) -> tuple[list[Frame], VideoSource]:
    with open_source(path) if trim is None else open_source(path, trim=trim) as source:
        assert isinstance(source, VideoSource)
        frames = list(source)
        return frames, source


def seconds(frames: list[Frame]) -> list[Fraction]:
    return [frame.pts * frame.time_base for frame in frames]


def end(frames: list[Frame]) -> Fraction:
    return (frames[-1].pts + frames[-1].duration) * frames[-1].time_base


def assert_whole(frames: list[Frame], count: int = 30, step: Fraction = TICK) -> None:
    """All frames in order, in equal steps from 0 on."""
    assert numbers([frame.pixels for frame in frames]) == list(range(count))
    assert all(abs(time - index * step) < Fraction(1, 500) for index, time in enumerate(seconds(frames)))


X264 = {"crf": "10", "preset": "ultrafast"}
B_FRAMES = {"crf": "10", "bf": "3", "b-adapt": "0", "g": "12", "b-pyramid": "normal"}


def test_avi_numbers_packets_as_they_are_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.avi", options=B_FRAMES, sound="libmp3lame")
    frames, source = read(path)
    assert_whole(frames)
    assert end(frames) == Fraction(6, 5)
    assert not source.warnings


def test_avi_of_mpeg4_with_b_frames(tmp_path: Path) -> None:
    """The encoder's delay makes holes in the numbers, in which the frame before is held."""
    path = make_video(tmp_path / "in.avi", codec="mpeg4", options={"bf": "2"}, bit_rate=4_000_000)
    frames, source = read(path)
    assert numbers([frame.pixels for frame in frames]) == list(range(30))
    assert frames[0].pts == 0 and all(one < two for one, two in pairwise(seconds(frames)))
    assert Fraction(6, 5) <= end(frames) <= Fraction(33, 25)
    assert not source.warnings


def test_avi_with_b_frames_from_the_middle(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.avi", options=B_FRAMES)
    frames, _ = read(path, Trim(start=Fraction("0.62")))
    assert numbers([frame.pixels for frame in frames]) == list(range(16, 30))
    assert seconds(frames) == [index * TICK for index in range(14)]


@pytest.mark.parametrize(
    ("milliseconds", "where"), [(20_000, 30), (500, 30), (60, 30), (-300, 30), (-5000, 30), (20_000, 1)]
)
def test_one_odd_frame_of_matroska(tmp_path: Path, milliseconds: int, where: int) -> None:
    good = make_video(tmp_path / "good.mkv", options=X264, frames=33, sound="aac")
    odd = shift_matroska(good, tmp_path / "odd.mkv", 1, lambda n: milliseconds if n == where else 0)
    frames, source = read(odd)
    wanted, _ = read(good)
    assert seconds(frames) == seconds(wanted)
    assert numbers([frame.pixels for frame in frames]) == list(range(33))
    assert ["missing or odd time, shown between their neighbors: 1" in each for each in source.warnings] == [
        True
    ]
    # FFprobe finds the same frames, and the same times but for one.
    probed = ffprobe_seconds(odd)
    assert len(probed) == 33
    same = [
        abs(found - float(time - seconds(wanted)[0])) < 0.0015
        for found, time in zip(probed, seconds(wanted), strict=True)
    ]
    assert same.count(False) == 1


def test_odd_sound_moves_no_frame(tmp_path: Path) -> None:
    good = make_video(tmp_path / "good.mkv", options=X264, sound="aac")
    wanted, _ = read(good)
    for number, odd in enumerate((lambda n: -30 if n % 10 == 5 else 0, lambda n: 20_000 if n == 30 else 0)):
        path = shift_matroska(good, tmp_path / f"{number}.mkv", 2, odd)
        frames, source = read(path)
        assert seconds(frames) == seconds(wanted)
        assert not source.warnings and not source.timeline.gaps


def test_odd_times_and_a_trim(tmp_path: Path) -> None:
    good = make_video(tmp_path / "good.mkv", options={**X264, "g": "10"}, frames=33, sound="aac")
    odd = shift_matroska(good, tmp_path / "odd.mkv", 1, lambda n: 20_000 if n == 20 else 0)
    trim = Trim(start=Fraction("0.5"), end=Fraction("1.2"))
    assert [(frame.pts, float(frame.pixels.mean())) for frame in read(odd, trim)[0]] == [
        (frame.pts, float(frame.pixels.mean())) for frame in read(good, trim)[0]
    ]


@pytest.mark.parametrize("suffix", [".mpg", ".ts", ".vob"])
def test_the_first_frame_of_a_broadcast_is_there(tmp_path: Path, suffix: str) -> None:
    path = make_video(
        tmp_path / f"in{suffix}", codec="mpeg2video", rate=Fraction(30000, 1001), bit_rate=2_000_000
    )
    frames, source = read(path)
    assert_whole(frames, step=Fraction(1001, 30000))
    assert frames[0].pts == 0
    assert source.info.frame_rate == Fraction(30000, 1001)
    assert len(ffprobe_seconds(path)) == 30


@pytest.mark.parametrize("offset", [0, 1.4, 36_000, 95_435])
def test_transport_streams_start_at_0(tmp_path: Path, offset: float) -> None:
    """95435 s is where the 33 bits of a clock of 90 kHz begin anew, after 26.5 hours."""
    path = make_video(
        tmp_path / "in.ts",
        options=X264,
        sound="aac",
        muxer={"output_ts_offset": str(offset), "muxdelay": "0", "muxpreload": "0"},
    )
    frames, source = read(path)
    assert numbers([frame.pixels for frame in frames]) == list(range(30))
    assert seconds(frames)[0] < Fraction(1, 10)
    assert {b - a for a, b in pairwise(seconds(frames))} == {TICK}
    assert not source.warnings
    with open_source(path, keep_start=True) as kept:
        first = next(iter(kept))
        assert first.pts == frames[0].pts + round(source.timeline.origin / first.time_base)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_the_start_can_be_kept_in_the_output(tmp_path: Path, identity: str, name: str) -> None:
    path = make_video(
        tmp_path / "in.ts", options=X264, sound="aac", muxer={"output_ts_offset": "100", "muxdelay": "0"}
    )
    result = vidgan.stylize(path, tmp_path / name, style=identity, keep_start=True, smooth="off")
    assert result.warnings == []
    for kind in ("video", "audio"):
        assert first_seconds(tmp_path / name, kind) == pytest.approx(first_seconds(path, kind), abs=2e-3)
    assert "--keep-start" in vidgan_command("stylize", "--help").stdout


def first_seconds(path: Path, kind: str) -> float:
    with av.open(str(path)) as container:
        (stream,) = (each for each in container.streams if each.type == kind)
        return min(float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None)


@pytest.mark.parametrize("seconds", [Fraction(-3, 10), Fraction(-1, 25), Fraction(3, 10)])
def test_a_fragment_of_mp4_with_an_odd_time_keeps_its_frame(tmp_path: Path, seconds: Fraction) -> None:
    path = tmp_path / "in.mp4"
    make_noise_video(path, b_frames=False)
    whole, _ = read(path)
    move(path, stream=0, packets={20: seconds})
    frames, source = read(path)
    assert [frame.pixels.tobytes() for frame in frames] == [frame.pixels.tobytes() for frame in whole]
    moved = [index for index, (a, b) in enumerate(zip(frames, whole, strict=True)) if a.pts != b.pts]
    assert moved in ([], [20]) and any("missing or odd time" in each for each in source.warnings)


def test_a_fragmented_mp4_that_jumps_back_near_its_start_keeps_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    make_noise_video(path, b_frames=False)
    whole, _ = read(path)
    # No time is before 0, so that two packets have it in the end.
    jump = {index: -min(Fraction(1, 5), time) for index, time in enumerate(seconds(whole)) if index >= 3}
    move(path, stream=0, packets=jump)
    frames, _ = read(path)
    assert [frame.pixels.tobytes() for frame in frames] == [frame.pixels.tobytes() for frame in whole]


def test_flv_files_one_after_the_other_are_read_as_one(tmp_path: Path) -> None:
    parts = [
        make_video(tmp_path / f"{first}.flv", options=X264, sound="aac", frames=10, first=first)
        for first in (0, 10, 20)
    ]
    path = tmp_path / "in.flv"
    path.write_bytes(b"".join(each.read_bytes() for each in parts))
    frames, source = read(path)
    assert numbers([frame.pixels for frame in frames]) == list(range(30))
    assert len([each for each in source.warnings if "closed a gap" in each]) == 2
    # Sound may last longer than the frames of a part, so the next part begins a bit later.
    times = [float(frame.pts * source.info.time_base) for frame in frames]
    steps = [b - a for a, b in pairwise(times)]
    assert all(0.03 < step < 0.15 for step in steps)
    tail, _ = read(path, Trim(start=source.info.time_base * frames[22].pts))
    assert numbers([frame.pixels for frame in tail]) == list(range(22, 30))


def test_a_video_of_several_flv_files_has_all_their_sound(tmp_path: Path) -> None:
    parts = [
        make_video(tmp_path / f"{first}.flv", options=X264, sound="aac", frames=15, first=first)
        for first in (0, 15)
    ]
    path, output = tmp_path / "in.flv", tmp_path / "out.mkv"
    path.write_bytes(b"".join(each.read_bytes() for each in parts))
    vidgan_command("stylize", path, "-o", output, "--style", "starry", "-q")
    sound = [_packets(each, "audio") for each in (*parts, output)]
    assert sound[2] == sound[0] + sound[1] and _packets(output, "video") == 30


def test_flv_files_of_other_codecs_are_left_out_and_said(tmp_path: Path) -> None:
    first = make_video(tmp_path / "a.flv", options=X264, frames=15)
    other = make_video(tmp_path / "b.flv", codec="flv1", frames=15)
    path = tmp_path / "in.flv"
    path.write_bytes(first.read_bytes() + other.read_bytes() + first.read_bytes())
    frames, source = read(path)
    assert numbers([frame.pixels for frame in frames]) == 2 * list(range(15))
    assert any(
        "is 3 FLV files one after the other, of which 1 have other codecs" in n for n in source.warnings
    )
    assert not read(first)[1].warnings


def test_an_flv_file_that_was_cut_off_does_not_cost_the_next_one(tmp_path: Path) -> None:
    parts = [make_video(tmp_path / f"{n}.flv", options=X264, frames=15, first=n) for n in (0, 15)]
    path = tmp_path / "in.flv"
    path.write_bytes(parts[0].read_bytes()[:-400] + parts[1].read_bytes())
    found = numbers([frame.pixels for frame in read(path)[0]])
    assert found[:10] == list(range(10)) and found[-15:] == list(range(15, 30))


def _packets(path: Path, kind: str) -> int:
    with av.open(str(path)) as container:
        return sum(bool(packet.size) for packet in container.demux(**{kind: 0}))


def _joined(folder: Path, offsets: tuple[int, ...], *, sound: str | None = "aac") -> Path:
    pieces = [
        make_video(
            folder / f"{number}.ts",
            options=X264,
            sound=sound,
            frames=15,
            first=15 * number,
            muxer={"output_ts_offset": str(offset)},
        )
        for number, offset in enumerate(offsets)
    ]
    joined = folder / "joined.ts"
    joined.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    return joined


@pytest.mark.parametrize("sound", ["aac", None])
@pytest.mark.parametrize("offsets", [(0, 36_000), (36_000, 0), (0, 0), (100, 40), (0, 30)])
def test_joined_recordings_go_on(tmp_path: Path, offsets: tuple[int, int], sound: str | None) -> None:
    path = _joined(tmp_path, offsets, sound=sound)
    frames, source = read(path)
    assert numbers([frame.pixels for frame in frames]) == list(range(30))
    steps = [b - a for a, b in pairwise(seconds(frames))]
    # Sound of the first may be longer than its frames by a packet or two, and is not cut.
    assert [step for step in steps if step != TICK] in ([], [steps[14]])
    assert TICK <= steps[14] < 3 * TICK
    assert len(source.timeline.gaps) == 1
    assert sum("closed a gap" in each for each in source.warnings) == 1
    trimmed, _ = read(path, Trim(start=Fraction("0.9")))
    assert numbers([frame.pixels for frame in trimmed]) == list(range(30))[-len(trimmed) :]
    assert 5 < len(trimmed) < 10


def test_a_pause_of_the_image_alone_is_no_gap(tmp_path: Path) -> None:
    good = make_video(tmp_path / "good.mkv", options=X264, sound="aac")
    path = shift_matroska(good, tmp_path / "pause.mkv", 1, lambda n: 15_000 if n >= 20 else 0)
    frames, source = read(path)
    assert seconds(frames)[20] - seconds(frames)[19] > 15
    assert not source.timeline.gaps


def test_a_gap_is_mapped_for_sound_too(tmp_path: Path) -> None:
    path = _joined(tmp_path, (0, 36_000))
    _, source = read(path)
    gap = source.timeline.gaps[0]
    before, after = gap.position - 1, gap.position
    assert source.timeline.map(source.timeline.origin, before) == 0
    assert Fraction("0.5") < source.timeline.map(gap.start, after) < Fraction("0.8")


RAW = [
    ("r.h264", "libx264", B_FRAMES),
    ("r.hevc", "libx265", {"crf": "8", "preset": "ultrafast", "x265-params": "log-level=none"}),
    ("r.m2v", "mpeg2video", {"qscale": "2"}),
    ("r.m4v", "mpeg4", {"qscale": "2"}),
]


@pytest.mark.parametrize(("name", "codec", "options"), RAW)
def test_raw_streams_have_the_rate_that_they_say(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = make_video(tmp_path / name, codec=codec, options=options, rate=Fraction(60))
    frames, source = read(path)
    assert_whole(frames, step=Fraction(1, 60))
    assert source.info.frame_rate == 60
    assert end(frames) == Fraction(1, 2)
    # FFmpeg's demuxer of MPEG-4 counts frames itself.
    said = ["taken at 60 frames a second" in each for each in source.warnings]
    assert said == ([] if path.suffix == ".m4v" else [True])


@pytest.mark.parametrize(("name", "codec", "options"), RAW)
def test_raw_streams_are_trimmed(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = make_video(tmp_path / name, codec=codec, options=options, rate=Fraction(60))
    frames, _ = read(path, Trim(start=Fraction("0.2"), end=Fraction("0.3")))
    assert numbers([frame.pixels for frame in frames]) == [12, 13, 14, 15, 16, 17]
    assert seconds(frames) == [Fraction(index, 60) for index in range(6)]


def test_resuming_and_counting_see_the_same_times(tmp_path: Path) -> None:
    path = _joined(tmp_path, (36_000, 0))
    frames, _ = read(path)
    with open_source(path) as source:
        assert list(source.times()) == [frame.pts for frame in frames]
    with open_source(path) as source:
        last = source.skip(20)
        assert last is not None and last.pts == frames[19].pts
        assert next(iter(source)).pts == frames[20].pts
        assert source.seconds_at(frames[20].pts) is None


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.avi", "in.ts", "late.ts"])
def test_any_frame_can_be_the_start_of_a_trim(tmp_path: Path, name: str) -> None:
    """FFmpeg finds no key frame before the second one in MPEG-TS."""
    mpeg = name.endswith(".ts")
    path = make_video(
        tmp_path / name,
        codec="mpeg2video" if mpeg else "libx264",
        options={} if mpeg else B_FRAMES,
        bit_rate=2_000_000 if mpeg else 0,
        muxer={"output_ts_offset": "36000"} if name == "late.ts" else {},
    )
    with open_source(path) as source:
        whole = list(source)
        starts = [source.seconds_at(frame.pts) for frame in whole]
    for index in (0, 3, 7, 15, 28):
        start = starts[index]
        assert start is not None
        part, _ = read(path, Trim(start=start, frames=2))
        assert numbers([frame.pixels for frame in part]) == [index, index + 1]
        assert part[0].pts == 0


@pytest.mark.parametrize("milliseconds", [-100, -500])
def test_frames_before_zero_come_first(tmp_path: Path, milliseconds: int) -> None:
    """FFmpeg gives no time to blocks of Matroska before 0."""
    good = make_video(tmp_path / "good.mkv", options=X264, sound="aac")
    path = shift_matroska(good, tmp_path / "early.mkv", 1, lambda n: milliseconds)
    frames, source = read(path)
    assert_whole(frames)
    # Sound is as much later than the image as before.
    assert -Fraction(1, 2) <= source.timeline.origin < 0
    assert sum("missing or odd time" in each for each in source.warnings) == 1


def test_formats_that_do_not_seek_are_trimmed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "in.mjpeg", codec="mjpeg")
    frames, _ = read(path, Trim(start=Fraction("0.4"), frames=3))
    assert numbers([frame.pixels for frame in frames]) == [10, 11, 12]
    assert seconds(frames) == [0, TICK, 2 * TICK]


def test_a_joined_recording_plays_live_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr("time.sleep", lambda pause: clock.__setitem__(0, clock[0] + pause))
    frames = list(VideoFileSource(_joined(tmp_path, (0, 36_000))).frames())
    assert len(frames) == 30
    assert 1 < clock[0] < 2


def test_sound_of_a_broadcast_plays_live_in_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "in.ts", options=X264, sound="aac", muxer={"output_ts_offset": "36000"})
    clock, published = [0.0], []
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr("time.sleep", lambda pause: clock.__setitem__(0, clock[0] + pause))
    monkeypatch.setattr("vidgan.live.audio.AudioFeed.publish", lambda _, frame, at: published.append(at))
    assert len(list(VideoFileSource(path).frames())) == 30
    assert len(published) > 50
    assert abs(published[0]) < 100_000 and 1_000_000 < published[-1] < 1_400_000
