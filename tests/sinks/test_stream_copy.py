"""Sound, subtitles, attachments, covers, chapters and tags come out as they went in."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.stream import Disposition

import vidgan
from tests.support.clips import make_clip, scene
from tests.support.commands import SAMPLES
from tests.support.streams import FONT, packets_of, video


def stylized(path: Path, suffix: str, style: str) -> tuple[Path, list[str]]:
    result = vidgan.stylize(path, path.with_name(f"out{suffix}"), style=style)
    return Path(result.output), result.warnings


def test_every_track_of_a_matroska_video_survives(tmp_path: Path, identity: str) -> None:
    source = video(tmp_path / "in.mkv", sound="libopus", subtitles=True)
    output, warnings = stylized(source, ".mkv", identity)
    assert warnings == []
    with av.open(str(source)) as before, av.open(str(output)) as after:
        assert [each.type for each in after.streams] == [
            "video", "audio", "audio", "subtitle", "attachment"
        ]  # fmt: skip
        for old, new in zip(before.streams, after.streams, strict=True):
            assert (old.type, old.disposition) == (new.type, new.disposition)
            assert old.metadata.get("language") == new.metadata.get("language")
        assert after.streams[2].disposition == Disposition.comment
        assert after.metadata["title"] == "A video"
        assert [(each["start"], each["metadata"]["title"]) for each in after.chapters()] == [
            (each["start"], each["metadata"]["title"]) for each in before.chapters()
        ]
        assert len(after.chapters()) == 2
        font = after.streams[4]
        assert font.metadata["filename"] == "letters.ttf"
    for index in (1, 2, 3):
        assert len(packets_of(source, index)) >= 2
        assert packets_of(output, index) == packets_of(source, index)
    assert FONT in output.read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_cover_survives(suffix: str, tmp_path: Path, identity: str) -> None:
    image = av.VideoFrame.from_ndarray(scene(0, 32, 32), "rgb24")
    with av.open(str(tmp_path / "cover.png"), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "rgb24"
        container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    source = video(tmp_path / "in.mp4", sound="aac", cover=tmp_path / "cover.png")
    output, warnings = stylized(source, suffix, identity)
    assert warnings == []
    with av.open(str(output)) as container:
        covers = [s.index for s in container.streams if s.disposition & Disposition.attached_pic]
        assert len(covers) == 1 and len(container.streams.audio) == 2
        assert [each["metadata"]["title"] for each in container.chapters()] == ["Part 0", "Part 1"]
    assert packets_of(output, covers[0])[0][0] == (tmp_path / "cover.png").read_bytes()


def test_what_the_container_cannot_hold_is_converted_or_named(tmp_path: Path, identity: str) -> None:
    source = video(tmp_path / "in.mkv", sound="libopus", subtitles=True)
    output, warnings = stylized(source, ".mp4", identity)
    assert len(warnings) == 2
    assert "(subtitle, subrip) was converted to mov_text" in warnings[0] and "letters.ttf" in warnings[1]
    assert all("mp4 cannot hold it" in each and ".mkv" in each for each in warnings)
    for index in (1, 2):
        assert [data for data, *_ in packets_of(output, index)] == [
            data for data, *_ in packets_of(source, index)
        ]
    texts = [data[2:].decode() for data, *_ in packets_of(output, 3) if len(data) > 2]
    assert texts == ["À bientôt", "fin"]


def test_a_clip_without_sound_gets_none(tmp_path: Path, identity: str) -> None:
    output, warnings = stylized(make_clip(tmp_path / "in.mp4"), ".mkv", identity)
    with av.open(str(output)) as container:
        assert [each.type for each in container.streams] == ["video"]
    assert warnings == []


@pytest.mark.parametrize("end", ["0.3", "0.31", "0.33", "0.37", "0.5"])
def test_an_end_within_the_last_frame_costs_no_copy(tmp_path: Path, identity: str, end: str) -> None:
    """The last frame is shown beyond the end that was asked for, sound is not."""
    source, output = video(tmp_path / "in.mp4", sound="aac"), tmp_path / "out.mp4"
    result = vidgan.stylize(source, output, style=identity, trim=vidgan.Trim(end=Fraction(end)))
    assert not any("converted" in each for each in result.warnings)
    wanted = [
        each for each in packets_of(source, 1) if each[1] is not None and each[1] * each[2] < Fraction(end)
    ]
    assert packets_of(output, 1) == wanted


def test_a_date_that_a_camera_without_a_clock_wrote_is_no_tag(tmp_path: Path, identity: str) -> None:
    trim = vidgan.Trim(frames=3)
    with av.open(str(SAMPLES / "bunny.mp4")) as container:
        assert container.metadata["creation_time"].startswith("1970-01-01")
    result = vidgan.stylize(SAMPLES / "bunny.mp4", tmp_path / "out.mp4", style=identity, trim=trim)
    assert result.warnings == []
