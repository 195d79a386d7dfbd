"""Synthetic motion with a known flow: a photo and its warped copy, as two frames of a video."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_PAN = 6.0
_ZOOM = 0.04
_TURN = math.radians(2.5)
_LOCAL = 2.0
_BORDER = 8


class Motion:
    """Backward flow: where each pixel of the next frame comes from in this one.

    Args:
        sampling_grid: ``(N, H, W, 2)``, columns and rows, in :func:`torch.nn.functional.grid_sample`'s
            units: -1 and 1 are the outer edges of the image.
    """

    def __init__(self, sampling_grid: Tensor) -> None:
        self._sampling_grid = sampling_grid

    def warp(self, images: Tensor) -> Tensor:
        """This frame, ``(N, C, H, W)`` → the next; the image is reflected at its edges."""
        return F.grid_sample(
            images,
            self._sampling_grid.to(images.device),
            mode="bicubic",
            padding_mode="reflection",
            align_corners=False,
        )

    def visible_mask(self) -> Tensor:
        """1 where the next frame shows parts of this one, but for a margin, ``(N, 1, H, W)``."""
        side = min(self._sampling_grid.shape[1:3])
        inside = self._sampling_grid.abs().amax(3, keepdim=True) < 1 - 2 * _BORDER / side
        return inside.movedim(3, 1).float()


def random_motion(count: int, side: int, random: torch.Generator) -> Motion:
    """Pan, zoom, rotation and local motion of a hand-held camera for each image, on the device of ``random``."""

    def drawn(*shape: int) -> Tensor:
        return 2 * torch.rand(*shape, generator=random, device=random.device) - 1

    pan = 2 * _PAN / side * drawn(count, 2)
    turn, zoom = _TURN * drawn(count), 1 + _ZOOM * drawn(count)
    cos, sin = zoom * turn.cos(), zoom * turn.sin()
    affine = torch.stack([torch.stack([cos, -sin, pan[:, 0]], 1), torch.stack([sin, cos, pan[:, 1]], 1)], 1)
    grid = F.affine_grid(affine, [count, 1, side, side], align_corners=False)
    local = F.interpolate(drawn(count, 2, 5, 5), size=(side, side), mode="bicubic", align_corners=True)
    return Motion(grid + 2 * _LOCAL / side * local.movedim(1, 3))


def vary_exposure(photos: Tensor, random: torch.Generator) -> Tensor:
    """Changes exposure a little and adds noise, as between two frames of a camera.

    Args:
        random: on the device of ``photos``.
    """

    def drawn(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, device=random.device)

    n = photos.shape[0]
    gain, offset = 1 + 0.06 * (drawn(n, 1, 1, 1) - 0.5), 0.04 * (drawn(n, 1, 1, 1) - 0.5)
    noise = 0.008 * drawn(n, 1, 1, 1) * torch.randn(photos.shape, generator=random, device=random.device)
    return (gain * photos + offset + noise).clamp(0, 1)
