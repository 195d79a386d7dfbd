"""Sound, subtitles, attachments, covers, chapters and tags come out as they went in."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from test_fidelity import make_clip, scene

import vidgan
from vidgan.errors import OutputError

Packets = list[tuple[bytes, int | None, Fraction]]
CHAPTERS = [
    {"id": number, "start": 400 * number, "end": 400 * (number + 1), "time_base": Fraction(1, 1000),
     "metadata": {"title": f"Part {number}"}}
    for number in range(2)
]  # fmt: skip
FONT = np.random.default_rng(3).bytes(2000)
SUBTITLES = "1\n00:00:00,100 --> 00:00:00,300\nÀ bientôt\n\n2\n00:00:00,500 --> 00:00:00,700\nfin\n"


def tone(container: av.container.OutputContainer, stream: av.AudioStream, pitch: int, start: int = 0) -> None:
    """0.8 seconds, from sample number ``start`` on."""
    wave = (np.sin(np.arange(38400) / pitch) * 8000).astype(np.int16)[None]
    for place in range(0, 38400, 960):
        frame = av.AudioFrame.from_ndarray(wave[:, place : place + 960], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start + place, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def film(path: Path, *, sound: str, subtitles: bool = False, cover: Path | None = None) -> Path:
    """0.8 seconds with two sound tracks, chapters and tags; matroska also gets a font."""
    (text := path.with_suffix(".srt")).write_text(SUBTITLES, encoding="utf-8")
    with av.open(str(path), "w") as container, av.open(str(text)) as words:
        container.metadata["title"] = "A film"
        container.set_chapters(CHAPTERS)
        video = container.add_stream("libx264", rate=25)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        tracks = [container.add_stream(sound, rate=48000) for _ in range(2)]
        for track, language in zip(tracks, ("eng", "fra"), strict=True):
            track.metadata["language"] = language
        tracks[1].disposition = Disposition.comment
        if subtitles:
            subtitle = container.add_stream_from_template(words.streams[0])
            subtitle.metadata["language"] = "fra"
        if path.suffix == ".mkv":
            container.add_attachment("letters.ttf", "application/x-truetype-font", FONT)
        if cover is not None:
            with av.open(str(cover)) as picture:
                target = container.add_stream_from_template(picture.streams[0])
                target.disposition = Disposition.attached_pic
                packet = next(picture.demux(picture.streams[0]))
                packet.stream = target
                container.mux(packet)
        for index in range(20):
            container.mux(video.encode(av.VideoFrame.from_ndarray(scene(index, 96, 64), "rgb24")))
        container.mux(video.encode(None))
        for pitch, track in zip((20, 30), tracks, strict=True):
            assert isinstance(track, av.AudioStream)
            tone(container, track, pitch)
        for packet in words.demux() if subtitles else ():
            if packet.size:
                packet.stream = subtitle
                container.mux(packet)
    return path


def packets_of(path: Path, index: int) -> Packets:
    with av.open(str(path)) as container:
        found = container.demux(container.streams[index])
        return [(bytes(each), each.pts, each.time_base) for each in found if each.size]


def stylized(path: Path, suffix: str, style: str) -> tuple[Path, list[str]]:
    result = vidgan.stylize(path, path.with_name(f"out{suffix}"), style=style)
    return Path(result.output), result.notices


def test_every_track_of_a_matroska_film_survives(tmp_path: Path, identity: str) -> None:
    source = film(tmp_path / "in.mkv", sound="libopus", subtitles=True)
    output, notices = stylized(source, ".mkv", identity)
    assert notices == []
    with av.open(str(source)) as before, av.open(str(output)) as after:
        assert [each.type for each in after.streams] == [
            "video", "audio", "audio", "subtitle", "attachment"
        ]  # fmt: skip
        for old, new in zip(before.streams, after.streams, strict=True):
            assert (old.type, old.disposition) == (new.type, new.disposition)
            assert old.metadata.get("language") == new.metadata.get("language")
        assert after.streams[2].disposition == Disposition.comment
        assert after.metadata["title"] == "A film"
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
    picture = av.VideoFrame.from_ndarray(scene(0, 32, 32), "rgb24")
    with av.open(str(tmp_path / "cover.png"), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "rgb24"
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    source = film(tmp_path / "in.mp4", sound="aac", cover=tmp_path / "cover.png")
    output, notices = stylized(source, suffix, identity)
    assert notices == []
    with av.open(str(output)) as container:
        covers = [s.index for s in container.streams if s.disposition & Disposition.attached_pic]
        assert len(covers) == 1 and len(container.streams.audio) == 2
        assert [each["metadata"]["title"] for each in container.chapters()] == ["Part 0", "Part 1"]
    assert packets_of(output, covers[0])[0][0] == (tmp_path / "cover.png").read_bytes()


def test_what_the_container_cannot_hold_is_named(tmp_path: Path, identity: str) -> None:
    source = film(tmp_path / "in.mkv", sound="libopus", subtitles=True)
    output, notices = stylized(source, ".mp4", identity)
    assert len(notices) == 2
    assert "subtitle" in notices[0] and "letters.ttf" in notices[1]
    assert all("mp4 cannot hold it" in each and ".mkv" in each for each in notices)
    for index in (1, 2):
        assert [data for data, *_ in packets_of(output, index)] == [
            data for data, *_ in packets_of(source, index)
        ]


@pytest.mark.parametrize(("sound", "suffix"), [("libopus", ".mov"), ("aac", ".webm")])
def test_sound_that_does_not_fit_is_an_error(
    sound: str, suffix: str, tmp_path: Path, identity: str
) -> None:  # fmt: skip
    source = film(tmp_path / "in.mkv", sound=sound)
    with pytest.raises(OutputError, match=r"cannot hold .*\.mkv"):
        stylized(source, suffix, identity)
    assert not list(tmp_path.glob("*out*"))


def test_a_clip_without_sound_gets_none(tmp_path: Path, identity: str) -> None:
    output, notices = stylized(make_clip(tmp_path / "in.mp4"), ".mkv", identity)
    with av.open(str(output)) as container:
        assert [each.type for each in container.streams] == ["video"]
    assert notices == []
