"""How well label maps were found: per-pixel and per-class accuracy, and class IoU (Long et al. 2015)."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SegmentationScores:
    """Shares from 0 to 1: of pixels, and the means over classes of recall and of intersection over union."""

    pixels: float
    classes: float
    iou: float


class Confusion:
    """Counts of what pixels are and what they were taken for.

    Args:
        classes: how many there are.
        counted: indices of those that are looked at; pixels of the others are left out.
    """

    def __init__(self, classes: int, counted: list[int]) -> None:
        self._counts = torch.zeros(classes, classes, dtype=torch.float64)
        self._counted = counted

    def add(self, truth: Tensor, found: Tensor) -> None:
        """Class indices of the same shape."""
        size = len(self._counts)
        pairs = size * truth.flatten().long() + found.flatten().long()
        self._counts += torch.bincount(pairs, minlength=size * size).reshape(size, size)

    def scores(self) -> SegmentationScores:
        """Classes that never occurred are left out of the means."""
        rows = self._counts[self._counted]
        right = rows[:, self._counted].diagonal()
        there = rows.sum(1)
        taken = rows[:, self._counted].sum(0)
        occurred = there > 0
        return SegmentationScores(
            pixels=float(right.sum() / there.sum()),
            classes=float((right / there)[occurred].mean()),
            iou=float((right / (there + taken - right))[occurred].mean()),
        )
