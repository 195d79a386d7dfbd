"""A part of a video: the very frames of it, with its sound in step."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import vidgan
from tests.support.clips import make_clip
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as run
from tests.support.streams import packets_of, video
from tests.support.timestamps import seconds
from vidgan.errors import InputError
from vidgan.media.trim import Trim, parse_time
from vidgan.sources import open_source


@pytest.mark.parametrize(
    ("text", "seconds"), [("90.5", "90.5"), ("1:30.5", "90.5"), ("01:00:00", "3600"), ("0", "0")]
)
def test_times_are_read_as_people_write_them(text: str, seconds: str) -> None:
    assert parse_time(text) == Fraction(seconds)


@pytest.mark.parametrize("text", ["", "-1", "1:2:3:4", "1:", "nan", "soon"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        parse_time(text)


@pytest.mark.parametrize(
    ("trim", "count"),
    [
        (Trim(start=Fraction(2)), 82),
        (Trim(end=Fraction("0.5")), 13),
        (Trim(start=Fraction("1.01"), end=Fraction(3)), 49),
        (Trim(start=Fraction(1), frames=7), 7),
    ],
)
def test_the_frames_are_those_of_the_whole_video(trim: Trim, count: int) -> None:
    with open_source(SAMPLES / "bunny.mp4", size="64x36") as source:
        whole = list(source)
    with open_source(SAMPLES / "bunny.mp4", size="64x36", trim=trim) as source:
        part = list(source)
        assert source.info.frame_count == pytest.approx(count, abs=1)
    times = [each.pts * each.time_base for each in whole]
    first = next(index for index, time in enumerate(times) if time >= trim.start)
    assert len(part) == count
    for after, before, time in zip(part, whole[first:], times[first:], strict=False):
        assert abs(after.pts * after.time_base + trim.start - time) <= after.time_base
        assert np.array_equal(after.pixels, before.pixels)


def test_sound_subtitles_and_chapters_go_along(tmp_path: Path, identity: str) -> None:
    source = video(tmp_path / "in.mkv", sound="libopus", subtitles=True)
    trim = Trim(start=Fraction("0.2"), end=Fraction("0.6"))
    output = Path(vidgan.stylize(source, tmp_path / "out.mkv", style=identity, trim=trim).output)
    before = [(data, pts * base) for data, pts, base in packets_of(source, 1) if pts is not None]
    wanted = [(data, time - trim.start) for data, time in before if Fraction("0.2") <= time < Fraction("0.6")]
    after = [(data, pts * base) for data, pts, base in packets_of(output, 1) if pts is not None]
    assert 15 < len(after) < len(before)
    assert after == wanted
    assert [data for data, *_ in packets_of(output, 3)] == [b"fin"]
    assert packets_of(output, 3)[0][1] == 300
    with av.open(str(output)) as container:
        assert len(list(container.decode(video=0))) == 10
        times = [(seconds(each["start"], each["time_base"]), seconds(each["end"], each["time_base"]))
                 for each in container.chapters()]  # fmt: skip
    assert times == [(0, Fraction("0.2")), (Fraction("0.2"), Fraction("0.4"))]


def test_a_part_that_is_not_there(tmp_path: Path, identity: str) -> None:
    clip = make_clip(tmp_path / "in.mp4")
    with pytest.raises(InputError, match="has no frame from 5 s to the end"):
        vidgan.stylize(clip, style=identity, trim=Trim(start=Fraction(5)))
    with pytest.raises(InputError, match="nothing lies between 3 s and 2 s"):
        Trim(start=Fraction(3), end=Fraction(2))
    with pytest.raises(InputError, match="is an image"):
        vidgan.stylize(SAMPLES / "bunny.jpg", tmp_path / "o.png", style=identity, trim=Trim(frames=1))


def test_the_command_line(tmp_path: Path, identity: str) -> None:
    clip, output = make_clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    done = run("stylize", clip, "-o", output, "--style", identity, "--from", "0:00.2", "--frames", "5")
    assert done.returncode == 0, done.stderr
    with av.open(str(output)) as container:
        assert len(list(container.decode(video=0))) == 5
    assert run("stylize", clip, "--style", identity, "--to", "soon").returncode == 2
    assert_one_clear_error(run("stylize", clip, "--style", identity, "--from", "9"), "in.mp4", "no frame")
