"""The same crops by several upscalers side by side, for visual comparison."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from training.data.bicubic import round_to_bytes
from training.data.images import image_grid
from training.evaluation.super_resolution import Upscale, low_resolution

_LABEL_HEIGHT = 22
_ZOOM = 2


@torch.no_grad()
def upscaling_sheet(upscalers: Mapping[str, tuple[Upscale, int]], targets: list[Tensor]) -> Tensor:
    """One image per row, one upscaler per column, the original last; with names below and pixels doubled.

    Args:
        upscalers: by name, each with its scale.
        targets: RGB in [0, 1], ``(3, side, side)`` each, with sides that are multiples of 4.

    Returns:
        RGB in [0, 1], ``(3, H, W)``.
    """
    rows = [
        [
            *(round_to_bytes(run(low_resolution(target, scale)))[0] for run, scale in upscalers.values()),
            target,
        ]
        for target in targets
    ]
    sheet = image_grid(rows).repeat_interleave(_ZOOM, 1).repeat_interleave(_ZOOM, 2)
    side = _ZOOM * targets[0].shape[2]
    return torch.cat([sheet, torch.cat([_label(name, side) for name in (*upscalers, "target")], 2)], 1)


def cut_out(image: Tensor, place: str, side: int, path: Path) -> Tensor:
    """The square of ``image`` at ``place``, ``"LEFT,TOP"`` in pixels.

    Raises:
        ValueError: the place has another form, or is outside of the image.
    """
    left, comma, top = place.partition(",")
    if not (comma and left.isdecimal() and top.isdecimal()):
        raise ValueError(f"{path}: {place!r} is no place; expected LEFT,TOP in pixels")
    square = image[:, int(top) : int(top) + side, int(left) : int(left) + side]
    if square.shape[1:] != (side, side):
        raise ValueError(f"{path}: {side}×{side} pixels at {place} are not all inside of it")
    return square


def _label(name: str, width: int) -> Tensor:
    label = np.full((_LABEL_HEIGHT, width, 3), 255, np.uint8)
    cv2.putText(label, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return torch.from_numpy(label).permute(2, 0, 1).float() / 255
