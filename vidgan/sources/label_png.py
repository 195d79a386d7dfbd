"""Label maps as PNGs: class indices of one channel or a palette, or colors; one, or a folder as a video."""

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
from vidgan.sources.image import DecodedImage, ImageSource, read_image
from vidgan.sources.limits import check_image_size

LABEL_RATE = Fraction(15)
"""Frames a second of a folder of label maps, as drives are labeled."""


class LabelSource(ImageSource):
    """Label maps as frames in a palette's colors.

    An index is a place in the palette. Colors stay as they are.

    Args:
        path, images, rate, trim: as of :class:`~vidgan.sources.image.ImageSource`.
        palette: whose colors.
        size: as there; between two labels there is nothing, so each pixel is one of the image's.

    Raises:
        InputError: a file is no label map, or there is none.
    """

    def __init__(
        self,
        path: Path,
        images: list[Path],
        *,
        palette: Palette,
        rate: Fraction | None = None,
        size: str | None = None,
        trim: Trim = WHOLE,
    ) -> None:
        self._palette = palette
        self._shape: tuple[int, ...] | None = None
        if path.is_dir() and not images:
            raise InputError(f"{path}: has no PNG; label maps are PNGs of class indices or of colors")
        super().__init__(path, images, rate=rate, size=size, trim=trim)

    def _check_images(self) -> None:
        """Sizes are looked at as maps are decoded; any name will do."""

    def _decode(self, path: Path) -> DecodedImage:
        image = self._in_colors(path)
        if self._shape not in (None, image.pixels.shape):
            first, now = (f"{shape[1]}x{shape[0]}" for shape in (self._shape, image.pixels.shape))
            raise InputError(
                f"{path}: is {now}, and those before are {first}; label maps of a video have one size"
            )
        self._shape = image.pixels.shape
        return image

    def _in_colors(self, path: Path) -> DecodedImage:
        if path.suffix.lower() != ".png":
            return read_image(path, to_srgb=False)
        indices = read_indices(path)
        if indices is None:
            image = read_image(path, to_srgb=False)
            if image.alpha is not None:
                raise InputError(f"{path}: has 4 channels; label maps have one, or three of colors")
            return image
        count = len(self._palette.colors)
        if (most := int(indices.max())) >= count:
            raise InputError(f"{path}: has the index {most}, and classes have 0 to {count - 1}")
        return DecodedImage(np.array(self._palette.colors, np.uint8)[indices])

    def _scaled(self, image: Pixels | Alpha) -> Pixels:
        target = self.info.width, self.info.height
        return np.asarray(cv2.resize(image, target, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def read_indices(path: Path) -> Pixels | None:
    """The indices of a PNG of one channel or with a palette, ``(H, W)`` uint8; None if it has colors.

    Raises:
        InputError: it is no PNG, or of another depth than 8 bits.
    """
    with reading(path):
        encoded = path.read_bytes()
        size = size_of(encoded)
        if size is None:
            raise InputError(f"{path}: not a PNG, or damaged or cut off")
        check_image_size(path, *size)
        images = av.CodecContext.create("png", "r").decode(av.Packet(encoded))
    if not images:
        raise InputError(f"{path}: not a PNG, or damaged or cut off")
    image = images[0]
    if image.format.name not in ("gray", "pal8"):
        if image.format.name.startswith(("gray", "ya", "mono")):
            raise InputError(f"{path}: is gray, but not of 8 bits alone; so are PNGs of class indices")
        return None
    plane = image.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return np.ascontiguousarray(rows[: image.height, : image.width])
