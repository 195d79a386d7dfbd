"""The contract of sinks, for every kind of output: :class:`vidgan.sinks.Sink`."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vidgan.sinks
from tests.support.clips import VARIABLE, make_clip, scene
from tests.support.contracts import implementations
from vidgan.errors import OutputError, OutputExistsError
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage, YuvImage
from vidgan.sinks import STDOUT, Sink, kind_of, open_sink
from vidgan.sinks.stdout import StdoutSink
from vidgan.sources import open_source

WIDTH, HEIGHT = 96, 64
TIME_BASE = Fraction(1, 25)
INFO = VideoInfo(width=WIDTH, height=HEIGHT, time_base=TIME_BASE, frame_rate=Fraction(25))
STILL = replace(INFO, frame_rate=None, frame_count=1)


@dataclass(frozen=True, kw_only=True)
class Case:
    """An output.

    Attributes:
        name: of the output, in a folder.
        info: of the frames.
        tolerance: mean absolute error that the encoding may cost.
        options: of :func:`open_sink`.
    """

    name: str
    info: VideoInfo = INFO
    tolerance: float = 5.0
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_video(self) -> bool:
        return kind_of(Path(self.name), self.info) == "video"

    def frames(self) -> list[Frame]:
        times = VARIABLE if self.info.frame_rate else [0]
        return [made(index, time) for index, time in enumerate(times)]


def made(index: int, pts: int) -> Frame:
    image = RgbImage(scene(index, WIDTH, HEIGHT))
    return Frame(image=image, pts=pts, time_base=TIME_BASE, duration=1)


CASES = {
    "mp4": Case(name="a.mp4"),
    "mov": Case(name="a.mov"),
    "mkv": Case(name="a.mkv"),
    "webm": Case(name="a.webm", tolerance=7),
    "gif": Case(name="a.gif", tolerance=9),
    "apng": Case(name="a.apng", tolerance=0),
    "webp": Case(name="a.webp", tolerance=8),
    "nut": Case(name="a.nut"),
    "png": Case(name="a.png", info=STILL, tolerance=0),
    "jpg": Case(name="a.jpg", info=STILL),
    "still webp": Case(name="b.webp", info=STILL, tolerance=8),
    "tiff": Case(name="a.tiff", info=STILL, tolerance=0),
    "bmp": Case(name="a.bmp", info=STILL, tolerance=0),
    "numbered images": Case(name="frames/%03d.png", tolerance=3),
}
VIDEOS = [name for name, case in CASES.items() if case.is_video]
every = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def written(case: Case, folder: Path, frames: Sequence[Frame] | None = None, **options: Any) -> Sink:
    """The sink, after its output is complete."""
    with open_sink(folder / case.name, case.info, **case.options | options) as sink:
        for frame in case.frames() if frames is None else frames:
            sink.write(frame)
    return sink


def read(case: Case, folder: Path) -> list[Frame]:
    path = folder / case.name
    with open_source(path.parent if "%" in case.name else path) as source:
        return list(source)


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder and of those in it, hidden ones too."""
    return {
        each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()
    }


@every
def test_leaving_completes_the_output(case: Case, tmp_path: Path) -> None:
    written(case, tmp_path)
    expected, found = case.frames(), read(case, tmp_path)
    assert len(found) == len(expected)
    for index, (one, two) in enumerate(zip(found, expected, strict=True)):
        error = np.abs(one.pixels.astype(int) - two.pixels).mean()
        assert error <= case.tolerance, f"frame {index}"


@every
def test_frames_are_shown_at_their_times(case: Case, tmp_path: Path) -> None:
    if not case.is_video:
        # Images have no times; their order is that of the frames.
        written(case, tmp_path)
        assert [frame.pts for frame in read(case, tmp_path)] == [*range(len(case.frames()))]
        return
    written(case, tmp_path)
    for found, expected in zip(read(case, tmp_path), case.frames(), strict=True):
        difference = found.pts * found.time_base - expected.pts * expected.time_base
        assert abs(difference) <= Fraction(1, 1000)


@every
def test_nothing_else_is_left_behind(case: Case, tmp_path: Path) -> None:
    written(case, tmp_path)
    count = len(case.frames()) if "%" in case.name else 1
    names = {case.name.replace("%03d", f"{number:03}") for number in range(1, count + 1)}
    assert set(contents(tmp_path)) == names


@every
def test_nothing_is_at_its_place_before_it_is_complete(case: Case, tmp_path: Path) -> None:
    with open_sink(tmp_path / case.name, case.info, **case.options) as sink:
        for frame in case.frames():
            sink.write(frame)
            assert not [each for each in contents(tmp_path) if not each.startswith(".")]


@every
@pytest.mark.parametrize("count", [0, 1, 5])
def test_an_exception_leaves_nothing(case: Case, count: int, tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        open_sink(tmp_path / case.name, case.info, **case.options) as sink,
    ):
        for frame in case.frames()[:count]:
            sink.write(frame)
        raise ZeroDivisionError
    assert not [*tmp_path.iterdir()]
    assert sink.verification is None


@every
def test_an_output_that_exists_is_refused_and_kept(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.name.replace("%03d", "001")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match=path.name):
        open_sink(tmp_path / case.name, case.info, **case.options)
    assert contents(tmp_path) == {path.relative_to(tmp_path).as_posix(): b"precious"}


@every
def test_an_output_that_appears_meanwhile_is_kept(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.name.replace("%03d", "001")
    with pytest.raises(OutputExistsError), open_sink(tmp_path / case.name, case.info, **case.options) as sink:
        for frame in case.frames():
            sink.write(frame)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"precious")
    assert contents(tmp_path) == {path.relative_to(tmp_path).as_posix(): b"precious"}


@every
def test_overwriting_replaces_only_what_is_complete(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.name.replace("%03d", "001")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"precious")
    with (
        pytest.raises(ZeroDivisionError),
        open_sink(tmp_path / case.name, case.info, overwrite=True, **case.options) as sink,
    ):
        sink.write(case.frames()[0])
        raise ZeroDivisionError
    assert path.read_bytes() == b"precious"
    written(case, tmp_path, overwrite=True)
    assert len(read(case, tmp_path)) == len(case.frames())


@every
def test_a_missing_folder_is_refused_before_any_work(case: Case, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        open_sink(tmp_path / "missing" / case.name, case.info, **case.options)
    assert not [*tmp_path.iterdir()]


@every
def test_warnings_are_sentences_and_videos_are_verified(case: Case, tmp_path: Path) -> None:
    sink = written(case, tmp_path)
    assert all(isinstance(each, str) and each for each in sink.warnings)
    is_readable = case.is_video and not case.name.endswith(".webp")
    assert (sink.verification is not None) == is_readable
    if sink.verification is not None:
        assert sink.verification.frames == len(case.frames())
        assert sink.verification.remarks == []


@every
@pytest.mark.parametrize("kind", ["ramp", "border"])
def test_transparency_is_kept_or_spoken_of(case: Case, kind: str, tmp_path: Path) -> None:
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    if kind == "border":
        alpha = np.where(alpha > 127, 255, 0).astype(np.uint8)
    frames = [replace(frame, alpha=alpha) for frame in case.frames()]
    sink = written(replace(case, info=replace(case.info, alpha=True)), tmp_path, frames)
    first = read(case, tmp_path)[0]
    if first.alpha is None:
        assert any("transparency" in warning for warning in sink.warnings)
    else:
        # GIF has one bit of it.
        assert ((first.alpha > 127) == (alpha > 127)).mean() > 0.97


@every
def test_luma_and_chroma_are_taken_like_rgb(case: Case, tmp_path: Path) -> None:
    frames = [frame.with_image(YuvImage.from_rgb(frame.pixels)) for frame in case.frames()]
    written(case, tmp_path, frames)
    for found, expected in zip(read(case, tmp_path), frames, strict=True):
        assert np.abs(found.pixels.astype(int) - expected.pixels).mean() <= case.tolerance + 2


@pytest.mark.parametrize("name", VIDEOS)
def test_sound_is_copied_or_spoken_of(name: str, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mkv", times=VARIABLE, size=(WIDTH, HEIGHT), sound="aac")
    folder = tmp_path / "out"
    folder.mkdir()
    sink = written(CASES[name], folder, copy_streams_from=clip)
    has_sound = sink.verification is not None and "audio 1" in sink.verification.packets
    assert has_sound or any("sound" in warning or "audio" in warning for warning in sink.warnings)


@pytest.mark.parametrize("name", VIDEOS)
def test_the_input_is_never_the_output(name: str, tmp_path: Path) -> None:
    path = tmp_path / CASES[name].name
    path.write_bytes(b"precious")
    with pytest.raises(OutputError):
        open_sink(path, INFO, overwrite=True, copy_streams_from=path)
    assert path.read_bytes() == b"precious"


STDOUT_SCRIPT = """
import sys
from fractions import Fraction
from tests.support.clips import VARIABLE, scene
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.sinks import open_sink
info = VideoInfo(width=96, height=64, time_base=Fraction(1, 25), frame_rate=Fraction(25))
with open_sink("-", info, pipe_format=sys.argv[1]) as sink:
    for index, pts in enumerate(VARIABLE):
        image = RgbImage(scene(index, 96, 64))
        sink.write(Frame(image=image, pts=pts, time_base=info.time_base, duration=1))
        if index == int(sys.argv[2]):
            raise ZeroDivisionError
assert sink.warnings == [] and sink.verification is None
"""


def piped(pipe_format: str, failing: int = -1) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", STDOUT_SCRIPT, pipe_format, str(failing)],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("pipe_format", ["nut", "y4m"])
def test_standard_output_gets_every_frame(pipe_format: str, tmp_path: Path) -> None:
    done = piped(pipe_format)
    assert done.returncode == 0, done.stderr.decode()
    path = tmp_path / f"a.{pipe_format}"
    path.write_bytes(done.stdout)
    expected = Case(name=path.name).frames()
    with open_source(path) as source:
        found = list(source)
    assert len(found) == len(expected)
    for one, two in zip(found, expected, strict=True):
        assert np.abs(one.pixels.astype(int) - two.pixels).mean() <= 3
        if pipe_format == "nut":
            assert one.pts * one.time_base == two.pts * two.time_base


@pytest.mark.parametrize("pipe_format", ["nut", "y4m"])
def test_standard_output_passes_an_exception_on(pipe_format: str) -> None:
    done = piped(pipe_format, failing=3)
    assert done.returncode == 1 and b"ZeroDivisionError" in done.stderr


def test_every_sink_is_among_the_cases(tmp_path: Path) -> None:
    found: set[type] = set()
    for index, case in enumerate(CASES.values()):
        folder = tmp_path / str(index)
        folder.mkdir()
        found.add(type(written(case, folder)))
    assert kind_of(STDOUT, INFO) == "stdout"
    assert found | {StdoutSink} == implementations(Sink, vidgan.sinks)
