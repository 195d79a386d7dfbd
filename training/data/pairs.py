"""Paired images for conditional GANs: conditions and their targets.

Both are in [-1, 1], as in pix2pix; label maps are one-hot, 0 and 1. All pairs are stored on the device, with a
margin for random crops.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from training.data.color_space import lab_from_rgb, rgb_from_lab
from training.data.image_crops import ImageCrops, square_images
from training.data.images import read_image, resize_bilinear, to_uint8
from training.data.labels import Classes, read_labels, resize_labels
from training.data.photos import list_photos, split_held_out

_MARGIN = 9 / 8
"""Size of stored pairs per size of the crops."""
_PHOTO_MARGIN = 5 / 4
"""Likewise of the short side of photos to colorize, whose crops are to show most of them."""
_HELD_OUT = 8


class Pairs(Protocol):
    """Training data of one kind of translation.

    Attributes:
        inputs, outputs: channels of conditions and of targets.
        photos, held_out: files that are trained on, and files that are held out.
    """

    inputs: int
    outputs: int
    photos: list[Path]
    held_out: list[Path]

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random conditions and targets, ``(count, channels, H, W)``."""
        ...

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        """Held-out conditions and targets; always the same."""
        ...

    def show_condition(self, condition: Tensor) -> Tensor:
        """Conditions as RGB in [0, 1], ``(N, 3, H, W)``."""
        ...

    def show_output(self, condition: Tensor, output: Tensor) -> Tensor:
        """Outputs or targets as RGB in [0, 1], ``(N, 3, H, W)``."""
        ...


class LabelsToPhotos:
    """Label maps as conditions, photos as targets.

    Args:
        labels, photos: folders; files of a pair have the same name.
        classes: of the labels.
        size: height and width of the crops.
        device: where the pairs are stored.

    Raises:
        ValueError: a file cannot be read, or has no other.
    """

    def __init__(
        self, labels: Path, photos: Path, classes: Classes, *, size: tuple[int, int], device: torch.device
    ) -> None:
        self.classes = classes
        self.inputs, self.outputs = len(classes), 3
        kept, held = _split(matched(labels, photos))
        self.photos, self.held_out = [photo for _, photo in kept], [photo for _, photo in held]
        maps = {photo: labeled for labeled, photo in (*kept, *held)}

        def read_pair(photo: Path) -> tuple[Tensor, Tensor]:
            return read_labels(maps[photo], classes)[None], to_uint8(read_image(photo))

        self._kept = _PairStore(map(read_pair, self.photos), size, device)
        self._held = _PairStore(map(read_pair, self.held_out), size, device, margin=1.0)

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        labels, photos = self._kept.crops(count, random)
        return self.classes.one_hot(labels[:, 0]), _signed(photos)

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        labels, photos = self._held.first(count)
        return self.classes.one_hot(labels[:, 0]), _signed(photos)

    def show_condition(self, condition: Tensor) -> Tensor:
        return self.classes.render(condition.argmax(1))

    def show_output(self, condition: Tensor, output: Tensor) -> Tensor:
        return (output + 1) / 2


class PhotosToLabels(LabelsToPhotos):
    """Photos as conditions, label maps as targets: one channel per class, -1 and 1.

    Args:
        labels, photos, classes, size, device: as of :class:`LabelsToPhotos`.
    """

    def __init__(
        self, labels: Path, photos: Path, classes: Classes, *, size: tuple[int, int], device: torch.device
    ) -> None:
        super().__init__(labels, photos, classes, size=size, device=device)
        self.inputs, self.outputs = 3, len(classes)

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        labels, photos = super().batch(count, random)
        return photos, 2 * labels - 1

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        labels, photos = super().samples(count)
        return photos, 2 * labels - 1

    def show_condition(self, condition: Tensor) -> Tensor:
        return (condition + 1) / 2

    def show_output(self, condition: Tensor, output: Tensor) -> Tensor:
        return self.classes.render(output.argmax(1))


class ImagePairs:
    """RGB images as conditions and as targets.

    Args:
        inputs, targets: folders; files of a pair have the same name. If both are one folder, each of its files
            shows the condition on the left and the target on the right, as in pix2pix's datasets.
        size, device: as of :class:`LabelsToPhotos`.

    Raises:
        ValueError: a file cannot be read, or has no other.
    """

    inputs = outputs = 3

    def __init__(self, inputs: Path, targets: Path, *, size: tuple[int, int], device: torch.device) -> None:
        kept, held = _split(matched(inputs, targets))
        self.photos = [target for _, target in kept]
        self.held_out = [target for _, target in held]
        self._kept = _PairStore(map(_read_pair, kept), size, device)
        self._held = _PairStore(map(_read_pair, held), size, device, margin=1.0)

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        conditions, targets = self._kept.crops(count, random)
        return _signed(conditions), _signed(targets)

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        conditions, targets = self._held.first(count)
        return _signed(conditions), _signed(targets)

    def show_condition(self, condition: Tensor) -> Tensor:
        return (condition + 1) / 2

    def show_output(self, condition: Tensor, output: Tensor) -> Tensor:
        return (output + 1) / 2


class GrayToColor:
    """Lightness of photos as conditions, chroma as targets: L, and a and b of CIE Lab.

    Args:
        folders: of photos.
        side: of the square crops.
        device: where the photos are stored.
    """

    inputs, outputs = 1, 2

    def __init__(self, folders: Sequence[Path], *, side: int, device: torch.device) -> None:
        self.photos, self.held_out = split_held_out(list_photos(folders))
        self._side, self._device = side, device
        short_side = round(_PHOTO_MARGIN * side)
        self._crops = ImageCrops(self.photos, side=side, short_side=short_side, device=device)

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        return _split_lab(self._crops.batch(count, random))

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        return _split_lab(square_images(self.held_out[:count], self._side).to(self._device))

    def show_condition(self, condition: Tensor) -> Tensor:
        return self.show_output(condition, torch.zeros_like(condition).expand(-1, 2, -1, -1))

    def show_output(self, condition: Tensor, output: Tensor) -> Tensor:
        return rgb_from_lab(torch.cat([condition, output], 1))


def half_size(images: Tensor, stride: int) -> Tensor:
    """``(N, C, H, W)`` at half the size, cropped to multiples of ``stride``."""
    height, width = (side // 2 // stride * stride for side in images.shape[2:])
    return torch.nn.functional.avg_pool2d(images, 2)[..., :height, :width]


def matched(inputs: Path, targets: Path) -> list[tuple[Path, Path]]:
    """Files with the same name in two folders, sorted by name.

    Raises:
        ValueError: a file has no other, or there is none.
    """
    before, after = ({path.stem: path for path in list_photos([folder])} for folder in (inputs, targets))
    if unmatched := sorted(before.keys() ^ after.keys()):
        path = before.get(unmatched[0]) or after[unmatched[0]]
        other = targets if unmatched[0] in before else inputs
        raise ValueError(f"{path}: there is no {unmatched[0]} in {other}")
    return [(before[name], after[name]) for name in sorted(before)]


def _split(pairs: list[tuple[Path, Path]]) -> tuple[list[tuple[Path, Path]], list[tuple[Path, Path]]]:
    """Pairs to train on, and pairs held out.

    Raises:
        ValueError: there would be none to train on.
    """
    if len(pairs) <= _HELD_OUT:
        raise ValueError(f"{len(pairs)} pairs are too few: {_HELD_OUT} are held out for evaluation")
    held = pairs[:: len(pairs) // _HELD_OUT][:_HELD_OUT]
    return [pair for pair in pairs if pair not in held], held


class _PairStore:
    """Pairs of images of one size on the device, uint8."""

    def __init__(
        self,
        pairs: Iterable[tuple[Tensor, Tensor]],
        size: tuple[int, int],
        device: torch.device,
        *,
        margin: float = _MARGIN,
    ) -> None:
        self._size = size
        stored = round(size[0] * margin), round(size[1] * margin)
        resized = [torch.cat([_resized(each, stored) for each in pair]) for pair in pairs]
        self._pixels = torch.stack(resized).to(device)

    def crops(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random crops of random pairs, mirrored half the time."""
        device = self._pixels.device
        height, width = self._size
        picks = torch.randint(len(self._pixels), (count,), generator=random, device=device)
        crops = []
        for pick in picks.tolist():
            pair = self._pixels[pick]
            positions = pair.shape[1] - height + 1, pair.shape[2] - width + 1
            top, left = (int(torch.randint(each, (), generator=random, device=device)) for each in positions)
            crop = pair[:, top : top + height, left : left + width]
            mirrored = bool(torch.randint(2, (), generator=random, device=device))
            crops.append(crop.flip(2) if mirrored else crop)
        return _split_channels(torch.stack(crops))

    def first(self, count: int) -> tuple[Tensor, Tensor]:
        return _split_channels(self._pixels[:count])


def _split_channels(pairs: Tensor) -> tuple[Tensor, Tensor]:
    """The target is the last three channels."""
    return pairs[:, :-3], pairs[:, -3:]


def _read_pair(pair: tuple[Path, Path]) -> tuple[Tensor, Tensor]:
    condition, target = pair
    if condition != target:
        return to_uint8(read_image(condition)), to_uint8(read_image(target))
    image = to_uint8(read_image(condition))
    half = image.shape[2] // 2
    return image[:, :, :half], image[:, :, half : 2 * half]


def _resized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 ``(C, H, W)`` resized; one channel is labels, which are not interpolated."""
    if pixels.shape[0] == 1:
        return resize_labels(pixels[None], size)[0]
    return resize_bilinear(pixels[None].float(), size)[0].round().clamp(0, 255).byte()


def _signed(pixels: Tensor) -> Tensor:
    return pixels.float() / 127.5 - 1


def _split_lab(photos: Tensor) -> tuple[Tensor, Tensor]:
    lab = lab_from_rgb(photos)
    return lab[:, :1], lab[:, 1:]
