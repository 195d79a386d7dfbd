"""Label maps as PNGs: class indices of one channel or a palette, or colours; one, or a folder as a film."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from vidgan.errors import InputError
from vidgan.media.ffmpeg import reading
from vidgan.media.frame import Alpha
from vidgan.media.image import Pixels
from vidgan.media.label_map import Palette
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources.header import size_of
from vidgan.sources.image import PictureSource, read_picture
from vidgan.sources.limits import check_picture_size

LABEL_RATE = Fraction(15)
"""Frames a second of a folder of label maps, as drives are labelled."""


class LabelSource(PictureSource):
    """Label maps as frames in a palette's colours.

    An index is a place in the palette. Colours stay as they are.

    Args:
        path, pictures, rate, trim: as of :class:`~vidgan.sources.image.PictureSource`.
        palette: whose colours.
        size: as there; between two labels there is nothing, so each pixel is one of the picture's.

    Raises:
        InputError: a file is no label map, or there is none.
    """

    def __init__(
        self,
        path: Path,
        pictures: list[Path],
        *,
        palette: Palette,
        rate: Fraction | None = None,
        size: str | None = None,
        trim: Trim = WHOLE,
    ) -> None:
        self._palette = palette
        self._shape: tuple[int, ...] | None = None
        if path.is_dir() and not pictures:
            raise InputError(f"{path}: has no PNG; label maps are PNGs of class indices or of colours")
        super().__init__(path, pictures, rate=rate, size=size, trim=trim)

    def _picture(self, path: Path) -> tuple[Pixels, Alpha | None, bool]:
        pixels, alpha, damaged = self._in_colours(path)
        if self._shape not in (None, pixels.shape):
            first, now = (f"{shape[1]}x{shape[0]}" for shape in (self._shape, pixels.shape))
            raise InputError(
                f"{path}: is {now}, and those before are {first}; label maps of a film have one size"
            )
        self._shape = pixels.shape
        return pixels, alpha, damaged

    def _in_colours(self, path: Path) -> tuple[Pixels, Alpha | None, bool]:
        if path.suffix.lower() != ".png":
            return read_picture(path)
        indices = read_indices(path)
        if indices is None:
            pixels, alpha, damaged = read_picture(path)
            if alpha is not None:
                raise InputError(f"{path}: has 4 channels; label maps have one, or three of colours")
            return pixels, None, damaged
        count = len(self._palette.colours)
        if (most := int(indices.max())) >= count:
            raise InputError(f"{path}: has the index {most}, and classes have 0 to {count - 1}")
        return np.array(self._palette.colours, np.uint8)[indices], None, False

    def _scaled(self, picture: Pixels | Alpha) -> Pixels:
        target = self.info.width, self.info.height
        return np.asarray(cv2.resize(picture, target, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def read_indices(path: Path) -> Pixels | None:
    """The indices of a PNG of one channel or with a palette, ``(H, W)`` uint8; None if it has colours.

    Raises:
        InputError: it is no PNG, or of another depth than 8 bits.
    """
    with reading(path):
        encoded = path.read_bytes()
        size = size_of(encoded)
        if size is None:
            raise InputError(f"{path}: not a PNG, or damaged or cut off")
        check_picture_size(path, *size)
        pictures = av.CodecContext.create("png", "r").decode(av.Packet(encoded))
    if not pictures:
        raise InputError(f"{path}: not a PNG, or damaged or cut off")
    picture = pictures[0]
    if picture.format.name not in ("gray", "pal8"):
        if picture.format.name.startswith(("gray", "ya", "mono")):
            raise InputError(f"{path}: is grey, but not of 8 bits alone; so are PNGs of class indices")
        return None
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return np.ascontiguousarray(rows[: picture.height, : picture.width])
