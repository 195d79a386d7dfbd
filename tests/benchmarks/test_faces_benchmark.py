"""Figures of de-identification, of faces and embeddings whose figures are known."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.face_coverage import unchanged_share
from benchmarks.face_evaluators import Landmarks
from benchmarks.face_figures import AdaptiveRecognizer, displaced, openings, recognized, table
from benchmarks.face_passcodes import shows_nobody, small_vault, two_people
from benchmarks.face_ways import UNCHANGED, Change, codes_of, hidden, pasted
from benchmarks.faces import Parts
from tests.support.faces import mesh, write_faces, write_landmarks
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage
from vidgan.tasks.faces.hiding import Way, ellipse, hide


def embeddings(people: int, each: int, *, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    centers = np.repeat(random.standard_normal((people, 64)), each, 0)
    vectors = centers + noise * random.standard_normal(centers.shape)
    names = np.repeat([f"p{number:03}" for number in range(people)], each)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), names


def test_unchanged_people_are_found_and_strangers_are_not() -> None:
    originals, names = embeddings(60, 2, noise=0.2)
    same = recognized(originals, originals, names)
    assert [*same.other, *same.same, same.rank_one] == [1, 1, 1, 1, 1]
    assert same.different > 0.95
    strangers, _ = embeddings(60, 2, noise=0.2, seed=1)
    hidden = recognized(originals, strangers, names)
    assert hidden.other[0] < 0.06 and hidden.same[1] < 0.03 and hidden.rank_one < 0.1
    alike = np.repeat(strangers[:1], 120, 0)
    assert recognized(originals, alike, names).different == 0, "everybody becomes the same"


def test_a_threshold_lets_as_many_strangers_pass_as_it_says() -> None:
    originals, names = embeddings(150, 2, noise=1.5)
    found = recognized(originals, originals, names)
    first, second = np.triu_indices(len(names), 1)
    strangers = names[first] != names[second]
    among = np.sort((originals @ originals.T)[first, second][strangers])[::-1]
    for rate, share in zip((1e-2, 1e-3), found.other, strict=True):
        threshold = among[int(rate * len(among))]
        own = (originals @ originals.T)[first, second][~strangers]
        assert share == pytest.approx((own > threshold).mean(), abs=1e-6)
        assert (among > threshold).mean() == pytest.approx(rate, rel=0.02)


def test_displacement_is_in_eye_distances() -> None:
    points = np.stack([mesh(), mesh()])
    moved = points + np.array([[[3.0, 4.0]], [[0.0, 0.0]]], np.float32)
    assert displaced(points, moved).tolist() == pytest.approx([5 / 55, 0])
    assert displaced(2 * points, 2 * moved).tolist() == pytest.approx([5 / 55, 0])


def test_openings_follow_the_eyes() -> None:
    points = np.stack([mesh(opening=each) for each in (1, 3, 5)])
    found = openings(points)
    assert found.shape == (3, 3) and np.ptp(found[:, 0]) == 0
    assert (np.diff(found[:, 1:], axis=0) > 0.1).all()


def test_a_face_is_pasted_where_its_mask_is() -> None:
    image = np.full((144, 144, 3), 50, np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    made = pasted(image, np.full((64, 64, 3), 200, np.uint8), mask)
    assert made[72, 72].tolist() == [200] * 3 and made[8 + 20, 72].tolist() == [50] * 3
    assert (made[:30] == 50).all() and (image == 50).all()


def test_people_keep_their_codes() -> None:
    codes = codes_of(np.array(["a", "b", "a"]), 200)
    assert np.array_equal(codes[0], codes[2]) and abs(np.corrcoef(codes[0], codes[1])[0, 1]) < 0.3
    assert not np.array_equal(codes, codes_of(np.array(["a", "b", "a"]), 200, secret="other"))
    assert codes.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("way", ["pixelate", "blur"])
def test_alternatives_hide_the_face_and_nothing_else(way: Way) -> None:
    image = np.random.default_rng(0).integers(0, 255, (144, 144, 3)).astype(np.uint8)
    changed = hidden(image, way)
    inside, corner = (slice(60, 100), slice(50, 94)), (slice(0, 8), slice(0, 8))
    assert changed[inside].std() < image[inside].std() / 3
    assert (changed[corner] == image[corner]).all() and changed.shape == image.shape


def test_a_face_left_as_it_was_is_counted() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (96, 96, 3)).astype(np.uint8)
    box = np.array([48, 48, 30, 40], np.float32)
    before = Frame(image=RgbImage(pixels), pts=0, time_base=Fraction(1, 25))
    place = ellipse(box, before.size)
    assert place is not None
    after = before.with_image(hide(before.image, [place], "pixelate"))
    assert unchanged_share(before, before, box) == 1 and unchanged_share(before, after, box) < 0.1
    away = box + np.array([40, 0, 0, 0], np.float32)
    assert unchanged_share(before, after, away) > 0.9


def test_the_table_has_a_line_a_figure() -> None:
    lines = table({"blur": {"found": 0.5, "eyes": 1}, "model": {"found": 1, "eyes": 0.25}}).splitlines()
    assert lines[0] == "| | blur | model |" and lines[2:] == [
        "| found | 0.500 | 1.000 |",
        "| eyes | 1.000 | 0.250 |",
    ]


def test_an_adaptive_recognizer_learns_what_a_way_leaves() -> None:
    originals, names = embeddings(150, 2, noise=0.5)
    turned = np.linalg.qr(np.random.default_rng(1).standard_normal((64, 64)))[0].astype(np.float32)
    kept, nothing = originals @ turned, np.random.default_rng(2).standard_normal((300, 64)).astype(np.float32)
    train, held = slice(0, 200), slice(200, 300)

    def accepts(clues: np.ndarray) -> tuple[float, float]:
        evaluator = AdaptiveRecognizer(clues[train], originals[train], names[train])
        return evaluator.accepts(originals[held], clues[held], names[held])

    # Embeddings that are only turned round mean nothing to the recognizer itself, and everything to the evaluator.
    assert recognized(originals[held], kept[held], names[held]).same[0] < 0.1
    assert min(accepts(kept)) > 0.9
    assert max(accepts(nothing)) < 0.1


def test_two_passcodes_show_two_people_where_no_pair_is_alike() -> None:
    one, other = np.eye(4, dtype=np.float32)[[0, 1]], np.eye(4, dtype=np.float32)[[2, 1]]
    third = np.float32(0.6) * one + np.float32(0.8) * np.eye(4, dtype=np.float32)[[3, 3]]
    assert two_people([one, other]) == 0.5 and two_people([one, one]) == 0
    assert two_people([one, other, third]) == pytest.approx(2 / 6)


def test_a_changed_bit_of_a_vault_is_told_from_an_unchanged_vault() -> None:
    data = small_vault()
    assert not shows_nobody(data)
    assert all(
        shows_nobody(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) for at in (0, 200, len(data) - 1)
    )


def test_a_run_goes_on_after_the_last_part(tmp_path: Path) -> None:
    paths = sorted(write_faces(tmp_path / "lfw_eval", 5).iterdir())
    landmarks = Landmarks(landmark_weights(tmp_path))
    asked: list[int] = []

    def evaluator(images: np.ndarray) -> dict[str, np.ndarray]:
        asked.append(len(images))
        return {"light": images.mean((1, 2, 3))}

    changes = [UNCHANGED, Change("dark", "dark", lambda people: people.images // 2)]
    first = [Parts(tmp_path / "work", landmarks).look(paths, each, evaluator)["light"] for each in changes]
    again = [Parts(tmp_path / "work", landmarks).look(paths, each, evaluator)["light"] for each in changes]
    assert asked == [5, 5] and np.allclose(first[0], first[1] * 2, rtol=0.02)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    changed = cv2.imread(str(paths[0]))
    assert changed is not None
    cv2.imwrite(str(paths[0]), 255 - changed)
    assert Parts(tmp_path / "work", landmarks).look(paths, UNCHANGED, evaluator)["light"][0] != first[0][0]


def landmark_weights(folder: Path) -> Path:
    (folder / "faces").mkdir()
    write_landmarks(folder / "faces" / "mediapipe_face_landmark_468.onnx")
    return folder
