"""Measures of segmentation: accuracy per pixel and per class, and class IoU (Long et al. 2015)."""

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
    """A confusion matrix.

    Args:
        classes: number of classes.
        counted: indices of those that are scored; pixels of the others are ignored.
    """

    def __init__(self, classes: int, counted: list[int]) -> None:
        self._counts = torch.zeros(classes, classes, dtype=torch.float64)
        self._counted = counted

    def add(self, target: Tensor, predicted: Tensor) -> None:
        """Counts class indices, two tensors of the same shape."""
        size = len(self._counts)
        pairs = size * target.flatten().long() + predicted.flatten().long()
        self._counts += torch.bincount(pairs, minlength=size * size).reshape(size, size)

    def scores(self) -> SegmentationScores:
        """The scores; classes that never occurred are ignored in the means."""
        rows = self._counts[self._counted]
        right = rows[:, self._counted].diagonal()
        targets = rows.sum(1)
        return SegmentationScores(
            pixels=float(right.sum() / targets.sum()),
            classes=float((right / targets)[targets > 0].mean()),
            iou=float(self.ious().nanmean()),
        )

    def ious(self) -> Tensor:
        """Intersection over union of each class that is scored; NaN where it never occurred."""
        rows = self._counts[self._counted][:, self._counted]
        right, targets = rows.diagonal(), self._counts[self._counted].sum(1)
        either = targets + rows.sum(0) - right
        return torch.where(targets > 0, right / either, torch.nan)
