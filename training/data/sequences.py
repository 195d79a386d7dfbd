"""Labeled videos for vid2vid: a real video, and photos under a moving virtual camera.

Labeled videos are rare. A photo and its labels that are moved alike are a labeled video as well, with an exactly
known optical flow.
"""

from pathlib import Path
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.images import read_image, resize_bilinear
from training.data.labels import Classes, read_labels, resize_labels
from training.data.pairs import half_size, matched

_MARGIN = 9 / 8
_ZOOM = 0.02
_PAN = 3.0
_UNKNOWN = float("nan")


class Sequences(NamedTuple):
    """Labeled videos of one length.

    Attributes:
        labels: class indices, ``(T, N, H, W)`` uint8.
        photos: RGB in [-1, 1], ``(T, N, 3, H, W)``.
        flow: position of each pixel in the previous frame, ``(T, N, 2, H, W)``, columns and rows relative to here, in
            pixels; NaN where it is unknown, as in the first frame.
    """

    labels: Tensor
    photos: Tensor
    flow: Tensor

    def half_size(self, stride: int) -> Self:
        """The same videos at half the size, cropped to multiples of ``stride``."""
        photos = half_size(self.photos.flatten(0, 1), stride).unflatten(0, self.photos.shape[:2])
        rows, columns = (slice(0, 2 * side, 2) for side in photos.shape[3:])
        return self._replace(
            labels=self.labels[..., rows, columns], photos=photos, flow=self.flow[..., rows, columns] / 2
        )


class LabeledVideos:
    """Labeled videos, stored on the device.

    Args:
        video: folders of labels and of photos: the frames of one video, sorted by name.
        train_frames: frames that are trained on; later ones are for evaluation.
        stills: folders of labels and of photos: single labeled photos.
        classes: of the labels.
        size: height and width of the crops.
        device: where they are stored.

    Raises:
        ValueError: a file cannot be read, or has no other.
    """

    def __init__(
        self,
        video: tuple[Path, Path],
        train_frames: int,
        stills: tuple[Path, Path],
        classes: Classes,
        *,
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        stored = round(size[0] * _MARGIN), round(size[1] * _MARGIN)
        self.size = size
        self.video_files = matched(*video)[:train_frames]
        self.still_files = matched(*stills)
        self._video = _read(self.video_files, classes, stored, device)
        self._stills = _read(self.still_files, classes, stored, device)

    def batch(self, count: int, length: int, random: torch.Generator) -> Sequences:
        """``count`` videos of ``length`` frames, alternately real and made from a photo."""
        videos = [
            self._real(length, random) if number % 2 == 0 else self._moved(length, random)
            for number in range(count)
        ]
        labels, photos, flow = (torch.stack(parts, 1) for parts in zip(*videos, strict=True))
        return Sequences(labels.round().byte(), photos, flow)

    def _real(self, length: int, random: torch.Generator) -> Sequences:
        """A part of the video, cropped at one position, mirrored half the time."""
        height, width = self.size
        start = _draw(len(self._video) - length + 1, random)
        top, left = (
            _draw(stored - side + 1, random)
            for stored, side in zip(self._video.shape[2:], self.size, strict=True)
        )
        part = self._video[start : start + length, :, top : top + height, left : left + width].float()
        part = part.flip(3) if _draw(2, random) else part
        unknown = part.new_full((length, 2, height, width), _UNKNOWN)
        return Sequences(part[:, 0], part[:, 1:] / 127.5 - 1, unknown)

    def _moved(self, length: int, random: torch.Generator) -> Sequences:
        """A photo under a camera that zooms and pans."""
        height, width = self.size
        still = self._stills[_draw(len(self._stills), random)][None].float()
        still = still.flip(3) if _draw(2, random) else still
        drawn = 2 * torch.rand(5, generator=random, device=still.device) - 1
        steps = torch.arange(length, device=still.device)
        zoom = (1 + _ZOOM * drawn[0]) ** (steps - length / 2)
        margin = torch.tensor([still.shape[3] - width, still.shape[2] - height], device=still.device) / 2
        center = margin * drawn[3:5] * 0.5
        shift = center[:, None] + (steps - length / 2) * _PAN * torch.stack([drawn[1], drawn[2] / 3])[:, None]
        places = torch.stack([_places(zoom[t], shift[:, t], self.size) for t in range(length)])
        photos = _sample(still[:, 1:], places, "bilinear")
        labels = _sample(still[:, :1], places, "nearest")
        flow = places.new_full((length, 2, height, width), _UNKNOWN)
        for t in range(1, length):
            # Where the same place of the photo was, in pixels of the previous frame.
            previous = (places[t] - shift[:, t - 1, None, None]) / zoom[t - 1]
            flow[t] = previous - _places(zoom.new_ones(()), shift.new_zeros(2), self.size)
        return Sequences(labels[:, 0], photos / 127.5 - 1, flow)


def _places(zoom: Tensor, shift: Tensor, size: tuple[int, int]) -> Tensor:
    """Columns and rows in a photo, from its center, of a frame's pixels, ``(2, H, W)``."""
    rows = torch.arange(size[0], device=zoom.device) - (size[0] - 1) / 2
    columns = torch.arange(size[1], device=zoom.device) - (size[1] - 1) / 2
    grid = torch.stack([columns.expand(size), rows[:, None].expand(size)])
    return grid * zoom + shift[:, None, None]


def _sample(still: Tensor, places: Tensor, mode: str) -> Tensor:
    """``(1, C, H, W)`` at ``(T, 2, h, w)`` → ``(T, C, h, w)``; the image is reflected at its border."""
    height, width = still.shape[2:]
    scale = places.new_tensor([width / 2, height / 2])
    grid = places.permute(0, 2, 3, 1) / scale
    return F.grid_sample(
        still.expand(len(places), -1, -1, -1), grid, mode=mode, padding_mode="reflection", align_corners=False
    )


def _read(
    pairs: list[tuple[Path, Path]], classes: Classes, size: tuple[int, int], device: torch.device
) -> Tensor:
    """Labels and RGB as uint8, ``(N, 4, H, W)``."""
    read = []
    for labeled, photo in pairs:
        labels = resize_labels(read_labels(labeled, classes)[None, None], size)[0]
        image = resize_bilinear(read_image(photo)[None], size)
        read.append(torch.cat([labels, (image[0] * 255).round().clamp(0, 255).byte()]))
    return torch.stack(read).to(device)


def _draw(count: int, random: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=random, device=random.device))
