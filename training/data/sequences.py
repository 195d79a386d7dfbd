"""Labelled films to train on: real drives, and stills that a camera moves over.

Real films with labels are rare. A still and its labels, moved alike, is a film as well, whose motion is known
exactly.
"""

from pathlib import Path
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.labels import Classes, read_labels
from training.data.pairs import halved, matched
from training.data.photos import read_picture

_ROOM = 9 / 8
_ZOOM = 0.02
_PAN = 3.0
_NO_FLOW = float("nan")


class Sequences(NamedTuple):
    """Some films of one length.

    Attributes:
        labels: class indices, ``(T, N, H, W)`` uint8.
        photos: RGB in [-1, 1], ``(T, N, 3, H, W)``.
        flow: where each pixel was a frame before, ``(T, N, 2, H, W)``, columns and rows from here in pixels;
            NaN where nobody knows, as in the first frame.
    """

    labels: Tensor
    photos: Tensor
    flow: Tensor

    def halved(self, stride: int) -> Self:
        """The same films, half as large, and cut to whole cells of ``stride`` pixels."""
        photos = halved(self.photos.flatten(0, 1), stride).unflatten(0, self.photos.shape[:2])
        rows, columns = (slice(0, 2 * side, 2) for side in photos.shape[3:])
        return self._replace(
            labels=self.labels[..., rows, columns], photos=photos, flow=self.flow[..., rows, columns] / 2
        )


class LabelledFilms:
    """Films with labels, in memory.

    Args:
        drive_labels, drive_photos: folders of one film's frames, in the order of their names.
        frames: of them; those after are left for evaluation.
        still_labels, still_photos: folders of single labelled photos.
        classes: of the labels.
        size: height and width of what is trained on.
        device: where they lie.

    Raises:
        ValueError: something cannot be read, or a photo has no labels.
    """

    def __init__(
        self,
        drive: tuple[Path, Path],
        frames: int,
        stills: tuple[Path, Path],
        classes: Classes,
        *,
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        whole = round(size[0] * _ROOM), round(size[1] * _ROOM)
        self.size = size
        self.drive_files = matched(*drive)[:frames]
        self.still_files = matched(*stills)
        self._drive = _read(self.drive_files, classes, whole, device)
        self._stills = _read(self.still_files, classes, whole, device)

    def batch(self, count: int, length: int, random: torch.Generator) -> Sequences:
        """``count`` films of ``length`` frames, every second of them real."""
        films = [
            self._real(length, random) if number % 2 == 0 else self._moved(length, random)
            for number in range(count)
        ]
        labels, photos, flow = (torch.stack(parts, 1) for parts in zip(*films, strict=True))
        return Sequences(labels.round().byte(), photos, flow)

    def _real(self, length: int, random: torch.Generator) -> Sequences:
        """A part of the drive, cut at one place, half of them mirrored."""
        height, width = self.size
        start = _draw(len(self._drive) - length + 1, random)
        top, left = (
            _draw(room - side + 1, random)
            for room, side in zip(self._drive.shape[2:], self.size, strict=True)
        )
        part = self._drive[start : start + length, :, top : top + height, left : left + width].float()
        part = part.flip(3) if _draw(2, random) else part
        unknown = part.new_full((length, 2, height, width), _NO_FLOW)
        return Sequences(part[:, 0], part[:, 1:] / 127.5 - 1, unknown)

    def _moved(self, length: int, random: torch.Generator) -> Sequences:
        """A still under a camera that drives into it, or pans."""
        height, width = self.size
        still = self._stills[_draw(len(self._stills), random)][None].float()
        still = still.flip(3) if _draw(2, random) else still
        drawn = 2 * torch.rand(5, generator=random, device=still.device) - 1
        steps = torch.arange(length, device=still.device)
        zoom = (1 + _ZOOM * drawn[0]) ** (steps - length / 2)
        room = torch.tensor([still.shape[3] - width, still.shape[2] - height], device=still.device) / 2
        centre = room * drawn[3:5] * 0.5
        shift = centre[:, None] + (steps - length / 2) * _PAN * torch.stack([drawn[1], drawn[2] / 3])[:, None]
        places = torch.stack([_places(zoom[t], shift[:, t], self.size) for t in range(length)])
        photos = _sample(still[:, 1:], places, "bilinear")
        labels = _sample(still[:, :1], places, "nearest")
        flow = places.new_full((length, 2, height, width), _NO_FLOW)
        for t in range(1, length):
            # Where the same place of the still was, in pixels of the frame before.
            was = (places[t] - shift[:, t - 1, None, None]) / zoom[t - 1]
            flow[t] = was - _places(zoom.new_ones(()), shift.new_zeros(2), self.size)
        return Sequences(labels[:, 0], photos / 127.5 - 1, flow)


def _places(zoom: Tensor, shift: Tensor, size: tuple[int, int]) -> Tensor:
    """Columns and rows in a still, from its centre, of a frame's pixels, ``(2, H, W)``."""
    rows = torch.arange(size[0], device=zoom.device) - (size[0] - 1) / 2
    columns = torch.arange(size[1], device=zoom.device) - (size[1] - 1) / 2
    grid = torch.stack([columns.expand(size), rows[:, None].expand(size)])
    return grid * zoom + shift[:, None, None]


def _sample(still: Tensor, places: Tensor, mode: str) -> Tensor:
    """``(1, C, H, W)`` at ``(T, 2, h, w)`` → ``(T, C, h, w)``; beyond the border it is mirrored."""
    height, width = still.shape[2:]
    scale = places.new_tensor([width / 2, height / 2])
    grid = places.permute(0, 2, 3, 1) / scale
    return F.grid_sample(
        still.expand(len(places), -1, -1, -1), grid, mode=mode, padding_mode="reflection", align_corners=False
    )


def _read(
    pairs: list[tuple[Path, Path]], classes: Classes, size: tuple[int, int], device: torch.device
) -> Tensor:
    """Labels and RGB as bytes, ``(N, 4, H, W)``."""
    read = []
    for labelled, photo in pairs:
        labels = F.interpolate(read_labels(labelled, classes)[None, None], size, mode="nearest-exact")[0]
        picture = F.interpolate(
            read_picture(photo)[None], size, mode="bilinear", antialias=True, align_corners=False
        )
        read.append(torch.cat([labels, (picture[0] * 255).round().clamp(0, 255).byte()]))
    return torch.stack(read).to(device)


def _draw(count: int, random: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=random, device=random.device))
