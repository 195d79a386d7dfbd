"""Lines of the mean face in the pose, and with the expression, of another face."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vidgan.media.face_guides import EYE_CORNERS, EYES, INNER, LIPS, POINTS, Points, eye_distance
from vidgan.media.mean_face import mean_face, mean_shift

LIDS = 159, 145
LIP_MIDDLES = 13, 14
CHIN, TIP = 152, 4


def seen(face: NDArray[np.floating], yaw: float = 0.0, roll: float = 0.0, size: float = 50.0) -> Points:
    """Points of a face in space, in pixels of an image."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    turned = face @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    cos, sin = np.cos(roll), np.sin(roll)
    return np.asarray(size * turned[:, :2] @ np.array([[cos, sin], [-sin, cos]]) + 70, np.float32)


def error(shift: Points, points: Points, expected: Points) -> float:
    """The mean distance from what is expected, in eye distances, of the points that are drawn."""
    inner = list(INNER)
    off = np.linalg.norm((points + shift - expected)[inner], axis=1)
    return float(off.mean()) / eye_distance(points)


def test_the_mean_face_is_a_face() -> None:
    face = mean_face()
    assert face.shape == (POINTS, 3)
    left, right = EYE_CORNERS
    assert np.linalg.norm(face[left] - face[right]) == pytest.approx(1, abs=1e-4)
    assert face[left, 0] < 0 < face[right, 0] and face[CHIN, 1] > face[LIP_MIDDLES[0], 1] > face[TIP, 1]
    assert face[TIP, 2] < face[left, 2], "the tip of the nose is nearer"
    mirrored = face[right] * [-1, 1, 1]
    assert np.allclose(face[left], mirrored, atol=0.01), "alike on both sides"


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (0.4, 0), (-0.6, 0.2), (0.2, -0.5)])
def test_the_mean_face_stays_as_it_is_in_any_pose(yaw: float, roll: float) -> None:
    points = seen(mean_face(), yaw, roll)
    assert error(mean_shift(points), points, points) < 1e-3


@pytest.mark.parametrize("yaw", [0, 0.35])
def test_a_long_narrow_face_becomes_the_mean(yaw: float) -> None:
    points = seen(mean_face() * [0.9, 1.1, 1], yaw)
    expected = seen(mean_face(), yaw)
    before = error(np.zeros_like(points), points, expected)
    assert error(mean_shift(points), points, expected) < 0.35 * before


def test_features_that_lie_elsewhere_come_to_their_places_as_open_as_they_are() -> None:
    face = mean_face().copy()
    for rim in EYES:
        face[list(rim)] += [0.05 * np.sign(face[rim[0], 0]), 0.03, 0]
    upper, lower = LIDS
    face[lower, 1] += 0.03
    points = seen(face)
    shifted = points + mean_shift(points)
    expected = seen(mean_face())
    for rim in EYES:
        assert np.abs(shifted[list(rim)].mean(0) - expected[list(rim)].mean(0)).max() < 0.5
    assert np.allclose((shifted[lower] - shifted[upper])[1], (points[lower] - points[upper])[1], atol=0.2)


def test_an_open_mouth_stays_open_within_the_face() -> None:
    face = mean_face().copy()
    inside, outside = (list(each) for each in LIPS[::-1])
    below = face[:, 1] > face[LIP_MIDDLES[0], 1] + 0.01
    opening = 0.2
    chosen = [each for each in (*inside, *outside) if below[each]]
    face[chosen, 1] += opening
    face[CHIN, 1] += opening
    points = seen(face)
    shifted = points + mean_shift(points)
    upper, lower = LIP_MIDDLES
    gaps = [each[lower, 1] - each[upper, 1] for each in (points, shifted)]
    assert gaps[1] == pytest.approx(gaps[0], rel=0.1)
    assert shifted[CHIN, 1] > shifted[17, 1] + 0.1 * eye_distance(points), "the chin stays below the lip"
