"""The same detail as every upscaler makes it, side by side: for judging by eye."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from training.data.bicubic import to_bytes
from training.evaluation.super_resolution import Upscale, make_small

_LABEL_HEIGHT = 22
_ENLARGED = 2


@torch.no_grad()
def crop_sheet(upscalers: Mapping[str, tuple[Upscale, int]], truths: list[Tensor]) -> Tensor:
    """A row a picture, a column an upscaler, the truth last; names below, pixels doubled.

    Args:
        upscalers: by name, each with its scale.
        truths: RGB in [0, 1], ``(3, side, side)`` each, with sides that are multiples of 4.

    Returns:
        RGB in [0, 1], ``(3, H, W)``.
    """
    rows = [
        [to_bytes(upscale(make_small(truth, scale)))[0] for upscale, scale in upscalers.values()] + [truth]
        for truth in truths
    ]
    sheet = torch.cat([torch.cat(row, 2) for row in rows], 1)
    sheet = sheet.repeat_interleave(_ENLARGED, 1).repeat_interleave(_ENLARGED, 2)
    side = _ENLARGED * truths[0].shape[2]
    return torch.cat([sheet, torch.cat([_label(name, side) for name in (*upscalers, "truth")], 2)], 1)


def cut_out(picture: Tensor, place: str, side: int, path: Path) -> Tensor:
    """The square of ``picture`` at ``place``, ``"LEFT,TOP"`` in pixels.

    Raises:
        ValueError: not of that form, or outside of the picture.
    """
    left, comma, top = place.partition(",")
    if not (comma and left.isdecimal() and top.isdecimal()):
        raise ValueError(f"{path}: {place!r} is no place; expected LEFT,TOP in pixels")
    square = picture[:, int(top) : int(top) + side, int(left) : int(left) + side]
    if square.shape[1:] != (side, side):
        raise ValueError(f"{path}: {side}×{side} pixels at {place} are not all inside of it")
    return square


def _label(name: str, width: int) -> Tensor:
    label = np.full((_LABEL_HEIGHT, width, 3), 255, np.uint8)
    cv2.putText(label, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return torch.from_numpy(label).permute(2, 0, 1).float() / 255
