"""Faces are followed without a gap, and hidden without a change outside."""

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidgan.errors import InputError
from vidgan.media.image import Image, RgbImage, YuvImage
from vidgan.media.one_euro import smoothed
from vidgan.tasks.faces.box import likeness, overlap
from vidgan.tasks.faces.deidentification import Deidentifier, Stretches, stretches
from vidgan.tasks.faces.finder import FoundFace
from vidgan.tasks.faces.hiding import CELLS, ellipse, hide
from vidgan.tasks.faces.identity import Identities, normal_numbers, read_secret
from vidgan.tasks.faces.tracking import EXTENSION, ComingFaces, SearchedFrame, Tracker, area_of
from vidgan.temporal.look_ahead import LookAhead
from vidgan.temporal.motion import MotionEstimate

SIZE = 160, 96
RATE = 25.0
STILL = MotionEstimate(
    scene_cut=False,
    flow=np.zeros((24, 40, 2), np.float32),
    static_mask=np.ones((24, 40), np.bool_),
    confidence=np.ones((24, 40), np.float32),
    brightness_change=np.zeros((24, 40), np.float32),
)
CUT = MotionEstimate(**{name: getattr(STILL, name) for name in (
    "flow", "static_mask", "confidence", "brightness_change")}, scene_cut=True)  # fmt: skip


def noise(seed: int = 0) -> RgbImage:
    values = np.random.default_rng(seed).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    return RgbImage(values)


def found(column: float, row: float = 48.0, *, size: float = 24.0, score: float = 0.9) -> FoundFace:
    box = np.array([column, row, size, size * 1.2], np.float32)
    return FoundFace(box, np.zeros((5, 2), np.float32), score)


def frames(faces: Iterable[list[FoundFace]], image: Image | None = None) -> list[SearchedFrame]:
    return [
        SearchedFrame(image=image or noise(), pts=pts, time_base=Fraction(1, 25), found=tuple(each))
        for pts, each in enumerate(faces)
    ]


def followed(shown: list[SearchedFrame], ahead: int = 25, cuts: tuple[int, ...] = ()) -> list[list[int]]:
    """Numbers of the tracks in each frame, with the look-ahead of a chain."""
    tracker, look_ahead = Tracker(RATE, looks_ahead=ahead > 0), LookAhead(ahead, ComingFaces)
    motions = [None, *(CUT if number in cuts else STILL for number in range(1, len(shown)))]
    numbers = []
    for number in range(len(shown)):
        window = slice(number, number + ahead + 1)
        frame = look_ahead.anticipate(shown[window], motions[window])
        assert isinstance(frame, SearchedFrame)
        numbers.append([track.number for track in tracker.update(frame, motions[number])])
    return numbers


# Tracking.


def test_a_gap_of_a_second_is_bridged_as_the_same_track() -> None:
    gap = [[found(40)]] * 3 + [[]] * 24 + [[found(46)]] * 3
    assert followed(frames(gap)) == [[1]] * 30


def test_a_longer_gap_is_two_tracks_whose_ends_are_extended() -> None:
    gap = [[found(40)]] * 3 + [[]] * 40 + [[found(40)]] * 3
    here: list[list[int]] = [[1]] * (3 + EXTENSION)
    nothing: list[list[int]] = [[]] * (40 - 2 * EXTENSION)
    assert followed(frames(gap)) == here + nothing + [[2]] * (EXTENSION + 3)


def test_without_look_ahead_a_lost_face_stays_hidden_for_a_second() -> None:
    gone = [[found(40)]] * 2 + [[]] * 40
    assert followed(frames(gone), ahead=0) == [[1]] * 27 + [[]] * 15


def test_a_scene_cut_ends_all_tracks_and_begins_others() -> None:
    shown = frames([[found(40)]] * 4 + [[found(42)]] * 4 + [[]] * 4 + [[found(90)]] * 2)
    # The face of the last scene is not expected in the one before.
    assert followed(shown, cuts=(4, 8, 12)) == [[1]] * 4 + [[2]] * 4 + [[]] * 4 + [[3]] * 2


@pytest.mark.parametrize("seen", [False, True])
def test_a_flash_of_light_between_two_cuts_does_not_show_a_face(seen: bool) -> None:
    face = [[found(40)]]
    shown = frames(face * 4 + (face if seen else [[]]) * 3 + face * 4)
    assert followed(shown, cuts=(4, 7)) == [[1]] * 11
    # Without look-ahead a lost face stays hidden for a second, whatever comes.
    assert followed(shown, cuts=(4, 7), ahead=0) == [[1]] * 11


def test_a_face_that_comes_back_much_later_or_elsewhere_is_not_hidden_in_another_scene() -> None:
    later = frames([[found(40)]] * 4 + [[]] * 14 + [[found(40)]] * 2)
    assert followed(later, cuts=(4, 18)) == [[1]] * 4 + [[]] * 14 + [[2]] * 2
    elsewhere = frames([[found(40)]] * 4 + [[]] * 3 + [[found(90)]] * 2)
    assert followed(elsewhere, cuts=(4, 7)) == [[1]] * 4 + [[]] * 3 + [[2]] * 2


def test_two_faces_keep_their_numbers_while_they_come_near() -> None:
    moving = [[found(30 + 2 * n), found(130 - 2 * n, 52)] for n in range(15)]
    assert followed(frames(moving)) == [[1, 2]] * 15


def test_what_may_be_a_face_counts_only_where_one_was() -> None:
    doubtful = [[found(40, score=0.4)]] * 3
    assert followed(frames(doubtful), ahead=0) == [[]] * 3
    kept = [[found(40)], *doubtful]
    assert followed(frames(kept), ahead=0) == [[1]] * 4


def test_a_lost_face_moves_with_the_video_and_grows() -> None:
    tracker = Tracker(RATE, looks_ahead=False)
    first, *later = frames([[found(40)], [], [], []])
    (track,) = tracker.update(first, None)
    # Flow leads from the later frame to the earlier one, in cells of 4 pixels: 2 pixels to the right each.
    flow = np.zeros((24, 40, 2), np.float32)
    flow[..., 0] = -0.5
    motion = MotionEstimate(**{name: getattr(STILL, name) for name in (
        "scene_cut", "static_mask", "confidence", "brightness_change")}, flow=flow)  # fmt: skip
    for frame in later:
        (moved,) = tracker.update(frame, motion)
    assert moved.box[0] - track.box[0] == pytest.approx(6, abs=0.01)
    assert (area_of(moved)[2:] > area_of(track)[2:]).all()


def test_what_is_hidden_holds_the_box_that_was_found_however_fast_it_moves() -> None:
    tracker = Tracker(RATE, looks_ahead=False)
    for frame in frames([[found(30 + 7 * n)] for n in range(12)]):
        (track,) = tracker.update(frame, STILL)
        area, box = area_of(track), frame.found[0].box
        assert (np.abs(area[:2] - box[:2]) <= (area[2:] - box[2:]) / 2 + 1e-3).all()


def test_the_state_continues_a_tracker_exactly() -> None:
    random = np.random.default_rng(3)
    faces = [[found(40 + n + random.normal())] if random.random() < 0.7 else [] for n in range(40)]
    shown = frames(faces)

    def outputs(deidentifier: Deidentifier, some: list[SearchedFrame]) -> list[np.ndarray]:
        return [deidentifier.apply(frame, STILL).pixels for frame in some]

    def new() -> Deidentifier:
        return Deidentifier(Tracker(RATE, looks_ahead=False), "pixelate")

    whole = outputs(new(), shown)
    first, second = new(), new()
    begun = outputs(first, shown[:17])
    second.state = first.state
    assert all((a == b).all() for a, b in zip(begun + outputs(second, shown[17:]), whole, strict=True))
    second.state = None
    assert (outputs(second, shown[:1])[0] == whole[0]).all()


def test_boxes_are_alike_by_their_overlap_or_their_middles() -> None:
    a, b, far = (np.array([x, 0, 10, 10], np.float32) for x in (0, 5, 40))
    assert overlap(a, b) == pytest.approx(1 / 3) and likeness(a, b) >= overlap(a, b)
    assert likeness(a, a) == 1 and likeness(a, far) <= 0


def test_the_one_euro_filter_stills_noise_and_follows_motion() -> None:
    random = np.random.default_rng(0)
    noisy = 50 + random.normal(0, 1, (200, 2)).astype(np.float32)
    value, speed = noisy[0], np.zeros(2, np.float32)
    still = []
    for each in noisy[1:]:
        value, speed = smoothed(each, value, speed, rate=RATE, unit=50)
        still.append(value)
    assert np.std(still[20:]) < 0.6 * np.std(noisy[20:])
    for n in range(40):
        target = np.array([50 + 10 * n, 50], np.float32)
        value, speed = smoothed(target, value, speed, rate=RATE, unit=50)
    assert abs(value[0] - target[0]) < 10


# Hiding.


@pytest.mark.parametrize("way", ["pixelate", "blur"])
@pytest.mark.parametrize("size", [(160, 96), (161, 97)])
@pytest.mark.parametrize("yuv", [False, True])
def test_only_the_ellipse_of_a_face_changes(way: str, size: tuple[int, int], yuv: bool) -> None:
    width, height = size
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image: Image = YuvImage.from_rgb(pixels) if yuv else RgbImage(pixels)
    box = np.array([61.3, 50.2, 40, 50], np.float32)
    place = ellipse(box, size)
    assert place is not None
    hidden = hide(image, [place], way)  # type: ignore[arg-type]
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot((columns - box[0]) / 20, (rows - box[1]) / 25)
    for before, after, reach in _planes(image, hidden):
        near = distance if before.shape[:2] == distance.shape else distance[::2, ::2]
        assert (before == after)[near > reach].all()
        inside = near < 1.2
        assert np.abs(before.astype(int) - after)[inside].mean() > 10
        if way == "pixelate":
            values = np.unique(after[inside].reshape(inside.sum(), -1), axis=0)
            assert len(values) <= CELLS**2


def _planes(before: Image, after: Image) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Pairs of planes, and the distance beyond which they have to be equal."""
    if isinstance(before, YuvImage):
        assert isinstance(after, YuvImage) and after.chroma_location == before.chroma_location
        return [(before.luma, after.luma, 1.51), (before.chroma, after.chroma, 1.6)]
    return [(before.pixels, after.pixels, 1.51)]


def test_a_face_that_the_border_cuts_off_is_hidden_in_cells_of_the_same_size() -> None:
    box = np.array([2, 48, 40, 48], np.float32)
    place = ellipse(box, SIZE)
    assert place is not None and place.left == 0
    hidden = hide(noise(), [place], "pixelate").pixels
    steps = np.flatnonzero((hidden[48, 1:22] != hidden[48, :21]).any(1))
    assert len(steps) and np.diff(steps).min() >= 40 * 1.5 / CELLS - 2
    assert ellipse(np.array([-80, 48, 40, 48], np.float32), SIZE) is None


def test_a_blurred_face_keeps_no_detail() -> None:
    place = ellipse(np.array([80, 48, 40, 48], np.float32), SIZE)
    assert place is not None
    hidden = hide(noise(), [place], "blur").pixels[40:56, 70:90].astype(int)
    assert np.abs(np.diff(hidden, axis=1)).max() <= 3


# Who faces become.


def test_numbers_are_those_of_the_published_construction() -> None:
    numbers = normal_numbers(b"secret", "1/0", 5)
    import hashlib
    import hmac

    stream = b"".join(hmac.new(b"secret", f"1/0/{n}".encode(), hashlib.sha256).digest() for n in range(2))
    a, b = (each >> 11 for each in struct.unpack(">2Q", stream[:16]))
    radius, angle = np.sqrt(-2 * np.log(1 - a / 2**53)), 2 * np.pi * b / 2**53
    assert numbers[:2] == pytest.approx([radius * np.cos(angle), radius * np.sin(angle)], abs=1e-6)
    many = normal_numbers(b"secret", "2/0", 20_001)
    assert len(many) == 20_001 and abs(many.mean()) < 0.03 and abs(many.std() - 1) < 0.02


def test_tracks_get_codes_of_their_own_whatever_the_order() -> None:
    one, other = Identities(b"a" * 32, 24), Identities(b"a" * 32, 24)
    third = one.of(3)
    assert (other.of(1) == one.of(1)).all() and (other.of(3) == third).all()
    codes = np.stack([one.of(number) for number in range(1, 7)])
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    assert (codes @ codes.T)[np.triu_indices(6, 1)].max() <= 0.35
    assert (Identities(b"b" * 32, 24).of(1) != one.of(1)).any()


def test_a_salt_is_read_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIDGAN_SALT", raising=False)
    assert read_secret(None) != read_secret(None)
    salt = tmp_path / "salt"
    salt.write_bytes(b"0123456789abcdef")
    monkeypatch.setenv("VIDGAN_SALT", "0123456789abcdef")
    assert read_secret(None) == read_secret(salt)
    salt.write_bytes(b"short")
    with pytest.raises(InputError, match="salt: a salt has at least 16 bytes"):
        read_secret(salt)
    with pytest.raises(InputError, match="cannot read the salt"):
        read_secret(tmp_path / "nowhere")


def test_times_are_named_as_stretches() -> None:
    assert stretches([0.04, 0.08, 3.4]) == "0.04–0.08 s, 3.40 s"
    assert stretches([2.0 * n for n in range(11)]).endswith("14.00 s and 3 more stretches")
    begun = Stretches()
    begun.add(0.04)
    begun.add(3.4)
    rest = Stretches(begun.array)
    rest.add(3.48)
    assert rest.count == 3 and str(rest) == "0.04 s, 3.40–3.48 s"
