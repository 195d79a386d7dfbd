"""Known motion: frames moved where it says, and what came from outside marked."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.motion import Motion, random_motion, vary_exposure


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def panned(columns: float, rows: float, side: int) -> Motion:
    identity = torch.eye(2, 3)[None]
    grid = F.affine_grid(identity, [1, 1, side, side], align_corners=False)
    return Motion(grid + torch.tensor([2 * columns / side, 2 * rows / side]))


def smooth(count: int, side: int) -> Tensor:
    return F.interpolate(torch.rand(count, 3, 9, 9, generator=seeded()), (side, side), mode="bicubic")


def test_a_pan_of_whole_pixels_moves_pixels() -> None:
    x = torch.rand(1, 3, 48, 48, generator=seeded())
    moved = panned(3, -2, 48).warp(x)
    torch.testing.assert_close(moved[..., 4:-4, 4:-4], x[..., 2:-6, 7:-1], rtol=0, atol=1e-5)


def test_what_comes_from_beyond_the_edge_does_not_count() -> None:
    visible = panned(5, 0, 64).visible_mask()[0, 0]
    columns = torch.nonzero(visible[32]).flatten()
    # Source column = column + 5, at least eight from either edge.
    assert (int(columns[0]), int(columns[-1])) == (3, 50)
    assert set(visible.unique().tolist()) == {0.0, 1.0}


def test_random_motion_is_small_smooth_and_repeatable() -> None:
    ramp = torch.linspace(0, 96, 97)[:-1] + 0.5
    places = torch.stack([ramp.expand(96, 96), ramp[:, None].expand(96, 96)])[None].repeat(8, 1, 1, 1)
    motion = random_motion(8, 96, seeded())
    flow = (motion.warp(places) - places)[..., 16:-16, 16:-16]
    assert 1 < flow.abs().max() < 6 + 2 * 2 + 96 * (0.04 + 0.045)
    assert (flow[..., 1:] - flow[..., :-1]).abs().max() < 0.5
    assert (flow.mean((2, 3)).std(0) > 0.5).all()  # Each image has its own.
    assert motion.visible_mask().mean() > 0.4
    x = smooth(8, 96)
    assert torch.equal(motion.warp(x), random_motion(8, 96, seeded()).warp(x))


def test_moving_is_linear_so_a_generator_who_only_recolors_is_steady() -> None:
    x, motion = smooth(2, 64), random_motion(2, 64, seeded())
    torch.testing.assert_close(motion.warp(1 - 2 * x), 1 - 2 * motion.warp(x), rtol=0, atol=1e-4)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_disturbance_is_that_of_a_camera(level: float) -> None:
    frame = torch.full((16, 3, 32, 32), level)
    after = vary_exposure(frame, seeded())
    assert after.min() >= 0 and after.max() <= 1
    change = (after - frame).mean((1, 2, 3))
    assert 0.002 < change.abs().max() < 0.06
    assert after.std((1, 2, 3)).max() < 0.01
    if level == 0.5:
        assert change.min() < 0 < change.max() and after.std((1, 2, 3)).max() > 0.003
