"""``--mask person`` and ``--mask class:NAME``: masks found in the input itself, soft and steady in time."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan
from tests.support.clips import make_clip, scene
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as command
from vidgan.errors import InputError
from vidgan.jobs.api import load_model
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.sources import open_source
from vidgan.sources.image import read_image
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.style import StyleSettings
from vidgan.tasks.style.found_mask import is_found, open_found_mask, person_in
from vidgan.tasks.style.mask import Mask

LOSSLESS = {"encoder": "libx264rgb", "encoder_options": {"crf": "0"}}
STEP = 4
"""Pixels by which the person of the clip moves from frame to frame."""

Pixels = NDArray[np.uint8]


def person_at(left: int) -> Pixels:
    """A person who does not exist, before a plain wall, in an image of 352x256."""
    person = read_image(SAMPLES / "person.jpg").pixels
    return np.ascontiguousarray(np.pad(person, ((0, 0), (left, 96 - left), (0, 0)), mode="edge"))


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of frames of a person who moves to the right."""
    folder = tmp_path_factory.mktemp("walk")
    for number in range(14):
        assert cv2.imwrite(str(folder / f"{number:03}.png"), person_at(STEP * number)[..., ::-1])
    return folder


def opened(path: Path, *, start: float = 0, invert: bool = False, missed: int | None = None) -> Mask:
    """The mask of the person, who is not found in one frame."""
    info = VideoInfo(width=352, height=256, time_base=Fraction(1, 25), frame_rate=Fraction(25))
    read, seen = person_in(PoseFinder()), itertools.count()

    def find(frame: Frame) -> Pixels | None:
        return None if next(seen) == missed else read(frame)

    return open_found_mask(find, path, info, start=Fraction(start), feather=2, invert=invert, what="person")


def masks_of(mask: Mask, numbers: Sequence[int]) -> list[Pixels]:
    image = RgbImage(np.zeros((256, 352, 3), np.uint8))
    frames = [Frame(image=image, pts=each, time_base=Fraction(1, 25), duration=1) for each in numbers]
    return [mask.at(frame) for frame in frames]


def overlap(one: Pixels, other: Pixels) -> float:
    """Intersection over union."""
    a, b = one > 127, other > 127
    return float((a & b).sum() / (a | b).sum())


def moved(mask: Pixels, by: int) -> Pixels:
    return np.roll(mask, by, axis=1)


def test_the_person_is_inside_with_soft_edges() -> None:
    found = PoseFinder().find(RgbImage(person_at(40)))
    assert found is not None
    (mask,) = masks_of(opened(Path("array.png")), [0])
    assert not mask.any()
    mask = opened(Path("array.png")).at(
        Frame(image=RgbImage(person_at(40)), pts=0, time_base=Fraction(1, 25), duration=1)
    )
    for x, y, _ in found.points[found.shown > 0.9]:
        assert mask[int(y), int(x)] > 100
    assert 0.04 < (mask > 127).mean() < 0.4 and mask[:40, :40].max() == 0 and mask[:40, -40:].max() == 0
    assert 0.003 < ((mask > 10) & (mask < 245)).mean() < 0.15


def test_the_mask_is_in_step_and_steady(walk: Path) -> None:
    mask = opened(walk, missed=7)
    order = [0, 1, 2, 3, 4, 10, 11, 12, 13, 6, 7, 8]
    found = dict(zip(order, masks_of(mask, order), strict=True))
    for one, other in ((0, 2), (2, 4), (4, 10), (10, 12)):
        assert overlap(moved(found[one], STEP * (other - one)), found[other]) > 0.9
    # In a frame in which nobody is found, it is that of the frames around it, moved with the person.
    assert overlap(moved(found[6], STEP), found[7]) > 0.9 and found[7].max() > 240
    late = opened(walk, start=0.16)
    assert overlap(masks_of(late, [6])[0], found[10]) > 0.98
    turned = opened(walk, invert=True)
    assert np.array_equal(masks_of(turned, [4])[0], 255 - found[4]) and not mask.warnings


def test_a_video_is_stylized_inside_or_outside_the_person(walk: Path, tmp_path: Path) -> None:
    def frames(name: str, **options: object) -> list[Pixels]:
        vidgan.stylize(walk, tmp_path / name, style="starry", smooth="off", **LOSSLESS | options)
        with open_source(tmp_path / name) as source:
            return [each.pixels for each in source]

    inside = frames("inside.mkv", mask="person")
    outside = frames("outside.mkv", mask="person", mask_invert=True)
    masks = masks_of(opened(walk), range(14))
    for number in (0, 5, 13):
        source, mask = person_at(STEP * number), masks[number]
        assert np.array_equal(inside[number][mask == 0], source[mask == 0])
        assert np.array_equal(outside[number][mask == 255], source[mask == 255])
        for stylized, place in ((inside, mask == 255), (outside, mask == 0)):
            assert np.abs(stylized[number][place].astype(int) - source[place]).mean() > 12


def test_pixels_of_a_class(tmp_path: Path) -> None:
    photo = np.ascontiguousarray(read_image(SAMPLES / "bunny.jpg").pixels[::4, ::4])
    session = load_model("camvid-segment", "segment", device="cpu")
    names = [name for name, _ in session.spec.classes]
    small = cv2.resize(photo, (341, 192), interpolation=cv2.INTER_AREA) if session.spec.side == 192 else photo
    labels = session.run(small[np.newaxis])[0]
    largest = names[int(np.bincount(labels.ravel()).argmax())]
    masked = vidgan.stylize(photo, style="starry", mask=f"class:{largest}", mask_feather=0)
    whole = vidgan.stylize(photo, style="starry")
    wanted = cv2.resize(np.uint8(labels == names.index(largest)), photo.shape[1::-1]).astype(bool)
    kept, stylized = (masked == photo).all(2), (masked == whole).all(2)
    assert (stylized[wanted].mean() > 0.95) and (kept[~wanted].mean() > 0.95) and 0.02 < wanted.mean() < 0.98


def test_nothing_found_is_said_and_the_input_stays(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", times=range(3))
    result = vidgan.stylize(clip, tmp_path / "out.mkv", style="starry", mask="person", **LOSSLESS)
    assert f"{clip}: no person was found in it, so nothing is inside the mask" in result.warnings
    vidgan.stylize(clip, tmp_path / "same.mkv", style="starry", strength=0, smooth="off", **LOSSLESS)
    with open_source(tmp_path / "out.mkv") as one, open_source(tmp_path / "same.mkv") as other:
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other, strict=True))


def test_an_image_file_and_one_in_memory_have_the_same_mask(tmp_path: Path) -> None:
    vidgan.stylize(SAMPLES / "person.jpg", tmp_path / "out.png", style="wave", mask="person")
    pixels = read_image(SAMPLES / "person.jpg").pixels
    in_memory = vidgan.stylize(pixels, style="wave", mask="person")
    assert np.array_equal(read_image(tmp_path / "out.png").pixels, in_memory)
    assert np.array_equal(in_memory[:20, :20], pixels[:20, :20]) and not np.array_equal(in_memory, pixels)


def test_what_cannot_be_found_is_refused(tmp_path: Path) -> None:
    done = command(
        "stylize", SAMPLES / "bunny.jpg", "-o", tmp_path / "a.png", "-s", "starry", "--mask", "class:horse"
    )
    assert_one_clear_error(done, "camvid-segment knows no class 'horse'; it knows sky, building")
    with pytest.raises(InputError, match="`mask_model` is for `mask='class:NAME'`"):
        vidgan.stylize(scene(0, 96, 64), style="starry", mask="person", mask_model="mine.onnx")
    with pytest.raises(InputError, match="persons: no such mask"):
        vidgan.stylize(scene(0, 96, 64), style="starry", mask="persons")


def test_a_journal_keeps_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("person", "class:car"):
        settings = StyleSettings(style="starry", mask=Path(text))
        assert StyleSettings.from_json(settings.as_json()) == settings
        assert is_found(Path(text))
    # A file of that name is a file.
    monkeypatch.chdir(tmp_path)
    Path("person").touch()
    assert not is_found(Path("person"))
