"""Pose transfer: poses found, bones kept, and a video in which the person of an image moves."""

import re
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import vidgan
from tests.support import skeletons
from tests.support.commands import SAMPLES
from tests.support.tiny_models import info_of, model_file, open_step, person_model
from vidgan.cli import cli
from vidgan.errors import InputError, ModelError, ModelNotFoundError, OutputExistsError
from vidgan.media.body_parts import Floats, body_unit, facing, turned
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage
from vidgan.media.pose_file import read_poses
from vidgan.media.posed_frame import PosedFrame
from vidgan.models.registry import find_model
from vidgan.provenance.check import check_file
from vidgan.session import Session
from vidgan.sources import open_source
from vidgan.tasks.animate import AnimateSettings
from vidgan.tasks.people.animator import Animator
from vidgan.tasks.people.badge import with_badge
from vidgan.tasks.people.clothes import dressed
from vidgan.tasks.people.detail import SourceDetail, detail_of
from vidgan.tasks.people.face import face_of
from vidgan.tasks.people.generator import PoseGenerator
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.people.pose_search import PoseSearch
from vidgan.tasks.people.retargeting import Driver, retargeted, source_lengths
from vidgan.tasks.people.source_person import SourcePerson, read_person

PERSON, DANCE = SAMPLES / "person.jpg", SAMPLES / "dance.mp4"
CONSENT = "who: nobody\nThe people in it do not exist"
_BONES = (3, 5), (4, 6), (5, 7), (6, 8), (11, 13), (12, 14), (13, 15), (14, 16)


def frames(count: int, *, step: int = 1) -> list[Frame]:
    with open_source(DANCE) as source:
        return list(islice(source, 0, count * step, step))


@pytest.fixture(scope="module")
def person() -> SourcePerson:
    return read_person(PERSON)


@pytest.fixture(scope="module")
def dancer() -> list[Floats]:
    """Key points of every sixth frame of the video."""
    finder = PoseFinder()
    found = [finder.find(frame.image) for frame in frames(7, step=6)]
    assert all(found)
    return [each.points for each in found if each is not None]


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return person_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


# Finding.


def test_a_person_is_found_from_head_to_foot(person: SourcePerson) -> None:
    nose, knee, ankle = person.points[0], person.points[13], person.points[15]
    assert nose[1] < person.points[3, 1] < person.points[11, 1] < knee[1] < ankle[1]
    assert person.points[3, 0] > person.points[4, 0], "it looks ahead, so its left is on the right"
    side = person.square.side
    inside = person.square.inside(person.points, 128)
    assert 0.6 < np.ptp(inside[:, 1]) / 128 < 0.85 and (inside[:, 1] > 0).all() and (inside[:, 1] < 128).all()
    assert person.crop(64).shape == (64, 64, 3) and side > 150


def test_what_is_behind_the_person_is_guessed(person: SourcePerson) -> None:
    column, row = person.points[[11, 12], :2].mean(0).astype(int)
    wall = person.pixels[row, 10].astype(int)
    assert np.abs(person.pixels[row, column].astype(int) - wall).max() > 40
    assert np.abs(person.background[row, column].astype(int) - wall).max() < 12
    assert np.abs(person.background[:, :20].astype(int) - person.pixels[:, :20]).max() <= 1


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.full((200, 200, 3), 128, np.uint8), "no person was found"),
        ("legs", "cut off"),
        ("portrait", "cut off or sits|no person was found"),
        ("small", "too small|no person was found"),
    ],
)
def test_images_that_show_no_whole_person_are_refused(image: object, words: str, tmp_path: Path) -> None:
    pixels = cv2.imread(str(PERSON))
    assert pixels is not None
    if isinstance(image, np.ndarray):
        pixels = image
    elif image == "legs":
        pixels = cv2.resize(pixels[40:165, 65:190], (512, 512))
    elif image == "portrait":
        pixels = cv2.resize(pixels[58:96, 110:148], (512, 512))
    else:
        small = cv2.resize(pixels, (44, 44), interpolation=cv2.INTER_AREA)
        pixels = cv2.copyMakeBorder(small, 8, 8, 8, 8, cv2.BORDER_REPLICATE)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    with pytest.raises(InputError, match=words):
        read_person(tmp_path / "a.png")
    with pytest.raises(InputError, match="no image"):
        read_person(DANCE)


# Retargeting.


def test_directions_are_the_drivers_and_lengths_the_sources(
    dancer: list[Floats], person: SourcePerson
) -> None:
    driver = Driver.first_seen(dancer[0])
    for points in dancer:
        driver = driver.seen(points)
    lengths = 1.5 * person.lengths
    for points in dancer:
        made = retargeted(points, driver, lengths, person.points)
        for start, end in _BONES:
            given, drawn = points[end, :2] - points[start, :2], made[end, :2] - made[start, :2]
            cosine = given @ drawn / np.linalg.norm(given) / np.linalg.norm(drawn)
            assert cosine > 0.999
            # In the round a bone is as long as the source's, whatever is seen of it.
            whole = np.linalg.norm(made[end] - made[start])
            assert any(abs(whole / each - 1) < 0.01 for each in lengths)


def test_feet_stay_on_the_ground(dancer: list[Floats], person: SourcePerson) -> None:
    driver = Driver.first_seen(dancer[0])
    ground = person.points[[15, 16, 17, 18], 1].max()
    for points in dancer:
        driver = driver.seen(points)
        made = retargeted(points, driver, person.lengths, person.points)
        assert made[[15, 16, 17, 18], 1].max() <= ground + 0.01
        assert made[[15, 16, 17, 18], 1].max() > ground - 0.6 * body_unit(person.points)
    risen = dancer[-1] - np.array([0, 0.5 * body_unit(dancer[-1]), 0], np.float32)
    lifted = retargeted(risen, driver, person.lengths, person.points)
    rise = made[15, 1] - lifted[15, 1]
    assert rise > 0.3 * body_unit(person.points)


def test_ones_own_pose_stays(person: SourcePerson) -> None:
    driver = Driver.first_seen(person.points)
    made = retargeted(person.points, driver, source_lengths(person.points), person.points)
    off = np.linalg.norm(made[:, :2] - person.points[:, :2], axis=1) / body_unit(person.points)
    assert np.median(off) < 0.1 and off.max() < 0.35


# Frames.


def posed(points: Floats | None, number: int) -> PosedFrame:
    blank = RgbImage(np.zeros((64, 64, 3), np.uint8))
    return PosedFrame(image=blank, pts=number, time_base=Fraction(1, 25), points=points)


class Recorder(PoseGenerator):
    """A generator that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Floats] = []

    def generate(self, points: Floats) -> np.ndarray:
        self.asked.append(points)
        return np.zeros((48, 48, 3), np.uint8)


def test_a_lost_driver_is_held_and_said(dancer: list[Floats], person: SourcePerson) -> None:
    recorder = Recorder()
    animator = Animator(lambda: (recorder, person), 25.0, badge=False)
    for number, points in enumerate([dancer[0], dancer[0], None, None, dancer[0]]):
        animator.apply(posed(points, number), None)
    asked = recorder.asked
    assert np.array_equal(asked[1], asked[2]) and np.array_equal(asked[2], asked[3])
    (said,) = animator.warnings()
    assert "in 2 frames no person was found" in said and "0.08–0.12 s" in said


def test_a_driver_that_is_never_found_is_said(person: SourcePerson) -> None:
    recorder = Recorder()
    animator = Animator(lambda: (recorder, person), 25.0, badge=False)
    for number in range(2):
        animator.apply(posed(None, number), None)
    assert all(np.array_equal(each, person.points) for each in recorder.asked)
    assert animator.warnings() == [
        "no person was found to follow in any frame, so the person of the image stands as it is"
    ]


def test_a_sheet_says_where_the_driver_is_lost(dancer: list[Floats], person: SourcePerson) -> None:
    recorder = Recorder()
    recorder.people, recorder.background = [person], person.background
    animator = Animator(lambda: (recorder, person), 25.0, badge=False)
    sheet = animator.begin_sheet()
    for number in range(40):
        animator.apply(posed(None if number == 3 else dancer[0], number), None)
    assert sheet.summary == "poses of 40 frames, 1 of them without a person" and not recorder.asked
    assert sheet.draw().shape == (22 + 320 + 4 + 22 + 160 + 4 + 160 + 4 + 4, 6 * 164, 3)


def drawn(pixels: np.ndarray, number: int) -> Frame:
    return Frame(image=RgbImage(pixels), pts=number, time_base=Fraction(1, 25))


def test_a_drawn_skeleton_drives_as_its_person_does(dancer: list[Floats], person: SourcePerson) -> None:
    """With joints that are missing for a while, and a pause without any skeleton."""
    recorder, search = Recorder(), PoseSearch(PoseFinder())
    animator = Animator(lambda: (recorder, person), 25.0, badge=False)
    black = np.zeros((512, 512, 3), np.uint8)
    images = [skeletons.controlnet(2 * points, (512, 512)) for points in [dancer[0], dancer[3]]]
    armless = images[1].copy()
    elbow, wrist = (tuple(int(each) for each in 2 * dancer[3][place, :2]) for place in (5, 7))
    cv2.line(armless, elbow, wrist, (0, 0, 0), 14)
    for number, pixels in enumerate([*[images[0]] * 2, black, *[images[1]] * 6, armless, black]):
        animator.apply(search.apply(drawn(pixels, number)), None)
    asked = recorder.asked
    assert np.array_equal(asked[1], asked[2]) and np.array_equal(asked[-2], asked[-1])
    for start, end in _BONES[4:]:
        given, made = (each[end, :2] - each[start, :2] for each in (dancer[3], asked[8]))
        assert given @ made / np.linalg.norm(given) / np.linalg.norm(made) > 0.95
    assert np.abs(asked[9][[5, 7, 9]] - asked[8][[5, 7, 9]]).max() < 0.2 * body_unit(person.points)
    styles, held = animator.warnings()
    assert "drawn skeletons (ControlNet, 18 points)" in styles and "in 2 frames no person" in held


def test_a_drawing_that_cannot_be_read_is_said(dancer: list[Floats], person: SourcePerson) -> None:
    animator = Animator(lambda: (Recorder(), person), 25.0, badge=False)
    search = PoseSearch(PoseFinder())
    unknown = drawn(skeletons.mediapipe(2 * dancer[0], (512, 512)), 0)
    with pytest.raises(InputError, match=r"not those of a known skeleton.*give its poses as JSON"):
        animator.apply(search.apply(unknown), None)
    animator.apply(search.apply(drawn(skeletons.coco(2 * dancer[0], (512, 512)), 1)), None)
    animator.apply(search.apply(unknown), None)
    assert "in 1 frame no person" in animator.warnings()[1]


def test_a_resumed_video_goes_on_as_it_was(dancer: list[Floats], person: SourcePerson) -> None:
    whole, second = Recorder(), Recorder()
    first = Animator(lambda: (whole, person), 25.0, badge=False)
    later = Animator(lambda: (second, person), 25.0, badge=False)
    for number, points in enumerate(dancer):
        if number == 3:
            later.state = first.state
        if number >= 3:
            later.apply(posed(points, number), None)
        first.apply(posed(points, number), None)
    assert all(np.array_equal(a, b) for a, b in zip(whole.asked[3:], second.asked, strict=True))


def test_the_person_is_where_the_pose_is(generator: Path, person: SourcePerson) -> None:
    (frame,) = frames(1)
    opened = open_step(AnimateSettings(model=str(generator), person=PERSON, badge="off"), info_of(256, 256))
    assert opened.output_info.width == 256 and opened.is_temporal
    step = opened.step
    assert step.effect is not None and step.temporal_filter is not None
    shown = step.temporal_filter.apply(step.effect.apply(frame), None)
    assert shown.size == (256, 256) and shown.pts == frame.pts
    changed = np.abs(shown.pixels.astype(int) - person.background).max(2) > 25
    rows, columns = np.nonzero(changed)
    middle = person.points[[3, 4, 11, 12], :2].mean(0)
    assert abs(columns.mean() - middle[0]) < 20 and abs(rows.mean() - middle[1]) < 40
    assert not changed[:, :40].any()


def identity(side: int, *, sure: float) -> Floats:
    """A correspondence of an image with itself."""
    steps = (np.arange(side, dtype=np.float32) + 0.5) / side
    columns, rows = np.meshgrid(steps, steps)
    return np.stack([columns, rows, np.full_like(rows, sure)], 2)


def test_detail_that_the_source_shows_comes_back(person: SourcePerson) -> None:
    full = round(person.square.side)
    image, mask = person.crop(full), person.mask_crop(full)
    detail = detail_of(person, 64)
    assert detail is not None and detail_of(person, full) is None
    small = person.crop(64)
    inside = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0

    def error(made: np.ndarray) -> float:
        return float(np.square(made.astype(float) - image)[inside].mean())

    enlarged = np.rint(detail.enlarged(small)).clip(0, 255)
    assert error(detail.added(small, identity(32, sure=1.0))) < 0.2 * error(enlarged)
    assert np.array_equal(detail.added(small, identity(32, sure=0.5)), enlarged)
    assert np.abs(detail.added(small, identity(32, sure=1.0)).astype(int) - enlarged)[mask == 0].max() <= 1


def test_detail_moves_with_what_it_belongs_to(person: SourcePerson) -> None:
    full = round(person.square.side)
    image, mask = person.crop(full), person.mask_crop(full)
    moved = np.array([[1, 0, 12], [0, 1, 0]], np.float32)
    shifted, shifted_mask = (cv2.warpAffine(each, moved, (full, full)) for each in (image, mask))
    small = cv2.resize(shifted, (64, 64), interpolation=cv2.INTER_AREA)
    correspondence = identity(32, sure=1.0)
    correspondence[:, :, 0] -= 12 / full
    inside = cv2.erode(shifted_mask, np.ones((9, 9), np.uint8)) > 0
    detail = SourceDetail(image, mask, 64)
    kept = np.square(detail.added(small, correspondence).astype(float) - shifted)[inside].mean()
    lost = np.square(detail.enlarged(small) - shifted)[inside].mean()
    assert kept < 0.5 * lost


def test_a_face_is_put_where_it_is_shown(person: SourcePerson) -> None:
    full = 3 * round(person.square.side)
    face = face_of(person, full)
    assert face is not None and person.face is not None
    image, blurred = person.crop(full), cv2.GaussianBlur(person.crop(full), (0, 0), 6)
    width, height = person.face.box[2:]
    scale = full / person.square.side
    column, row = person.square.inside(person.face.box[np.newaxis, :2], full)[0]
    half = 0.3 * scale * min(width, height)
    box = np.s_[int(row - half) : int(row + half), int(column - half) : int(column + half)]
    far = np.s_[int(row - 4 * half) : int(row + 4 * half), int(column - 4 * half) : int(column + 4 * half)]

    def error(made: np.ndarray, wanted: np.ndarray) -> float:
        return float(np.square(made.astype(float) - wanted)[box].mean())

    kept = face.added(blurred, identity(256, sure=1.0))
    assert error(kept, image) < 0.2 * error(blurred, image)
    changed = (kept != blurred).any(2)
    assert changed[far].any()
    changed[far] = False
    assert not changed.any()
    # It moves with what the generator shows of it, and a head that is turned is not a face that moves.
    correspondence = identity(256, sure=1.0)
    correspondence[:, :, 0] -= 9 / full
    moved = face.added(blurred, correspondence)
    assert error(np.roll(moved, -9, 1), image) < 0.3 * error(blurred, image)
    correspondence[:, :, 0] = 2 * column / full - identity(256, sure=1.0)[:, :, 0]
    assert np.array_equal(face.added(blurred, correspondence), blurred)
    assert np.array_equal(face.added(blurred, identity(256, sure=0.3)), blurred)


def test_each_pose_is_made_of_the_image_that_faces_as_it_does(generator: Path, person: SourcePerson) -> None:
    behind = replace(person, pixels=255 - person.pixels, points=turned(person.points, 180))
    session = Session(find_model(str(generator), precision="float32"), device="cpu", threads=1)
    both = PoseGenerator(session, [person, behind], 64)
    one, other = (PoseGenerator(session, [each], 64) for each in (person, behind))
    for degrees, alone in ((30, one), (150, other), (-150, other)):
        points = turned(person.points, degrees)
        drawn, expected = both.drawn(points), alone.drawn(points)
        assert np.allclose(drawn.pixels, expected.pixels) and np.allclose(drawn.mask, expected.mask)
    aside = both.drawn(turned(person.points, 90))
    inside = aside.mask[:, :, 0] > 0.9
    mixed = (one.drawn(turned(person.points, 90)).pixels + other.drawn(turned(person.points, 90)).pixels) / 2
    assert inside.any() and np.abs(aside.pixels - mixed)[inside].mean() < 25


def test_clothes_are_another_persons(person: SourcePerson, tmp_path: Path) -> None:
    """The same body in other colors wears them; head, hands and what is behind stay."""
    other = replace(person, pixels=np.ascontiguousarray(person.pixels[:, :, ::-1] // 2))
    session = Session(find_model("person", precision="float32"), device="cpu", threads=1)
    worn = dressed(session, 128, person, other)
    points = person.points[:, :2]
    neck, pelvis = points[[3, 4]].mean(0), points[[11, 12]].mean(0)
    for start, end in ((neck, pelvis), (points[11], points[13]), (points[4], points[6])):
        place = tuple((start + 0.5 * (end - start)).round().astype(int)[::-1])
        off = [
            np.linalg.norm(worn.pixels[place].astype(float) - each.pixels[place]) for each in (person, other)
        ]
        assert off[1] < 30 and off[1] < 0.6 * off[0]
    column, row = points[0].round().astype(int)
    face = np.s_[row - 4 : row + 3, column - 3 : column + 4]
    assert np.abs(worn.pixels[face].astype(int) - person.pixels[face]).max() < 25
    assert np.abs(worn.pixels[:, :30].astype(int) - person.pixels[:, :30]).max() <= 1
    same = dressed(session, 128, person, person)
    inside = cv2.erode(person.mask, np.ones((7, 7), np.uint8)) > 0
    assert np.abs(same.pixels.astype(int) - person.pixels)[inside].mean() < 12
    nobody = tmp_path / "nobody.png"
    cv2.imwrite(str(nobody), np.full((200, 200, 3), 128, np.uint8))
    opened = open_step(AnimateSettings(person=PERSON, clothes=nobody), info_of(256, 256))
    assert opened.step.temporal_filter is not None
    with pytest.raises(InputError, match=r"nobody\.png: no person was found"):
        opened.step.temporal_filter.apply(posed(None, 0), None)


def pair(generator: PoseGenerator, person: SourcePerson) -> tuple[PoseGenerator, SourcePerson]:
    return generator, person


def test_the_person_is_turned_as_far_as_is_asked(person: SourcePerson, generator: Path) -> None:
    session = Session(find_model(str(generator), precision="float32"), device="cpu", threads=1)
    driven = PoseGenerator(session, [person], 64)
    for degrees, words in ((30, None), (-90, r"up to [89]\d degrees")):
        recorder = Recorder()
        recorder.degrees_from_images = driven.degrees_from_images  # type: ignore[method-assign]
        animator = Animator(partial(pair, recorder, person), 25.0, badge=False, yaw=degrees)
        animator.apply(posed(person.points, 0), None)
        (points,) = recorder.asked
        assert abs(np.degrees(facing(points) - facing(person.points)) - degrees) < 15
        wide, narrow = (np.abs(each[3, 0] - each[4, 0]) for each in (person.points, points))
        assert abs(narrow / wide - abs(np.cos(np.radians(degrees)))) < 0.2
        assert np.allclose(points[[15, 16], 1], person.points[[15, 16], 1], atol=8)
        said = animator.warnings()
        assert not said if words is None else re.search(words, said[0])
    for wrong in (float("nan"), 181.0, -400.0):
        with pytest.raises(InputError, match="yaw must be between -180 and 180"):
            AnimateSettings(person=PERSON, yaw=wrong)


def test_the_badge_is_in_its_corner() -> None:
    gray = np.full((120, 160, 3), 150, np.uint8)
    marked = with_badge(gray)
    changed = (marked != gray).any(2)
    rows, columns = np.nonzero(changed)
    assert rows.max() < 40 and columns.min() > 100 and marked.max() > 220 and (gray == 150).all()


# The whole way.


def test_the_bundled_generator_carries_clothes_along(person: SourcePerson) -> None:
    opened = open_step(AnimateSettings(person=PERSON, badge="off"), info_of(256, 256))
    step = opened.step
    assert step.effect is not None and step.temporal_filter is not None
    finder, shirts = PoseFinder(), person.pixels[90:110, 122:136].reshape(-1, 3).astype(float)
    for frame in frames(3, step=15):
        shown = step.temporal_filter.apply(step.effect.apply(frame), None)
        found = finder.find(shown.image)
        driver = finder.find(frame.image)
        assert found is not None and driver is not None
        between = found.points[[11, 12], :2].mean(0) - found.points[[3, 4], :2].mean(0)
        column, row = (found.points[[3, 4], :2].mean(0) + 0.4 * between).astype(int)
        torso = shown.pixels[row - 5 : row + 5, column - 5 : column + 5].reshape(-1, 3).astype(float)
        assert np.abs(torso.mean(0) - shirts.mean(0)).max() < 30, "the shirt is the source's"
        for start, end in _BONES[4:]:
            one, two = (each.points[end, :2] - each.points[start, :2] for each in (found, driver))
            assert one @ two / np.linalg.norm(one) / np.linalg.norm(two) > 0.8, "the legs are the driver's"


def test_a_video_is_made_signed_and_says_who_agreed(generator: Path, tmp_path: Path, own_key: object) -> None:
    out = tmp_path / "out.mp4"
    command = ["animate", PERSON, "--like", DANCE, "--model", generator, "-o", out, "--frames", 6]
    done = CliRunner().invoke(cli, [*map(str, command), "--consent", CONSENT])
    assert done.exit_code == 0, done.output
    with open_source(out) as source:
        assert (source.info.width, source.info.height) == (256, 256)
        assert len(list(source)) == 6
    found = check_file(out)
    assert found.intact and found.mark_agrees and found.manifest is not None
    consent = found.manifest.consent
    assert consent is not None and consent.who == "nobody"


def test_a_file_of_poses_drives_as_its_video_does(generator: Path, tmp_path: Path, own_key: object) -> None:
    poses, out = tmp_path / "poses.json", tmp_path / "out.mp4"
    written = CliRunner().invoke(cli, ["poses", str(DANCE), "-o", str(poses), "-q"])
    assert written.exit_code == 0 and "45 frames" in written.output
    again = CliRunner().invoke(cli, ["poses", str(DANCE), "-o", str(poses), "-q"])
    assert isinstance(again.exception, OutputExistsError)
    found = [PoseFinder().find(frame.image) for frame in frames(3, step=6)]
    with open_source(poses) as source:
        read = [frame for frame in source if frame.pts % 6 == 0]
    for one, other in zip(found, read, strict=False):
        assert isinstance(other, PosedFrame) and one is not None and other.points is not None
        assert np.abs(one.points - other.points).max() < 0.02
    command = ["animate", PERSON, "--like", poses, "--model", generator, "-o", out, "--frames", 4]
    done = CliRunner().invoke(cli, [*map(str, command), "--consent", CONSENT])
    assert done.exit_code == 0, done.output
    with open_source(out) as result:
        assert result.info.width == 256 and result.info.frame_rate == 15 and len(list(result)) == 4


def test_drawn_skeletons_are_written_as_poses(dancer: list[Floats], tmp_path: Path) -> None:
    images, poses = tmp_path / "skeletons", tmp_path / "poses.json"
    images.mkdir()
    doubled = [2 * each for each in dancer[:2]]
    drawings = [
        *(skeletons.controlnet(each, (512, 512)) for each in doubled),
        np.zeros((512, 512, 3), np.uint8),
    ]
    for number, pixels in enumerate(drawings):
        cv2.imwrite(str(images / f"{number}.png"), pixels[:, :, ::-1])
    written = CliRunner().invoke(cli, ["poses", str(images), "-o", str(poses)])
    assert written.exit_code == 0 and "3 frames, 1 of them without a person" in written.output, written.output
    assert f"{images}: shows drawn skeletons (ControlNet, 18 points)" in written.output
    first, second, third = read_poses(poses).frames
    for found, points in ((first, doubled[0]), (second, doubled[1])):
        assert found is not None
        off = np.linalg.norm(found[3:9, :2] - points[3:9, :2], axis=1)
        assert off.max() < 0.2 * body_unit(points)
    assert third is None
    cv2.imwrite(str(images / "0.png"), skeletons.mediapipe(doubled[0], (512, 512))[:, :, ::-1])
    refused = CliRunner().invoke(cli, ["poses", str(images), "-o", str(poses), "-f"])
    assert isinstance(refused.exception, InputError) and "give its poses as JSON" in str(refused.exception)
    assert read_poses(poses).frames[2] is None


def test_a_preview_shows_poses_and_no_person(generator: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "poses.png"
    command = ["animate", PERSON, "--like", DANCE, "--model", generator, "--frames", 12, "--preview", sheet]
    done = CliRunner().invoke(cli, [*map(str, command), "--consent", CONSENT])
    assert done.exit_code == 0 and "poses of 12 frames" in done.output, done.output
    assert [each.name for each in tmp_path.iterdir()] == [sheet.name]
    pixels = cv2.imread(str(sheet))
    assert pixels is not None
    saturation = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)[:, :, 1]
    driver, person = saturation[-328:-168], saturation[-164:-4]
    for row in (driver, person):
        columns = [row[:, 164 * number : 164 * number + 160] > 180 for number in range(6)]
        assert all(40 < each.sum() < 4000 for each in columns), "each frame has a skeleton"
    below = pixels[-164:-4, :160]
    clothes = (below.max(2) < 90).sum()
    assert clothes < 20, "and the person does not stand there, only the skeleton"


def test_an_image_drives_too(generator: Path, tmp_path: Path, own_key: object) -> None:
    image, out = tmp_path / "pose.png", tmp_path / "out.png"
    cv2.imwrite(str(image), frames(1)[0].pixels[:, :, ::-1])
    command = ["animate", PERSON, "--like", image, "--model", generator, "-o", out, "--consent", CONSENT]
    done = CliRunner().invoke(cli, [*map(str, command)])
    assert done.exit_code == 0, done.output
    made = cv2.imread(str(out))
    assert made is not None and made.shape == (256, 256, 3)


def test_what_is_missing_is_said(generator: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(InputError, match="consent is missing"):
        vidgan.animate(DANCE, out, person=PERSON, model=str(generator))
    with pytest.raises(InputError, match="person is missing"):
        vidgan.animate(DANCE, out, model=str(generator), consent=CONSENT)
    with pytest.raises(ModelError, match="where faces are"):
        vidgan.animate(DANCE, out, person=PERSON, model=str(generator), consent=CONSENT, keep_face=True)
    with pytest.raises(InputError, match=r"back\.jpg: cannot be read"):
        vidgan.animate(DANCE, out, person=PERSON, model=str(generator), consent=CONSENT, views="back.jpg")
    with pytest.raises(InputError, match="cannot be left out"):
        vidgan.animate(DANCE, out, person=PERSON, model=str(generator), credentials=False)
    with pytest.raises(ModelNotFoundError, match=r"no model called 'peron'; did you mean 'person'"):
        vidgan.animate(DANCE, out, person=PERSON, model="peron", consent=CONSENT)
    wrong = model_file(tmp_path / "faces.onnx", "deidentify")
    with pytest.raises(ModelError, match="deidentify"):
        vidgan.animate(DANCE, out, person=PERSON, model=str(wrong), consent=CONSENT)
    assert not out.exists()
