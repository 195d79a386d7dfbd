"""People who do not exist: triangles, poses, places on the surface, and what is stored of them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.doll import DOLL
from tests.support.people import doll_view, faces, moved_doll, write_dolls
from tests.support.places import SHARED
from training.data.photos import list_photos
from training.people.dataset import People, StoredPerson, render_people
from training.people.motion_capture import read_motion
from training.people.person import correspondences
from training.people.pose import random_pose, standing, swing
from training.people.rasterizer import NOTHING, rasterize
from vidgan.media.body_parts import PARTS

COLORS = np.random.default_rng(1).integers(40, 250, (len(PARTS), 3)).astype(np.uint8)

_BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Neck
  { OFFSET 0 50 0 CHANNELS 3 Zrotation Xrotation Yrotation JOINT Head
    { OFFSET 0 15 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 10 0 } } }
  SIDES
}
MOTION
Frames: 2
Frame Time: 0.04
"""


def write_bvh(path: Path) -> Path:
    """Two frames: standing with the arms out, then with the left arm raised by 90 degrees."""
    sides = ""
    for name, sign in (("Left", 1), ("Right", -1)):
        for joints, x, y, step in (
            (("Arm", "ForeArm", "Hand"), 20, 48, f"{25 * sign} 0 0"),
            (("UpLeg", "Leg", "Foot"), 10, 0, "0 -40 0"),
        ):
            offsets = (f"{x * sign} {y} 0", step, step)
            for joint, offset in zip(joints, offsets, strict=True):
                sides += f"JOINT {name}{joint} {{ OFFSET {offset} CHANNELS 3 Zrotation Xrotation Yrotation "
            sides += "End Site { OFFSET 1 0 0 } " + "} } } "
    still = [0.0] * (6 + 2 * 3 + 12 * 3)
    raised = still.copy()
    raised[6 + 2 * 3] = 90
    rows = "\n".join(" ".join(map(str, row)) for row in (still, raised))
    path.write_text(_BVH.replace("SIDES", sides) + rows + "\n")
    return path


def test_the_nearer_triangle_is_seen_and_holes_are_not() -> None:
    points = np.array([[0, 0, 5], [16, 0, 5], [0, 16, 5], [2, 2, 1], [6, 2, 1], [2, 6, 1]], np.float32)
    triangles = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    found = rasterize(points, triangles, (16, 16)).triangle
    assert found[3, 3] == 1 and found[0, 0] == 0 and found[10, 2] == 0 and found[15, 15] == NOTHING
    assert (found == 0).sum() + (found == 1).sum() == pytest.approx(16 * 16 / 2, abs=9)
    holes = rasterize(points, triangles, (16, 16), lambda which, weights: which == 0)
    assert holes.triangle[3, 3] == 0


def test_weights_are_barycentric() -> None:
    points = np.array([[1, 2, 0], [30, 4, 0], [8, 28, 0]], np.float32)
    found = rasterize(points, np.array([[0, 1, 2]], np.int32), (32, 32))
    rows, columns = np.nonzero(found.triangle == 0)
    b, c = found.weights[rows, columns].T
    place = points[0] + b[:, None] * (points[1] - points[0]) + c[:, None] * (points[2] - points[0])
    assert np.allclose(place[:, :2], np.stack([columns, rows], 1) + 0.5, atol=1e-3)


def test_a_swing_is_the_least_rotation() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        first, second = (each / np.linalg.norm(each) for each in random.standard_normal((2, 3)))
        turn = swing(first, second)
        assert np.allclose(turn @ first, second) and np.isclose(np.linalg.det(turn), 1)
        assert np.trace(turn) == pytest.approx(1 + 2 * first @ second)
    assert np.allclose(swing(first, -first) @ first, -first)


def test_a_pose_between_two_is_one_of_them_at_the_ends() -> None:
    first, second = standing(), random_pose(np.random.default_rng(3))
    for share, wanted in ((0.0, first), (1.0, second)):
        found = first.towards(second, share)
        assert all(np.allclose(found.limbs[bone], wanted.limbs[bone], atol=1e-6) for bone in found.limbs)
        assert np.allclose(found.head, wanted.head, atol=1e-6)
    turned = first.turned(90).turned(-90)
    assert np.allclose(turned.pelvis, first.pelvis)


def test_motion_capture_says_where_limbs_point(tmp_path: Path) -> None:
    poses, rate = read_motion(write_bvh(tmp_path / "wave.bvh"))
    assert rate == pytest.approx(25) and len(poses) == 2
    assert np.allclose(poses[0].pelvis, np.eye(3)) and np.allclose(poses[0].limbs["upperarm01.L"], [1, 0, 0])
    assert np.allclose(poses[0].limbs["upperleg01.R"], [0, 0, -1])
    assert np.allclose(poses[1].limbs["lowerarm01.L"], [0, 0, 1], atol=1e-6)
    assert np.allclose(poses[1].limbs["upperarm01.R"], [-1, 0, 0])
    (tmp_path / "none.bvh").write_text("HIERARCHY\nROOT Hips\n{ }\nMOTION\nFrames: 0\n")
    with pytest.raises(ValueError, match="not a BVH file"):
        read_motion(tmp_path / "none.bvh")


def test_places_on_the_surface_are_found_again() -> None:
    source, target = doll_view(DOLL, COLORS), doll_view(moved_doll(60), COLORS)
    place, seen = correspondences(source, target, faces())
    assert seen.sum() > 0.8 * (target.parts > 0).sum()
    rows, columns = np.nonzero(seen)
    x, y = place[rows, columns].round().astype(int).T
    same = (source.image[y, x] == target.image[rows, columns]).all(1)
    assert same.mean() > 0.97
    assert not seen[target.parts == 0].any()


def test_stored_people_come_back_at_half_the_size(tmp_path: Path) -> None:
    source, target = doll_view(DOLL, COLORS), doll_view(moved_doll(60), COLORS)
    write_dolls(tmp_path, 1)
    from training.people.dataset import write_views

    write_views(tmp_path / "0001", [source, target], faces())
    person = StoredPerson(tmp_path / "0001")
    assert len(person) == 2 and person.side == 64
    assert np.allclose(person.points(1, 64), moved_doll(60))
    place, seen = person.flow(0, 1, 64)
    wanted, wanted_seen = correspondences(source, target, faces())
    assert (seen == wanted_seen).mean() > 0.99
    assert np.abs(place - wanted)[seen & wanted_seen].max() < 0.15
    half, half_seen = person.flow(0, 1, 32)
    both = half_seen & seen[1::2, 1::2]
    apart = np.abs((half + 0.5) * 2 - 0.5 - place[1::2, 1::2])[both]
    assert both.sum() > 100 and apart.max() < 0.3
    assert person.image(0, 32).shape == (32, 32, 4) and person.parts(0, 32).shape == (32, 32)


def test_a_batch_is_pairs_of_known_people(tmp_path: Path, photos: Path) -> None:
    backgrounds = list_photos([photos])
    people = People(write_dolls(tmp_path, 3), 3, 1, backgrounds)
    assert len(people.known) == 2 and people.held_out[0].place.name == "0000"
    batch = people.batch(3, 1, 64, torch.Generator().manual_seed(0))
    again = people.batch(3, 1, 64, torch.Generator().manual_seed(0))
    assert torch.equal(batch.sources, again.sources) and torch.equal(batch.flow, again.flow)
    assert batch.sources.shape == (4, 3, 64, 64) and batch.guides.shape == (4, 28, 32, 32)
    assert batch.motion.shape == (1, 2, 64, 64) and batch.affines.shape == (4, 14, 2, 3)
    assert torch.equal(batch.sources[0], batch.sources[3]), "a next frame has the same source"
    outside = batch.masks == 0
    assert torch.allclose(
        batch.targets[outside.expand_as(batch.targets)], batch.backgrounds[outside.expand_as(batch.targets)]
    )
    with pytest.raises(FileNotFoundError, match="3 people are there, 5 are asked for"):
        People(tmp_path, 5, 1, backgrounds)


@pytest.mark.skipif(not (SHARED / "people").is_dir(), reason="clothes and skins are not beside the checkout")
def test_people_are_dressed_and_their_key_points_lie_on_them(tmp_path: Path) -> None:
    pytest.importorskip("anny")
    said: list[str] = []
    photos = list_photos([SHARED / "photos"])[:3]
    render_people(
        tmp_path, 1, people=SHARED / "people", photos=photos, views=4, side=128, seed=7, report=said.append
    )
    assert len(said) == 1
    person = StoredPerson(tmp_path / "0000")
    assert len(person) == 4
    for view in range(4):
        image, parts, points = person.image(view, 128), person.parts(view, 128), person.points(view, 128)
        assert 0.03 < image[:, :, 3].mean() < 0.3
        agree = ((image[:, :, 3] > 0.5) == (parts > 0)).mean()
        assert agree > 0.98
        columns, rows = points[:, :2].round().astype(int).clip(0, 127).T
        near = [(parts[y - 4 : y + 5, x - 4 : x + 5] > 0).any() for x, y in zip(columns, rows, strict=True)]
        assert all(near)
        knee, ankle = points[13], points[15]
        assert ankle[1] > points[3, 1] and np.isfinite(knee).all()
    place, seen = person.flow(0, 2, 128)
    assert seen.sum() > 0.2 * (person.parts(2, 128) > 0).sum()
    colors = person.image(0, 128), person.image(2, 128)
    rows, columns = np.nonzero(seen)
    x, y = place[rows, columns].round().astype(int).T
    apart = np.abs(colors[0][y, x, :3] - colors[1][rows, columns, :3]).mean()
    assert apart < 0.12
