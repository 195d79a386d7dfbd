"""Known motion: a photo and its copy moved by a smooth warp, as two frames of a film."""

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
    """Where each pixel of the next frame comes from in this one, exactly.

    Args:
        came_from: ``(N, H, W, 2)``, columns and rows, in :func:`torch.nn.functional.grid_sample`'s
            units: -1 and 1 are the outer edges of the picture.
    """

    def __init__(self, came_from: Tensor) -> None:
        self._came_from = came_from

    def move(self, pictures: Tensor) -> Tensor:
        """This frame, ``(N, C, H, W)`` → the next; beyond the edges the picture is mirrored."""
        return F.grid_sample(
            pictures,
            self._came_from.to(pictures.device),
            mode="bicubic",
            padding_mode="reflection",
            align_corners=False,
        )

    def visible(self) -> Tensor:
        """1 where the next frame shows what this one showed, ``(N, 1, H, W)``; a margin is left out."""
        side = min(self._came_from.shape[1:3])
        inside = self._came_from.abs().amax(3, keepdim=True) < 1 - 2 * _BORDER / side
        return inside.movedim(3, 1).float()


def random_motion(count: int, side: int, random: torch.Generator) -> Motion:
    """Pan, zoom, rotation and local motion of a hand-held camera, one draw a picture, where ``random`` is."""

    def drawn(*shape: int) -> Tensor:
        return 2 * torch.rand(*shape, generator=random, device=random.device) - 1

    pan = 2 * _PAN / side * drawn(count, 2)
    turn, zoom = _TURN * drawn(count), 1 + _ZOOM * drawn(count)
    cos, sin = zoom * turn.cos(), zoom * turn.sin()
    affine = torch.stack([torch.stack([cos, -sin, pan[:, 0]], 1), torch.stack([sin, cos, pan[:, 1]], 1)], 1)
    grid = F.affine_grid(affine, [count, 1, side, side], align_corners=False)
    local = F.interpolate(drawn(count, 2, 5, 5), size=(side, side), mode="bicubic", align_corners=True)
    return Motion(grid + 2 * _LOCAL / side * local.movedim(1, 3))


def disturb(photos: Tensor, random: torch.Generator) -> Tensor:
    """What a camera does between two frames: exposure moves a little, and noise is new.

    Args:
        random: on the device of ``photos``.
    """

    def drawn(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, device=random.device)

    n = photos.shape[0]
    gain, offset = 1 + 0.06 * (drawn(n, 1, 1, 1) - 0.5), 0.04 * (drawn(n, 1, 1, 1) - 0.5)
    noise = 0.008 * drawn(n, 1, 1, 1) * torch.randn(photos.shape, generator=random, device=random.device)
    return (gain * photos + offset + noise).clamp(0, 1)
