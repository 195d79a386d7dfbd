"""Films are looked at before they get their names; here, things go wrong between."""

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from support.commands import assert_one_clear_error
from support.commands import vidgan as run

import vidgan
from vidgan.errors import OutputError
from vidgan.media.trim import Trim
from vidgan.segments.store import SegmentStore
from vidgan.sinks.copy.stream_copy import StreamCopy

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
def test_a_film_that_went_wrong_gets_no_name(
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
    assert any("was converted to FLAC" in each and "did not come out" in each for each in result.notices)
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
    (tmp_path / "in.mp4").write_bytes(b"not a film")
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
    assert any("MOOD" in notice and "title" not in notice for notice in result.notices)
    assert vidgan.stylize(tagged, tmp_path / "out.mkv", style=identity).verification.missing_tags == []
