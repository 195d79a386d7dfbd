"""Label maps: images whose pixels are class indices."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

VOID = "void"
"""The class of pixels that nobody labeled."""

_BUILT_IN = Path(__file__).parent


@dataclass(frozen=True)
class Classes:
    """Classes in the order of their indices, and their colors.

    Attributes:
        names: of the classes.
        colors: RGB, 0 to 255, all different.

    Raises:
        ValueError: two classes have the same color or name.
    """

    names: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) < len(self.names) or len(set(self.colors)) < len(self.colors):
            raise ValueError("two classes have one name or one color")

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def read(cls, source: str) -> Self:
        """Reads a file with one line ``name red green blue`` per class, or a list that vidgan knows by name.

        Raises:
            ValueError: a line has another form, or there is no such file.
        """
        built_in = _BUILT_IN / f"{source}.txt"
        path = built_in if built_in.is_file() else Path(source)
        if not path.is_file():
            raise ValueError(f"{source}: no such file of classes, nor are such classes known")
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        for line in lines:
            if len(line) != 4 or not all(each.isdigit() and int(each) < 256 for each in line[1:]):
                raise ValueError(f"{path}: {' '.join(line)!r} is not: name red green blue")
        return cls(tuple(line[0] for line in lines), tuple((int(r), int(g), int(b)) for _, r, g, b in lines))

    @property
    def counted(self) -> list[int]:
        """Indices of the classes that evaluation counts: all but ``void``."""
        return [index for index, name in enumerate(self.names) if name != VOID]

    def as_pairs(self) -> list[tuple[str, list[int]]]:
        """Names and colors, as a model's metadata has them."""
        return [(name, list(color)) for name, color in zip(self.names, self.colors, strict=True)]

    def render(self, labels: Tensor) -> Tensor:
        """Indices ``(N, H, W)`` → RGB in [0, 1], ``(N, 3, H, W)``."""
        palette = torch.tensor(self.colors, device=labels.device) / 255
        return palette[labels.long()].permute(0, 3, 1, 2)

    def one_hot(self, labels: Tensor) -> Tensor:
        """Indices ``(N, H, W)`` → 0 and 1, ``(N, classes, H, W)`` float32."""
        return F.one_hot(labels.long(), len(self)).permute(0, 3, 1, 2).float()


def read_labels(path: Path, classes: Classes) -> Tensor:
    """Indices, ``(H, W)`` uint8, from a file of indices or of the classes' colors.

    Raises:
        ValueError: the file is no image, or has an index or a color of no class.
    """
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path}: not a readable image")
    if pixels.ndim == 3:
        return _indices_from_colors(path, np.ascontiguousarray(pixels[:, :, 2::-1]), classes)
    if pixels.max() >= len(classes):
        raise ValueError(
            f"{path}: has class {pixels.max()}; there are {len(classes)}, 0 to {len(classes) - 1}"
        )
    return torch.from_numpy(pixels.astype(np.uint8))


def resize_labels(labels: Tensor, size: Sequence[int]) -> Tensor:
    """Indices ``(N, 1, H, W)`` uint8 resized to height and width ``size``, without interpolation."""
    return F.interpolate(labels, tuple(size), mode="nearest-exact")


def _indices_from_colors(path: Path, pixels: np.ndarray, classes: Classes) -> Tensor:
    labels = np.full(pixels.shape[:2], 255, np.uint8)
    for index, color in enumerate(classes.colors):
        labels[(pixels == color).all(2)] = index
    if (labels == 255).any():
        row, column = np.argwhere(labels == 255)[0]
        wrong = tuple(map(int, pixels[row, column]))
        raise ValueError(f"{path}: the color {wrong} at {column},{row} is of no class")
    return torch.from_numpy(labels)
