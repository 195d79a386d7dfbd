"""The vault of de-identified videos: its encryption is attacked, and its bytes are changed."""

from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from vidgan.errors import InputError, OutputError
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage, YuvImage
from vidgan.tasks import reveal
from vidgan.tasks.faces.hiding import ellipse
from vidgan.tasks.faces.tracking import Track, area_of
from vidgan.tasks.faces.vault import cipher, decoys, opened, recorder
from vidgan.tasks.faces.vault import crops as crops_module
from vidgan.tasks.faces.vault.cipher import FRESH_BYTES, VaultKeys, derive_keys, new_salt, seal, unseal
from vidgan.tasks.faces.vault.crops import MARGIN, cut, window
from vidgan.tasks.faces.vault.decoys import Decoys
from vidgan.tasks.faces.vault.layout import (
    HEADER_BYTES,
    CropPlace,
    EncodedCrops,
    Layout,
    begun_at,
    pack_clips,
    pack_public,
    padded_length,
    read_layout,
    unpack_clips,
)
from vidgan.tasks.faces.vault.opened import OpenedVault
from vidgan.tasks.faces.vault.passcode import PASSCODE_VARIABLE, Passcode
from vidgan.tasks.faces.vault.pasting import scale_between
from vidgan.tasks.faces.vault.recorder import VaultRecorder
from vidgan.tasks.reveal import Revealing

CODE = Passcode("of the tests")
KEYS = VaultKeys(b"k" * 32, b"i" * 32)
WIDTH, HEIGHT = 160, 120
FRAME_MICROSECONDS = 40_000


@pytest.fixture(autouse=True)
def cheap_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cipher, "_SCRYPT_COST", 1 << 10)


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "SEGMENT_FRAMES", 4)


def frame_at(number: int) -> Frame:
    """A soft pattern that moves."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    waves = [np.sin((columns + 3 * number) / 17 + shift) * np.cos(rows / 13) for shift in (0, 1, 2)]
    pixels = (128 + 90 * np.stack(waves, 2)).astype(np.uint8)
    return Frame(image=YuvImage.from_rgb(pixels), pts=number, time_base=Fraction(1, 25))


def track_at(number: int, *, track: int = 1, left: float = 60) -> Track:
    box = np.array([left + number, 60, 30, 36], np.float32)
    return Track(track, box, np.zeros(4, np.float32), 0)


def recorded(count: int = 9, path: Path | None = None) -> bytes:
    """The vault of a video with two faces."""
    made = VaultRecorder(CODE, "pixelate", path)
    for number in range(count):
        made.add(frame_at(number), [track_at(number), track_at(number, track=2, left=100)])
    return made.finish()


def crops(data: bytes, passcode: Passcode = CODE, count: int = 9) -> list[YuvImage | None]:
    vault = OpenedVault(data, passcode)
    return [
        crop
        for number in range(count)
        for _, crop in vault.faces_at(number * FRAME_MICROSECONDS, FRAME_MICROSECONDS)
    ]


# Passcodes.


def test_a_passcode_has_a_least_length_and_shows_itself_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="at least 8 characters"):
        Passcode("seven77")
    assert "secret" not in repr(Passcode("very secret"))
    (tmp_path / "short").write_text("seven77\nmore")
    with pytest.raises(InputError, match=r"short: a passcode has at least 8"):
        Passcode.from_file(tmp_path / "short")
    with pytest.raises(InputError, match="cannot read the passcode"):
        Passcode.from_file(tmp_path / "missing")
    (tmp_path / "code").write_text("first line\r\nsecond line")
    assert Passcode.from_file(tmp_path / "code").data == b"first line"
    monkeypatch.setenv(PASSCODE_VARIABLE, "short")
    with pytest.raises(InputError, match=PASSCODE_VARIABLE):
        Passcode.from_environment()
    monkeypatch.delenv(PASSCODE_VARIABLE)
    with pytest.raises(InputError, match="a passcode is needed"):
        _ = Passcode.from_environment().data


def test_a_passcode_is_the_same_however_it_is_typed() -> None:
    assert Passcode("Z\u00fcrich 1900").data == Passcode("Zu\u0308rich 1900").data


# Encryption.


def test_a_key_needs_the_right_passcode_and_salt() -> None:
    salt = new_salt()
    assert derive_keys(CODE, salt) == derive_keys(Passcode("of the tests"), salt)
    others = [derive_keys(Passcode("of the tesT"), salt), derive_keys(CODE, new_salt())]
    known = {derive_keys(CODE, salt).crops, derive_keys(CODE, salt).identity}
    assert len(known | {key for keys in others for key in (keys.crops, keys.identity)}) == 6


def test_a_chunk_opens_at_its_place_only() -> None:
    sealed = seal(KEYS, 3, b"a face", b"places", last=False)
    assert unseal(KEYS, 3, sealed, b"places", last=False) == b"a face"
    assert unseal(KEYS, 2, sealed, b"places", last=False) is None
    assert unseal(KEYS, 3, sealed, b"places", last=True) is None
    assert unseal(KEYS, 3, sealed, b"placeS", last=False) is None
    assert unseal(VaultKeys(b"K" * 32, b""), 3, sealed, b"places", last=False) is None
    for length in range(len(sealed)):
        assert unseal(KEYS, 3, sealed[:length], b"places", last=False) is None


def test_a_key_and_a_nonce_never_meet_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[bytes, bytes]] = []

    class Watched:
        def __init__(self, key: bytes) -> None:
            self._key = key

        def encrypt(self, nonce: bytes, data: bytes, associated: bytes | None) -> bytes:
            used.append((self._key, nonce))
            return AESGCM(self._key).encrypt(nonce, data, associated)

    monkeypatch.setattr("cryptography.hazmat.primitives.ciphers.aead.AESGCM", Watched)
    # The same chunk again, as where a job is resumed, and others.
    for number in (0, 0, 0, 1, 2):
        for last in (False, True):
            seal(KEYS, number, b"a face", b"", last=last)
    assert len(set(used)) == len(used) == 10
    assert len({seal(KEYS, 0, b"a face", b"", last=True)[:FRESH_BYTES] for _ in range(50)}) == 50


def test_two_vaults_of_one_video_have_nothing_in_common() -> None:
    one, other = read_layout(recorded(5)), read_layout(recorded(5))
    assert one.header.salt != other.header.salt
    assert one.chunks[0].places == other.chunks[0].places
    assert one.chunks[0].sealed[:64] != other.chunks[0].sealed[:64]


def test_a_file_cannot_ask_for_more_work(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def watched(**options: object) -> object:
        asked.append((options["n"], options["r"], options["p"]))
        return Scrypt(**options)  # type: ignore[arg-type]

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.scrypt.Scrypt", watched)
    for seed in range(20):
        OpenedVault(np.random.default_rng(seed).bytes(400), CODE)
    assert set(asked) == {(1 << 10, 8, 1)}


# Layout.


def test_lengths_are_padded_to_coarse_steps() -> None:
    lengths = {padded_length(each) for each in range(1, 100_000)}
    assert len(lengths) < 40
    assert all(each <= padded_length(each) <= each * 1.13 + 1024 for each in range(1, 100_000, 7))


def test_clips_survive_packing() -> None:
    clips = [EncodedCrops((0, 2, 5), b"first"), EncodedCrops((1,), b""), EncodedCrops((), b"x" * 3000)]
    assert unpack_clips(pack_clips(clips)) == clips
    assert len(pack_clips(clips)) == padded_length(len(pack_clips(clips)))


def test_any_bytes_are_a_vault() -> None:
    whole = recorded(3)
    for length in [*range(0, HEADER_BYTES + 60, 7), len(whole) - 1]:
        assert crops(whole[:length]) == [None] * len(crops(whole[:length]))
    for seed in range(30):
        random = np.random.default_rng(seed)
        assert isinstance(read_layout(random.bytes(int(random.integers(0, 3000)))), Layout)


# Faces.


def test_the_right_passcode_brings_the_faces_back(short_chunks: None) -> None:
    data = recorded()
    assert len(read_layout(data).chunks) == 3
    found = crops(data)
    assert len(found) == 18
    vault = OpenedVault(data, CODE)
    for number in range(9):
        for place, crop in vault.faces_at(number * FRAME_MICROSECONDS, FRAME_MICROSECONDS):
            original = cut(frame_at(number).image, place)
            assert crop is not None
            error = np.mean((crop.luma.astype(float) - original.luma) ** 2)
            assert 10 * np.log10(255**2 / error) > 34


def test_crops_are_found_in_any_order(short_chunks: None) -> None:
    data = recorded()
    forwards = crops(data)
    vault = OpenedVault(data, CODE)
    for number in (7, 2, 2, 0, 8, 1):
        for at, (_, crop) in enumerate(vault.faces_at(number * FRAME_MICROSECONDS, FRAME_MICROSECONDS)):
            expected = forwards[2 * number + at]
            assert crop is not None and expected is not None
            assert (crop.luma == expected.luma).all()


def test_times_are_those_of_the_frames_and_of_none_between() -> None:
    vault = OpenedVault(recorded(), CODE)
    assert len(vault.faces_at(FRAME_MICROSECONDS + 9_000, FRAME_MICROSECONDS)) == 2
    assert vault.faces_at(FRAME_MICROSECONDS + 20_000, FRAME_MICROSECONDS) == []
    assert vault.faces_at(9 * FRAME_MICROSECONDS, FRAME_MICROSECONDS) == []
    later = OpenedVault(begun_at(recorded(), 5 * FRAME_MICROSECONDS), CODE)
    ((place, crop), _) = later.faces_at(0, FRAME_MICROSECONDS)
    assert place.time == 5 * FRAME_MICROSECONDS and crop is not None


def test_another_passcode_opens_nothing_and_says_nothing() -> None:
    data = recorded()
    right, wrong = OpenedVault(data, CODE), OpenedVault(data, Passcode("of the Tests"))
    assert crops(data, Passcode("of the Tests")) == [None] * 18
    assert right.identity_key != wrong.identity_key
    places = [vault.faces_at(0, FRAME_MICROSECONDS) for vault in (right, wrong)]
    assert [place for place, _ in places[0]] == [place for place, _ in places[1]]


def test_a_bit_changed_anywhere_is_another_passcode(short_chunks: None) -> None:
    data = recorded(6)
    assert None not in crops(data, count=6)
    layout = read_layout(data)
    edges = [0, 24, HEADER_BYTES, HEADER_BYTES + len(layout.chunks[0].public)]
    near = {each + step for each in edges for step in range(24)}
    bits = [8 * each + each % 8 for each in sorted(near | {*range(0, len(data), 61), len(data) - 1})]
    for bit in bits:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        vault = OpenedVault(bytes(changed), CODE)
        faces = [
            each for n in range(6) for each in vault.faces_at(n * FRAME_MICROSECONDS, FRAME_MICROSECONDS)
        ]
        assert len(faces) >= 11 and all(crop is None for _, crop in faces)


def revealed(data: bytes, passcode: Passcode, frames: list[Frame]) -> list[Frame]:
    vault = OpenedVault(data, passcode)
    shown = Revealing(vault, Decoys(vault.identity_key, None), 0.0, FRAME_MICROSECONDS)
    return [shown.apply(frame, None) for frame in frames]


def test_right_wrong_and_changed_vaults_are_the_same_work(
    short_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever takes time is done as often, on images of the same sizes."""
    data, work = recorded(), Counter[tuple[object, ...]]()

    def watched(module: ModuleType, name: str, sizes: Callable[..., object]) -> None:
        function = getattr(module, name)

        def counted(*arguments: object, **options: object) -> object:
            work[name, sizes(*arguments)] += 1
            return function(*arguments, **options)

        monkeypatch.setattr(module, name, counted)

    def decoded_and_counted(stream: bytes) -> Iterator[YuvImage]:
        for crop in crops_module.decoded(stream):
            work["decoded", crop.size] += 1
            yield crop

    watched(opened, "unseal", lambda keys, number, sealed, *_: len(sealed))
    watched(opened, "decoy", lambda size, count: (size, count))
    watched(reveal, "pasted", lambda image, place, crop, mask: (crop.size, mask.shape))
    watched(decoys, "soft_face", lambda crop, _: crop.size)
    monkeypatch.setattr(opened, "decoded", decoded_and_counted)
    changed = data[:-1] + bytes([data[-1] ^ 1])
    # Into frames of the same size, and into larger ones.
    for scale in (1, 2):
        frames = [frame_at(number) for number in range(9)]
        large = [each.with_image(each.image.resized((scale * WIDTH, scale * HEIGHT))) for each in frames]
        done = []
        for vault, passcode in ((data, CODE), (data, Passcode("of the Tests")), (changed, CODE)):
            work.clear()
            revealed(vault, passcode, large)
            done.append(dict(work))
        assert done[0] == done[1] == done[2]
        assert sum(count for (name, _), count in done[0].items() if name == "decoded") == 18
        assert {"unseal", "decoy", "decoded", "pasted", "soft_face"} == {name for name, _ in done[0]}


def test_a_decoy_has_the_size_and_number_of_what_it_stands_for() -> None:
    for size, count in (((46, 58), 3), ((48, 40), 20)):
        found = list(crops_module.decoded(crops_module.decoy(size, count)))
        assert len(found) >= count and {each.size for each in found} == {size}
        assert all(np.abs(np.diff(each.luma.astype(int), axis=0)).max() > 0 for each in found)
    assert next(crops_module.decoded(crops_module.decoy((4096, 32), 1))).size == (2048, 32)


def test_places_that_nothing_could_have_are_no_error() -> None:
    """Each bit of one, in turn; large ones would take more memory than there is."""
    data, frame = recorded(1), frame_at(0)
    start = HEADER_BYTES + len(pack_public([], 0)) + 8
    for bit in range(8 * start, 8 * (start + 10)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        (shown,) = revealed(bytes(changed), CODE, [frame])
        assert shown.size == frame.size
    wrong = bytearray(data)
    wrong[start : start + 10] = bytes([*6 * [0], *4 * [255]])
    (shown,) = revealed(bytes(wrong), CODE, [frame])
    assert shown.size == frame.size


def test_chunks_that_are_missing_swapped_or_added_are_noticed(short_chunks: None) -> None:
    data = recorded(12)
    layout = read_layout(data)
    head, chunks = data[:HEADER_BYTES], list(map(bytes, layout.chunks))
    assert len(chunks) == 4 and None not in crops(data, count=12)
    foreign = list(map(bytes, read_layout(recorded(12)).chunks))
    for wrong in (
        chunks[:-1],
        chunks[1:],
        [chunks[1], chunks[0], *chunks[2:]],
        [*chunks, chunks[-1]],
        [chunks[0], *chunks],
        [*chunks[:-1], foreign[-1]],
        [],
    ):
        found = crops(head + b"".join(wrong), count=12)
        assert found == [None] * len(found)


def test_a_window_holds_what_is_hidden_and_keeps_its_size() -> None:
    before: CropPlace | None = None
    sizes = set()
    for number in range(30):
        track = track_at(number)
        place = ellipse(area_of(track), (WIDTH, HEIGHT))
        assert place is not None
        there = window(place, 0, 1, before)
        assert there.left + MARGIN <= place.left and place.right + MARGIN <= there.left + there.width
        assert there.top + MARGIN <= place.top and place.bottom + MARGIN <= there.top + there.height
        assert not any(each % 2 for each in (there.left, there.top, there.width, there.height))
        sizes.add((there.width, there.height))
        before = there
    assert len(sizes) == 1


@pytest.mark.parametrize(
    ("size", "now", "scale"),
    [
        ((161, 121), (162, 122), (1, 1)),
        ((161, 120), (160, 120), (1, 1)),
        ((161, 121), (322, 242), (2, 2)),
        ((160, 120), (161, 60), (161 / 160, 0.5)),
        ((0, 0), (160, 120), (1, 1)),
    ],
)
def test_sides_that_were_made_even_scale_nothing(
    size: tuple[int, int], now: tuple[int, int], scale: tuple[float, float]
) -> None:
    assert scale_between(size, now) == scale


def test_noisy_faces_take_less_than_10_kb_a_second() -> None:
    random, made, rate, seconds = np.random.default_rng(0), VaultRecorder(CODE, "pixelate"), 30, 7
    rows, columns = np.mgrid[:160, :160].astype(np.float32)
    for number in range(seconds * rate):
        noise = cv2.resize(random.normal(0, 20, (40, 40)), (160, 160), interpolation=cv2.INTER_CUBIC)
        luma = 128 + 60 * np.sin((columns + number) / 19) * np.cos(rows / 17) + noise
        image = YuvImage(luma.clip(0, 255).astype(np.uint8), np.full((80, 80, 2), 128, np.uint8))
        frame = Frame(image=image, pts=number, time_base=Fraction(1, rate))
        box = np.array([80, 80, 80, 96], np.float32)
        made.add(frame, [Track(1, box, np.zeros(4, np.float32), 0)])
    assert len(made.finish()) < 10_000 * seconds


def test_rgb_frames_are_stored_too() -> None:
    made = VaultRecorder(CODE, "blur")
    frame = frame_at(0)
    made.add(Frame(image=RgbImage(frame.pixels), pts=0, time_base=frame.time_base), [track_at(0)])
    (crop,) = crops(made.finish(), count=1)
    assert crop is not None and crop.size[0] > 45


def test_a_video_without_faces_has_a_vault_too() -> None:
    made = VaultRecorder(CODE, "blur")
    made.add(frame_at(0), [])
    assert crops(made.finish()) == []


# Interrupted jobs.


def test_a_vault_is_continued_after_a_whole_chunk(short_chunks: None, tmp_path: Path) -> None:
    path = tmp_path / "vault"
    killed = VaultRecorder(CODE, "pixelate", path)
    for number in range(4):
        killed.add(frame_at(number), [track_at(number)])
    position = killed.position
    for number in range(4, 8):
        killed.add(frame_at(number), [track_at(number)])
    resumed = VaultRecorder(CODE, "pixelate", path)
    resumed.position = position
    for number in range(4, 9):
        resumed.add(frame_at(number), [track_at(number)])
    data = resumed.finish()
    found = crops(data)
    assert len(found) == 9 and None not in found
    assert read_layout(data).header.salt == read_layout(path.read_bytes()).header.salt


def test_a_job_goes_on_with_its_own_passcode_only(short_chunks: None, tmp_path: Path) -> None:
    path = tmp_path / "vault"
    killed = VaultRecorder(CODE, "pixelate", path)
    for number in range(5):
        killed.add(frame_at(number), [track_at(number)])
    with pytest.raises(OutputError, match="begun with another passcode"):
        VaultRecorder(Passcode("another one"), "pixelate", path).position = (4, path.stat().st_size)
    length = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(OutputError, match="a part of the faces is gone"):
        VaultRecorder(CODE, "pixelate", path).position = (4, length)
