"""Masks that are found in the input: its person, or the pixels of a class."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vidgan.errors import InputError
from vidgan.media import compositing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.models.registry import ModelSpec
from vidgan.session.output_check import ImageModel
from vidgan.sources import is_still, open_source
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.style.mask import Mask, MovingMask, Read, Shaping

PERSON = "person"
_CLASS = "class:"

_LONG_SIDE = 512
"""Long side of the images in which a person is searched: twice what the network takes."""
_SHORT_SIDE = 256
"""Short side of the images that are segmented, where a model does not say what it was trained with."""


def is_found(mask: Path) -> bool:
    """Whether ``--mask`` says what is to be found, and names no file."""
    text = str(mask)
    return (text == PERSON or text.startswith(_CLASS)) and not mask.exists()


def class_in(mask: Path | None) -> str | None:
    """The class whose pixels are the mask; None for another mask."""
    return None if mask is None or not is_found(mask) or str(mask) == PERSON else str(mask)[len(_CLASS) :]


def class_index(name: str, spec: ModelSpec) -> int:
    """The index of a class of a segmentation model.

    Raises:
        InputError: it has none of that name.
    """
    names = [each for each, _ in spec.classes]
    if name not in names:
        raise InputError(f"`mask`: {spec.name} knows no class {name!r}; it knows {', '.join(names)}")
    return names.index(name)


def open_found_mask(
    read: Read, input: Path, info: VideoInfo, *, start: Fraction, feather: float, invert: bool, what: str
) -> Mask:
    """Opens a mask that is found in the frames of the input, which it decodes a second time.

    Args:
        read: finds it in a frame, see :func:`person_in` and :func:`pixels_of`.
        input: where the frames come from; a path that does not exist stands for an image in memory.
        info: the frames that it is for.
        start, feather, invert: as of :func:`vidgan.tasks.style.mask.open_mask`.
        what: is found, for messages.
    """
    shaping = Shaping((info.width, info.height), feather, invert)
    counted = _Counted(read)
    if input.is_dir() or (input.exists() and not is_still(input)):
        mask: Mask = MovingMask(input, shaping, start=start, rate=info.frame_rate, read=counted)
    else:
        mask = _FrameMask(input, shaping, counted)
    return FoundMask(mask, counted, f"{input}: no {what} was found in it, so nothing is inside the mask")


class FoundMask:
    """A mask that says afterwards if there was nothing to find."""

    def __init__(self, mask: Mask, counted: "_Counted", missing: str) -> None:
        self._mask, self._counted, self._missing = mask, counted, missing
        self.at = mask.at

    @property
    def warnings(self) -> Sequence[str]:
        return [*self._mask.warnings, *([] if self._counted.found else [self._missing])]


class _Counted:
    """Whether anything was found in any frame."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.found = False

    def __call__(self, frame: Frame) -> compositing.Matte | None:
        mask = self._read(frame)
        self.found |= mask is not None and bool(mask.max() >= 128)
        return mask


class _FrameMask:
    """The mask of an image: the file's, or where the image is in memory, that of the frame."""

    def __init__(self, input: Path, shaping: Shaping, read: Read) -> None:
        self.warnings: list[str] = []
        self._shaping, self._read = shaping, read
        self._mask: compositing.Matte | None = None
        if input.exists():
            with open_source(input) as source:
                self._mask = self._of(next(iter(source)))

    def at(self, frame: Frame) -> compositing.Matte:
        return self._of(frame) if self._mask is None else self._mask

    def _of(self, frame: Frame) -> compositing.Matte:
        found = self._read(frame)
        return self._shaping.shape(np.zeros((1, 1), np.uint8) if found is None else found)


def person_in(finder: PoseFinder) -> Read:
    """Finds a person by BlazePose's mask; edges are as sure as the network is."""

    def read(frame: Frame) -> compositing.Matte | None:
        small = _scaled(frame.pixels, _LONG_SIDE / max(frame.pixels.shape[:2]))
        found = finder.find(RgbImage(small))
        if found is None:
            return None
        height, width = small.shape[:2]
        return np.asarray(np.rint(255 * found.opacity_in((width, height))), np.uint8)

    return read


def pixels_of(index: int, model: ImageModel, spec: ModelSpec) -> Callable[[Frame], compositing.Matte]:
    """Finds the pixels of a class, in images of the size that the segmentation model was trained with."""

    def read(frame: Frame) -> compositing.Matte:
        short = min(frame.pixels.shape[:2])
        labels = model.run(_scaled(frame.pixels, (spec.side or _SHORT_SIDE) / short)[np.newaxis])[0]
        return np.asarray(np.where(labels == index, 255, 0), np.uint8)

    return read


def _scaled(pixels: Pixels, scale: float) -> Pixels:
    """Smaller, or as it is."""
    if scale >= 1:
        return pixels
    size = tuple(max(16, round(side * scale)) for side in pixels.shape[1::-1])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
