"""Videos are looked at before they get their names; here, things go wrong between."""

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

import vidgan
from benchmarks.timestamp_damage import move
from tests.support.commands import assert_one_clear_error
from tests.support.commands import vidgan as run
from tests.support.transcode import ffmpeg, payload_of, transcode
from vidgan.errors import OutputError
from vidgan.media.trim import Trim
from vidgan.segments.store import SegmentStore
from vidgan.sinks import open_sink
from vidgan.sinks.copy import stream_copy
from vidgan.sinks.copy.stream_copy import StreamCopy
from vidgan.sinks.copy.times import read_times
from vidgan.sources import open_source

SAMPLE = Path(__file__).parents[2] / "samples" / "bunny.mp4"

Packets = Callable[[SegmentStore, Fraction], Iterator[Any]]


def one_lost(packets: Packets) -> Packets:
    def changed(store: SegmentStore, base: Fraction) -> Iterator[Any]:
        return (packet for index, packet in enumerate(packets(store, base)) if index != 7)

    return changed


def one_late(packets: Packets) -> Packets:
    def changed(store: SegmentStore, base: Fraction) -> Iterator[Any]:
        for index, packet in enumerate(packets(store, base)):
            if index == 19:
                packet.pts += packet.duration // 3
            yield packet

    return changed


def all_late(packets: Packets) -> Packets:
    def changed(store: SegmentStore, base: Fraction) -> Iterator[Any]:
        for packet in packets(store, base):
            packet.pts += round(Fraction(1, 2) / base)
            packet.dts += round(Fraction(1, 2) / base)
            yield packet

    return changed


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [(one_lost, "19 frames instead of 20"), (one_late, "comes at"), (all_late, "it begins at")],
)
def test_a_video_that_went_wrong_gets_no_name(
    tmp_path: Path,
    identity: str,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Packets], Packets],
    words: str,
    suffix: str,
) -> None:
    monkeypatch.setattr(SegmentStore, "packets", damage(SegmentStore.packets))
    output = tmp_path / f"out{suffix}"
    with pytest.raises(OutputError, match=words):
        vidgan.stylize(SAMPLE, output, style=identity, trim=Trim(frames=20))
    assert not output.exists()


def test_a_lost_packet_of_sound_costs_the_copy_not_the_video(
    tmp_path: Path, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, seen = StreamCopy._write, iter(range(10**6))

    def forgetful(copy: StreamCopy, route: Any, packet: Any) -> None:
        if next(seen) != 5:
            write(copy, route, packet)
            return
        route.track.count(packet)

    monkeypatch.setattr(StreamCopy, "_write", forgetful)
    result = vidgan.stylize(SAMPLE, tmp_path / "out.mp4", style=identity)
    assert any("was converted to FLAC" in each and "did not come out" in each for each in result.warnings)
    with av.open(str(tmp_path / "out.mp4")) as output:
        assert output.streams.audio[0].codec_context.name == "flac"
        assert sum(1 for packet in output.demux(video=0) if packet.size) == 132


def test_the_report_says_what_was_found(tmp_path: Path, identity: str) -> None:
    report = tmp_path / "r.json"
    done = run("stylize", SAMPLE, "-o", tmp_path / "out.mp4", "--style", identity, "--report", report)
    assert done.returncode == 0, done.stderr
    found = json.loads(report.read_text())["verification"]
    with av.open(str(SAMPLE)) as container:
        sound = sum(1 for packet in container.demux(audio=0) if packet.size)
    assert found["frames"] == 132 and found["packets"] == {"audio 1": sound}
    assert abs(found["seconds"] - 5.5) < 0.2 and abs(found["av_offset_seconds"]) < 0.1


def test_the_report_of_a_failure_says_why(tmp_path: Path, identity: str) -> None:
    (tmp_path / "in.mp4").write_bytes(b"not a video")
    done = run("stylize", tmp_path / "in.mp4", "--style", identity, "--report", tmp_path / "r.json")
    assert_one_clear_error(done, "in.mp4")
    assert "in.mp4" in json.loads((tmp_path / "r.json").read_text())["error"]


def test_tags_without_a_place_are_named(tmp_path: Path, identity: str) -> None:
    tagged = tmp_path / "in.mkv"
    with av.open(str(SAMPLE)) as source, av.open(str(tagged), "w") as target:
        target.metadata.update({"title": "Bunny", "MOOD": "grim"})
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    result = vidgan.stylize(tagged, tmp_path / "out.mp4", style=identity)
    assert result.verification is not None and "MOOD" in result.verification.missing_tags
    assert any("MOOD" in warning and "title" not in warning for warning in result.warnings)
    kept = vidgan.stylize(tagged, tmp_path / "out.mkv", style=identity).verification
    assert kept is not None and kept.missing_tags == []


# ------------------------------------------------------------------ against the input


def test_a_shift_of_what_follows_cannot_pass(tmp_path: Path) -> None:
    """Everything is as it was written; but from the middle on, it was written half a second late."""
    with open_source(SAMPLE) as source:
        late = round(Fraction(1, 2) / source.info.time_base)
        with (
            pytest.raises(OutputError, match="where the input has them"),
            open_sink(
                tmp_path / "out.mkv", source.info, copy_streams_from=SAMPLE, timeline=source.timeline
            ) as sink,
        ):
            for index, frame in enumerate(source):
                sink.write(frame if index < 60 else frame.at(frame.pts + late))
    assert not (tmp_path / "out.mkv").exists()


def test_sound_that_was_shifted_cannot_pass_as_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: Any, **options: Any) -> Any:
        found = read_times(*arguments, **options)
        for times in found.values():
            middle, shift = len(times.repaired) // 2, round(Fraction(1, 2) / times.time_base)
            for place in range(middle, len(times.repaired)):
                times.repaired[place] += shift
        return found

    monkeypatch.setattr(stream_copy, "read_times", late)
    outcome = transcode(SAMPLE, tmp_path / "out.mkv")
    assert outcome.says("did not come out as it is in the input")
    with av.open(str(outcome.path)) as container:
        assert all(each.codec_context.name != "aac" for each in container.streams.audio)


def test_a_stream_that_cannot_be_read_again_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither copied nor converted does it come out; the video is finished without it."""
    mux = StreamCopy._mux
    monkeypatch.setattr(
        StreamCopy,
        "_mux",
        lambda copy, route, packet: route.track.count(packet) if packet.pts else mux(copy, route, packet),
    )
    outcome = transcode(SAMPLE, tmp_path / "out.mkv")
    assert outcome.says("without stream", "audio")
    with av.open(str(outcome.path)) as container:
        assert [each.type for each in container.streams] == ["video"]
        assert sum(1 for packet in container.demux(video=0) if packet.size) == 132


def test_two_packets_of_one_time_late_in_a_video_are_written_to_mp4(tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    ffmpeg("-i", SAMPLE, "-c", "copy", source)
    move(source, stream=1, packets={200: Fraction(-22, 1000)})
    outcome = transcode(source, tmp_path / "out.mp4")
    assert outcome.says("1 packets", "out of line") and outcome.verification is not None
    assert payload_of(outcome.path, "audio") == payload_of(source, "audio")


def test_an_input_that_vanishes_does_not_cost_the_frames(tmp_path: Path) -> None:
    clip = tmp_path / "in.mp4"
    ffmpeg("-i", SAMPLE, "-t", 1, "-c", "copy", clip)
    store = SegmentStore(tmp_path / "out.mkv", {"job": "a"})
    with (
        pytest.raises(OutputError, match="cannot be read any more"),
        store,
        open_source(clip) as source,
        open_sink(
            tmp_path / "out.mkv", source.info, store=store, copy_streams_from=clip, timeline=source.timeline
        ) as sink,
    ):
        for frame in source:
            sink.write(frame)
        clip.unlink()
    assert store.folder.is_dir() and store.frames > 20
