"""The contract of sources, for every kind of input: :class:`vidgan.sources.Source`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan.sources
from tests.support.clips import VARIABLE, make_clip, scene
from tests.support.contracts import assert_same_frame, implementations
from tests.support.doll import DOLL
from vidgan.errors import InputError, InputNotFoundError
from vidgan.media.frame import Frame
from vidgan.media.image import YuvImage
from vidgan.media.label_map import Palette
from vidgan.media.pose_file import Poses, write_poses
from vidgan.media.skeleton import draw_skeleton
from vidgan.media.timeline import Timeline
from vidgan.media.trim import Trim
from vidgan.sources import Source, open_source

WIDTH, HEIGHT = 96, 64
COUNT = len(VARIABLE)
PALETTE = Palette(((128, 128, 128), (128, 64, 128), (64, 0, 128)), (0, 1, 2))
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An input and what its frames should be.

    Attributes:
        make: writes it into a folder.
        times: of the frames, in seconds.
        pixels: of the frame of an index.
        tolerance: mean absolute error that its encoding may cost.
        options: of :func:`open_source`.
        seekable: a frame can be decoded without those before it.
    """

    make: Callable[[Path], Path]
    times: Sequence[Fraction]
    pixels: Callable[[int], Pixels] = field(default=lambda index: scene(index, WIDTH, HEIGHT))
    tolerance: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    seekable: bool = True


def at_rate(rate: int, count: int = COUNT) -> list[Fraction]:
    return [Fraction(index, rate) for index in range(count)]


def clip(name: str, **options: Any) -> Callable[[Path], Path]:
    return lambda folder: make_clip(folder / name, times=VARIABLE, size=(WIDTH, HEIGHT), **options)


def write_png(path: Path, pixels: Pixels) -> Path:
    assert cv2.imwrite(str(path), pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path


def image(folder: Path) -> Path:
    return write_png(folder / "a.png", scene(0, WIDTH, HEIGHT))


def transparent_image(folder: Path) -> Path:
    alpha = np.full((HEIGHT, WIDTH, 1), 90, np.uint8)
    bgra = np.dstack([scene(0, WIDTH, HEIGHT)[..., ::-1], alpha])
    path = folder / "a.png"
    assert cv2.imwrite(str(path), bgra)
    return path


def image_folder(folder: Path) -> Path:
    frames = folder / "frames"
    frames.mkdir()
    for index in range(COUNT):
        write_png(frames / f"{index + 1}.png", scene(index, WIDTH, HEIGHT))
    return frames


def labels(index: int) -> NDArray[np.uint8]:
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    drawn[HEIGHT // 2 :] = 1
    drawn[20:40, 4 * index : 4 * index + 20] = 2
    return drawn


def drawn_labels(index: int) -> Pixels:
    return PALETTE.draw(labels(index))


def label_folder(folder: Path) -> Path:
    frames = folder / "labels"
    frames.mkdir()
    for index in range(COUNT):
        write_png(frames / f"{index}.png", labels(index))
    return frames


def pose(index: int) -> NDArray[np.float32]:
    return DOLL + np.array([index, 0, 0], np.float32)


def poses(folder: Path) -> Path:
    frames = [pose(index) for index in range(COUNT)]
    write_poses(folder / "a.json", Poses(WIDTH, HEIGHT, Fraction(10), frames))
    return folder / "a.json"


def drawn_pose(index: int) -> Pixels:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    draw_skeleton(image, pose(index))
    return image


def animation(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pil = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
        first, *others = [pil.fromarray(scene(index, WIDTH, HEIGHT)) for index in range(COUNT)]
        lossless = {"lossless": True} if name.endswith(".webp") else {}
        path = folder / name
        first.save(path, save_all=True, append_images=others, duration=DURATIONS, loop=0, **lossless)
        return path

    return make


DURATIONS = [40 * (after - before) for before, after in pairwise([*VARIABLE, VARIABLE[-1] + 1])]
"""Milliseconds; the times of the clips."""
CLIP_TIMES = [Fraction(each, 25) for each in VARIABLE]

CASES = {
    "mp4": Case(make=clip("a.mp4"), times=CLIP_TIMES, tolerance=4),
    "mkv": Case(make=clip("a.mkv"), times=CLIP_TIMES, tolerance=4),
    "mkv of ffv1": Case(make=clip("a.mkv", codec="ffv1", pix_fmt="bgr0"), times=CLIP_TIMES),
    "webm": Case(make=clip("a.webm", codec="libvpx-vp9"), times=CLIP_TIMES, tolerance=6),
    "yuv": Case(make=clip("a.mp4"), times=CLIP_TIMES, tolerance=4, options={"yuv": True}),
    "sound": Case(make=clip("a.mp4", sound="aac"), times=CLIP_TIMES, tolerance=4),
    "trimmed": Case(
        make=clip("a.mp4"),
        times=[each - Fraction(2, 25) for each in CLIP_TIMES[2:]],
        pixels=lambda index: scene(index + 2, WIDTH, HEIGHT),
        tolerance=4,
        options={"trim": Trim(start=Fraction(2, 25))},
    ),
    "image": Case(make=image, times=[Fraction(0)]),
    "transparent image": Case(make=transparent_image, times=[Fraction(0)]),
    "folder": Case(make=image_folder, times=at_rate(25)),
    "folder at 12 fps": Case(make=image_folder, times=at_rate(12), options={"rate": Fraction(12)}),
    "label map": Case(
        make=lambda folder: write_png(folder / "a.png", labels(0)),
        times=[Fraction(0)],
        pixels=drawn_labels,
        options={"palette": PALETTE},
    ),
    "label maps": Case(
        make=label_folder, times=at_rate(15), pixels=drawn_labels, options={"palette": PALETTE}
    ),
    "poses": Case(make=poses, times=at_rate(10), pixels=drawn_pose),
    "gif": Case(make=animation("a.gif"), times=CLIP_TIMES, tolerance=6),
    "apng": Case(make=animation("a.apng"), times=CLIP_TIMES, seekable=False),
    "webp": Case(make=animation("a.webp"), times=CLIP_TIMES, seekable=False),
}
Input = tuple[Case, Path]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {}


@pytest.fixture(params=CASES)
def given(
    request: pytest.FixtureRequest, inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Input:
    case = CASES[request.param]
    if request.param not in inputs:
        inputs[request.param] = case.make(tmp_path_factory.mktemp("input"))
    return case, inputs[request.param]


def opened(given: Input) -> Source:
    case, path = given
    return open_source(path, **case.options)


def all_frames(given: Input) -> list[Frame]:
    with opened(given) as source:
        return list(source)


def test_info_describes_the_frames(given: Input) -> None:
    with opened(given) as source:
        info, frames = source.info, list(source)
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    assert info.frame_count is None or info.frame_count > 0
    assert (info.frame_rate is None) == (len(frames) == 1)
    for frame in frames:
        assert frame.size == (info.width, info.height)
        assert frame.time_base == info.time_base
        assert (frame.alpha is not None) == info.alpha
        assert frame.pixels.flags.c_contiguous


def test_frames_are_those_of_the_file(given: Input) -> None:
    case, _ = given
    frames = all_frames(given)
    assert [frame.pts * frame.time_base for frame in frames] == [*case.times]
    for index, frame in enumerate(frames):
        error = np.abs(frame.pixels.astype(int) - case.pixels(index)).mean()
        assert error <= case.tolerance, f"frame {index}"


def test_pts_rise_and_frames_do_not_overlap(given: Input) -> None:
    frames = all_frames(given)
    assert frames[0].pts == 0 and all(frame.duration >= 0 for frame in frames)
    assert all(before.pts < after.pts for before, after in pairwise(frames))


def test_opened_again_it_gives_the_same_frames(given: Input) -> None:
    for one, two in zip(all_frames(given), all_frames(given), strict=True):
        assert_same_frame(one, two)


@pytest.mark.parametrize("count", [0, 1, 3, COUNT])
def test_skipping_equals_dropping(given: Input, count: int) -> None:
    frames = all_frames(given)
    count = min(count, len(frames))
    with opened(given) as source:
        last, rest = source.skip(count), list(source)
    assert (last is None) == (count == 0)
    if last is not None:
        assert_same_frame(last, frames[count - 1])
    for found, expected in zip(rest, frames[count:], strict=True):
        assert_same_frame(found, expected)


def test_times_are_those_of_the_frames(given: Input) -> None:
    with opened(given) as source:
        times = list(source.times())
    assert times == [frame.pts for frame in all_frames(given)]


def test_seconds_of_a_frame_begin_a_trim_with_it(given: Input) -> None:
    case, path = given
    frames = all_frames(given)
    if len(frames) == 1:
        with pytest.raises(InputError, match="only a video can be trimmed"):
            open_source(path, **case.options | {"trim": Trim(start=Fraction(1))})
        return
    wanted = frames[4]
    with opened(given) as source:
        assert wanted.pts in list(source.times())
        seconds = source.seconds_at(wanted.pts)
    assert (seconds is not None) == case.seekable
    if seconds is None:
        return
    with open_source(path, **case.options | {"trim": Trim(start=seconds)}) as source:
        first = next(iter(source))
    assert_same_frame(first.at(wanted.pts), wanted)


def test_closing_in_the_middle_lets_go_of_the_file(given: Input) -> None:
    _, path = given
    with pytest.raises(ZeroDivisionError), opened(given) as source:
        for _ in islice(source, max(1, len(all_frames(given)) // 2)):
            pass
        raise ZeroDivisionError
    assert path not in [*open_files()]


def test_closing_without_a_frame_lets_go_of_the_file(given: Input) -> None:
    _, path = given
    with opened(given):
        pass
    assert path not in [*open_files()]


def open_files() -> list[Path]:
    """Files that this process has open, where the system says which."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("the system does not tell which files are open")
    return [each.readlink() for each in folder.iterdir() if each.is_symlink()]


def test_flawless_files_need_no_warnings_and_have_a_timeline(given: Input) -> None:
    case, _ = given
    with opened(given) as source:
        frames = list(source)
        assert source.warnings == []
        assert isinstance(source.timeline, Timeline) and not source.timeline.gaps
    trim = case.options.get("trim", Trim())
    for frame, time in zip(frames, case.times, strict=True):
        assert source.timeline.map(time + trim.start) == frame.pts * frame.time_base


@pytest.mark.parametrize("name", sorted(CASES))
def test_warnings_are_sentences_about_the_file(name: str, tmp_path: Path) -> None:
    """A part of the file is missing: either nothing can be read, or what can be is, with a warning."""
    path = CASES[name].make(tmp_path)
    damaged = path if path.is_file() else sorted(path.iterdir())[-1]
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size * 3 // 5])
    try:
        with open_source(path, **CASES[name].options) as source:
            frames = list(source)
    except InputError as exc:
        assert str(tmp_path) in str(exc)
        return
    assert frames and all(before.pts < after.pts for before, after in pairwise(frames))
    assert source.warnings and all(isinstance(each, str) and each for each in source.warnings)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif", "a.apng", "a.webp", "a.png", "a.jpg"])
def test_what_is_no_media_is_refused_with_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(InputNotFoundError, match=name):
        open_source(path)
    for content in (b"", b"no media at all " * 99):
        path.write_bytes(content)
        with pytest.raises(InputError, match=name):
            open_source(path)


def test_luma_and_chroma_come_only_where_they_are_asked_for(given: Input) -> None:
    case, _ = given
    is_yuv = {isinstance(frame.image, YuvImage) for frame in all_frames(given)}
    assert is_yuv == {bool(case.options.get("yuv"))}


def test_every_source_is_among_the_cases(tmp_path: Path) -> None:
    found = set()
    for index, case in enumerate(CASES.values()):
        folder = tmp_path / str(index)
        folder.mkdir()
        with opened((case, case.make(folder))) as source:
            found.add(type(source))
    assert found == implementations(Source, vidgan.sources)
