"""Pictures and what is to become of them, for the conditional GAN.

What goes in, the condition, and what is to come out are in [-1, 1], as the paper has them; label maps go in
as one channel a class, 0 and 1. All pairs lie in memory, on the device, a little larger than they are used:
the margin is for moving them about.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from training.data.colour import lab_of, rgb_of
from training.data.domains import Pictures, squares
from training.data.labels import Classes, read_labels
from training.data.photos import list_photos, read_picture, split_held_out

_MARGIN = 9 / 8
_HELD_OUT = 8
_ROOM = 5 / 4
"""Likewise of grey photos, whose crops are to show most of them."""


class Pairs(Protocol):
    """Training material for one kind of translation.

    Attributes:
        inputs, outputs: channels of conditions, and of what they become.
        photos, held_out: files that are trained on, and files that are not.
    """

    inputs: int
    outputs: int
    photos: list[Path]
    held_out: list[Path]

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Random conditions and their truths, ``(count, channels, H, W)``."""
        ...

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        """Likewise of what is not trained on; always the same."""
        ...

    def drawn(self, condition: Tensor) -> Tensor:
        """Conditions as RGB in [0, 1], ``(N, 3, H, W)``."""
        ...

    def picture(self, condition: Tensor, made: Tensor) -> Tensor:
        """What was made of conditions, as RGB in [0, 1], ``(N, 3, H, W)``."""
        ...


class LabelledPhotos:
    """Label maps, and the photos that they were drawn from.

    Args:
        labels, photos: folders; what belongs together has one name.
        classes: of the labels.
        size: height and width of what is trained on.
        device: where the pairs lie.

    Raises:
        ValueError: a picture cannot be read, or a photo has no labels.
    """

    def __init__(
        self, labels: Path, photos: Path, classes: Classes, *, size: tuple[int, int], device: torch.device
    ) -> None:
        self.classes = classes
        self.inputs, self.outputs = len(classes), 3
        kept, held = _apart(matched(labels, photos))
        self.photos, self.held_out = [photo for _, photo in kept], [photo for _, photo in held]
        maps = {photo: labelled for labelled, photo in (*kept, *held)}

        def both(photo: Path) -> tuple[Tensor, Tensor]:
            return read_labels(maps[photo], classes)[None], _bytes(read_picture(photo))

        self._kept = _Kept(map(both, self.photos), size, device)
        self._held = _Kept(map(both, self.held_out), size, device, margin=1.0)

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        labels, photos = self._kept.moved(count, random)
        return self.classes.one_hot(labels[:, 0]), _signed(photos)

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        labels, photos = self._held.first(count)
        return self.classes.one_hot(labels[:, 0]), _signed(photos)

    def drawn(self, condition: Tensor) -> Tensor:
        return self.classes.drawn(condition.argmax(1))

    def picture(self, condition: Tensor, made: Tensor) -> Tensor:
        return (made + 1) / 2


class LabelsOfPhotos(LabelledPhotos):
    """The other way round: photos, and their labels as one channel a class, -1 and 1.

    Args:
        labels, photos, classes, size, device: as of :class:`LabelledPhotos`.
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

    def drawn(self, condition: Tensor) -> Tensor:
        return (condition + 1) / 2

    def picture(self, condition: Tensor, made: Tensor) -> Tensor:
        return self.classes.drawn(made.argmax(1))


class PicturePairs:
    """Pictures, and the pictures that they shall become.

    Args:
        inputs, targets: folders; what belongs together has one name. One folder for both has pictures of
            both, side by side, what goes in on the left, as the data of the paper are.
        size, device: as of :class:`LabelledPhotos`.

    Raises:
        ValueError: a picture cannot be read, or has no other.
    """

    inputs = outputs = 3

    def __init__(self, inputs: Path, targets: Path, *, size: tuple[int, int], device: torch.device) -> None:
        kept, held = _apart(matched(inputs, targets))
        self.photos = [target for _, target in kept]
        self.held_out = [target for _, target in held]
        self._kept = _Kept(map(_both, kept), size, device)
        self._held = _Kept(map(_both, held), size, device, margin=1.0)

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        before, after = self._kept.moved(count, random)
        return _signed(before), _signed(after)

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        before, after = self._held.first(count)
        return _signed(before), _signed(after)

    def drawn(self, condition: Tensor) -> Tensor:
        return (condition + 1) / 2

    def picture(self, condition: Tensor, made: Tensor) -> Tensor:
        return (made + 1) / 2


class GreyPhotos:
    """Lightness of photos, and their colours: L of CIE Lab, and a and b.

    Args:
        folders: of photos.
        side: of the square crops that are trained on.
        device: where they are wanted.
    """

    inputs, outputs = 1, 2

    def __init__(self, folders: Sequence[Path], *, side: int, device: torch.device) -> None:
        self.photos, self.held_out = split_held_out(list_photos(folders))
        self._side, self._device = side, device
        self._kept = Pictures(self.photos, side=side, short_side=round(_ROOM * side), device=device)

    def batch(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        return _split(self._kept.batch(count, random))

    def samples(self, count: int) -> tuple[Tensor, Tensor]:
        return _split(squares(self.held_out[:count], self._side).to(self._device))

    def drawn(self, condition: Tensor) -> Tensor:
        return self.picture(condition, torch.zeros_like(condition).expand(-1, 2, -1, -1))

    def picture(self, condition: Tensor, made: Tensor) -> Tensor:
        return rgb_of(torch.cat([condition, made], 1))


def halved(pictures: Tensor, stride: int) -> Tensor:
    """``(N, C, H, W)``, half as large, and cut to whole cells of ``stride`` pixels."""
    height, width = (side // 2 // stride * stride for side in pictures.shape[2:])
    return torch.nn.functional.avg_pool2d(pictures, 2)[..., :height, :width]


def _apart(pairs: list[tuple[Path, Path]]) -> tuple[list[tuple[Path, Path]], list[tuple[Path, Path]]]:
    """Pairs to train on, and those that are held out.

    Raises:
        ValueError: there would be none to train on.
    """
    if len(pairs) <= _HELD_OUT:
        raise ValueError(f"{len(pairs)} pairs are too few: {_HELD_OUT} are held out for evaluation")
    held = pairs[:: len(pairs) // _HELD_OUT][:_HELD_OUT]
    return [pair for pair in pairs if pair not in held], held


def matched(inputs: Path, targets: Path) -> list[tuple[Path, Path]]:
    """What has the same name in two folders, in the order of the names.

    Raises:
        ValueError: something has no other, or there is nothing.
    """
    before, after = ({path.stem: path for path in list_photos([folder])} for folder in (inputs, targets))
    if alone := sorted(before.keys() ^ after.keys()):
        lonely = before.get(alone[0]) or after[alone[0]]
        other = targets if alone[0] in before else inputs
        raise ValueError(f"{lonely}: there is no {alone[0]} in {other}")
    return [(before[name], after[name]) for name in sorted(before)]


class _Kept:
    """Pairs of pictures in memory, all of one size, as bytes."""

    def __init__(
        self,
        pairs: Iterable[tuple[Tensor, Tensor]],
        size: tuple[int, int],
        device: torch.device,
        *,
        margin: float = _MARGIN,
    ) -> None:
        self._size = size
        whole = round(size[0] * margin), round(size[1] * margin)
        fitted = [torch.cat([_resized(each, whole) for each in pair]) for pair in pairs]
        self._pixels = torch.stack(fitted).to(device)

    def moved(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Some of them, each at a random place, and half of them mirrored."""
        device = self._pixels.device
        height, width = self._size
        picks = torch.randint(len(self._pixels), (count,), generator=random, device=device)
        cuts = []
        for pick in picks.tolist():
            whole = self._pixels[pick]
            room = whole.shape[1] - height + 1, whole.shape[2] - width + 1
            top, left = (int(torch.randint(each, (), generator=random, device=device)) for each in room)
            cut = whole[:, top : top + height, left : left + width]
            mirrored = bool(torch.randint(2, (), generator=random, device=device))
            cuts.append(cut.flip(2) if mirrored else cut)
        return _parted(torch.stack(cuts))

    def first(self, count: int) -> tuple[Tensor, Tensor]:
        return _parted(self._pixels[:count])


def _parted(pairs: Tensor) -> tuple[Tensor, Tensor]:
    """The target is the last three channels."""
    return pairs[:, :-3], pairs[:, -3:]


def _both(pair: tuple[Path, Path]) -> tuple[Tensor, Tensor]:
    before, after = pair
    if before != after:
        return _bytes(read_picture(before)), _bytes(read_picture(after))
    picture = _bytes(read_picture(before))
    half = picture.shape[2] // 2
    return picture[:, :, :half], picture[:, :, half : 2 * half]


def _bytes(picture: Tensor) -> Tensor:
    return (picture * 255).round().byte()


def _resized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """uint8 ``(C, H, W)``; labels, of one channel, take their nearest."""
    if pixels.shape[0] == 1:
        return torch.nn.functional.interpolate(pixels[None], size, mode="nearest-exact")[0]
    larger = torch.nn.functional.interpolate(
        pixels[None].float(), size, mode="bilinear", antialias=True, align_corners=False
    )
    return larger[0].round().clamp(0, 255).byte()


def _signed(pixels: Tensor) -> Tensor:
    return pixels.float() / 127.5 - 1


def _split(photos: Tensor) -> tuple[Tensor, Tensor]:
    lab = lab_of(photos)
    return lab[:, :1], lab[:, 1:]
