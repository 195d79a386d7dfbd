"""Generated faces are mixed with those of the frame before, along their points."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.faces import LEFT_EYE, mesh
from vidgan.tasks.faces.face_steadying import steadied

SIDE = 144
CHEEK = slice(78, 92), slice(44, 56)


def texture(seed: int = 0) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).uniform(60, 200, (12, 12, 3))
    return cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def flickering(face: NDArray[np.uint8], level: int) -> NDArray[np.uint8]:
    return (face.astype(int) + level).clip(0, 255).astype(np.uint8)


def test_what_flickers_is_steadier() -> None:
    face, points = texture(), mesh()
    now = flickering(face, 6)
    shown = steadied(now, face, points, points)
    change = np.abs(shown[CHEEK].astype(int) - face[CHEEK]).mean()
    assert change < 0.5 * np.abs(now[CHEEK].astype(int) - face[CHEEK]).mean()


def test_eyes_move_at_once() -> None:
    face, points = texture(), mesh()
    now = flickering(face, 6)
    column, row = (round(each) for each in LEFT_EYE)
    shown = steadied(now, face, points, points)
    assert np.array_equal(shown[row, column], now[row, column])


@pytest.mark.parametrize("shift", [(5.0, 0.0), (-3.0, 4.0)])
def test_the_past_goes_along_with_the_points(shift: tuple[float, float]) -> None:
    face, before = texture(), mesh()
    map_ = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    moved = cv2.warpAffine(face, map_, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
    now = flickering(np.asarray(moved, np.uint8), 6)
    shown = steadied(now, face, before + np.array(shift, np.float32), before)
    assert np.abs(shown[CHEEK].astype(int) - moved[CHEEK]).mean() < 3, (
        "along the points there is half of the flicker"
    )


def test_what_comes_into_sight_is_shown_as_it_is() -> None:
    points, now = mesh(), texture(1)
    past = flickering(now, -60)
    assert np.array_equal(steadied(now, past, points, points)[CHEEK], now[CHEEK])
