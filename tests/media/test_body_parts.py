"""Parts of a body: their affine maps take joints to joints, and their guides lie where they are."""

import numpy as np
import pytest

from tests.support.doll import DOLL
from tests.support.people import moved_doll
from vidgan.media.body_parts import PARTS, TORSO, part_affines, part_guides, segments


@pytest.mark.parametrize("degrees", [0.0, 40.0, 150.0])
def test_joints_go_where_the_source_has_them(degrees: float) -> None:
    target = moved_doll(degrees) * np.float32(1.0) + np.array([4, -3, 0], np.float32)
    maps = part_affines(DOLL, target)
    ends = segments(target)[:, :, :2]
    found = np.einsum("pij,pej->pei", maps[:, :, :2], ends) + maps[:, None, :, 2]
    assert np.allclose(found, segments(DOLL)[:, :, :2], atol=1e-3)
    arm = PARTS.index("left upper arm")
    angle = np.degrees(np.arctan2(maps[arm, 1, 0], maps[arm, 0, 0]))
    assert angle == pytest.approx(degrees, abs=1e-2)


def test_a_back_is_a_front_mirrored() -> None:
    back = DOLL.copy()
    back[1:] = DOLL[1:].reshape(9, 2, 3)[:, ::-1].reshape(18, 3)
    maps = part_affines(DOLL, back)
    left_shoulder = maps[TORSO, :, :2] @ back[3, :2] + maps[TORSO, :, 2]
    assert np.allclose(left_shoulder, DOLL[3, :2], atol=1.0)
    assert np.linalg.det(maps[TORSO, :, :2]) < 0


def test_a_limb_without_length_is_no_division_by_zero() -> None:
    target = DOLL.copy()
    target[7] = target[5]
    target[9] = target[7]
    maps = part_affines(DOLL, target)
    assert np.isfinite(maps).all() and np.abs(maps[:, :, :2]).max() <= 3.01


def test_guides_lie_on_the_limbs_and_know_what_is_in_front() -> None:
    points = moved_doll(30)
    guides, shares = part_guides(points, 64, 32)
    assert guides.shape == (28, 32, 32) and guides.dtype == shares.dtype == np.float32
    assert np.allclose(shares.sum(0), 1, atol=1e-5)
    middles = segments(points).mean(1)
    for part in range(2, len(PARTS)):
        column, row = ((middles[part, :2] + 0.5) / 2).astype(int)
        assert guides[part, row, column] > 0.5 and shares[:, row, column].argmax() == part
        assert guides[part].max() <= 1
    behind = points.copy()
    arm = PARTS.index("left forearm")
    # A forearm across the trunk, in front of it or behind it.
    behind[[7, 9], :2] = [[30, 28], [28, 29]]
    hidden, shown = (
        behind + np.array([0, 0, 1], np.float32) * z * (np.arange(19) == 7)[:, None] for z in (30, -30)
    )
    column, row = ((segments(shown)[arm, :, :2].mean(0) + 0.5) / 2).astype(int)
    in_front, at_back = (part_guides(each, 64, 32)[1][:, row, column] for each in (shown, hidden))
    assert in_front[arm] / in_front[TORSO] > 3 * at_back[arm] / at_back[TORSO]
