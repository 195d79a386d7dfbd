"""Image domains for unpaired translation: any folder of images, stored on the device."""

from pathlib import Path

import torch
from torch import Tensor

from training.data.image_crops import ImageCrops, square_images
from training.data.photos import list_photos, split_held_out

MIN_IMAGES = 12
_HELD_OUT = 20
_STRIDE = 8
"""Multiple of every generator's stride."""


class ImageDomain:
    """The images of one of the two folders.

    Args:
        folder: images in it and below.
        side, short_side, device: as of :class:`ImageCrops`.
        trim: likewise; removes frames, margins and seals.

    Attributes:
        photos, held_out: files that are trained on, and a tenth, at most 20, that is held out.

    Raises:
        FileNotFoundError: the folder is missing, or has no image.
        ValueError: there are too few images, or some cannot be read.
    """

    def __init__(
        self, folder: Path, *, side: int, short_side: int, trim: float = 0.0, device: torch.device
    ) -> None:
        self.photos, self.held_out = split_domain(folder)
        self.short_side, self.trim, self.device = short_side, trim, device
        self._crops = ImageCrops(self.photos, side=side, short_side=short_side, trim=trim, device=device)

    def batch(self, count: int, random: torch.Generator) -> Tensor:
        """As :meth:`ImageCrops.batch`."""
        return self._crops.batch(count, random)

    def samples(self, count: int) -> Tensor:
        """Squares of held-out images with the short side of the training, ``(at most count, 3, S, S)``."""
        side = self.short_side // _STRIDE * _STRIDE
        return square_images(self.held_out[:count], side, trim=self.trim).to(self.device)


def split_domain(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files to train on and files held out, as of :class:`ImageDomain`.

    Raises:
        FileNotFoundError, ValueError: as of :class:`ImageDomain`.
    """
    found = list_photos([folder])
    if len(found) < MIN_IMAGES:
        raise ValueError(
            f"{folder}: {len(found)} images are too few to learn from; give {MIN_IMAGES} or more"
        )
    return split_held_out(found, min(_HELD_OUT, len(found) // 10))
