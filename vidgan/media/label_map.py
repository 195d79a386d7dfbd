"""Label maps: of every pixel, which class of things it belongs to, drawn in a color a class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.errors import InputError
from vidgan.media.image import Pixels

Labels = NDArray[np.uint8]
"""Class indices, ``(H, W)`` uint8."""

RgbColor = tuple[int, int, int]
"""Red, green, blue; 0 to 255."""

_BITS = 6
"""Bits of each channel of a color in the look-up of its nearest one."""
_FAR = 48.0
_EVERY = 5
_SURE = 50.0
"""How far each channel of a color may be from one of the palette's that it surely is."""
_FEWEST = 6
"""Pixels of nine that have to say the same, one of them in the middle."""
_NOBODY = 0xFFFF
_SIDE = 5
"""Side of the square of neighbors that vote."""
_VOTE = 10.0
"""Weight of a vote against squared distances of colors."""
_ALONE = 1000.0
"""Cost of a class that no neighbor votes for."""
_LUMA_CHROMA = (
    np.array([[0.299, -0.169, 0.5], [0.587, -0.331, -0.419], [0.114, 0.5, -0.081]]) * [1.0, 0.32, 0.32]
).astype(np.float32)
"""Matrix from RGB. Chroma counts a tenth, in squares, because it is subsampled and mixed over twice the width."""


@dataclass(frozen=True)
class Palette:
    """Colors, and the classes that they stand for.

    Attributes:
        colors: all different.
        classes: index of the class of each.
    """

    colors: tuple[RgbColor, ...]
    classes: tuple[int, ...]

    @classmethod
    def of(cls, classes: Sequence[tuple[str, RgbColor]]) -> "Palette":
        """A model's own: a class a color, in their order."""
        return cls(tuple(color for _, color in classes), tuple(range(len(classes))))

    def labels(self, pixels: Pixels) -> Labels:
        """Class indices of a drawn label map; compressed ones are taken by their nearest color.

        Between two colors lie those of other classes: where compression mixed them, thin lines of a class
        that was never there would stand. So who is not sure asks those around, and becomes what is there
        and has the nearest luma: that is compressed at full size.
        """
        exact = self._exact(pixels)
        if exact is not None:
            return exact
        cells = _cells(pixels)
        places = _settled(pixels, self._nearest[cells], self._near[cells], np.array(self.colors, np.float32))
        return np.asarray(np.array(self.classes, np.uint8)[places])

    def draw(self, labels: Labels) -> Pixels:
        """The reverse of :meth:`labels`, in the first color of each class."""
        table = np.zeros((256, 3), np.uint8)
        for color, index in reversed(list(zip(self.colors, self.classes, strict=True))):
            table[index] = color
        return table[labels]

    def out_of_palette_fraction(self, pixels: Pixels) -> float:
        """Share of pixels whose color is far from all of the palette."""
        return float(self._far[_cells(pixels[::_EVERY, ::_EVERY])].mean())

    def exact(self, pixels: Pixels) -> bool:
        """Whether all colors are the palette's own."""
        return self._exact(pixels) is not None

    def _exact(self, pixels: Pixels) -> Labels | None:
        """Where all colors are the palette's own; colors that are near each other are told apart then."""
        if self._own(pixels[::_EVERY, ::_EVERY]) is None:  # Compressed frames need not be searched.
            return None
        return self._own(pixels)

    def _own(self, pixels: Pixels) -> Labels | None:
        keys = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
        order = np.argsort(self._keys)
        places = np.searchsorted(self._keys[order], keys).clip(max=len(order) - 1)
        if not np.array_equal(self._keys[order][places], keys):
            return None
        return np.asarray(np.array(self.classes, np.uint8)[order][places])

    @cached_property
    def _keys(self) -> NDArray[np.uint32]:
        return np.array(self.colors, np.uint32) @ np.array([65536, 256, 1], np.uint32)

    @cached_property
    def _distances(self) -> NDArray[np.float32]:
        """Squared, of the middle of each cell of colors from each of the palette."""
        cells, colors = _middles(), np.array(self.colors, np.float32)
        return np.stack([np.square(cells - color).sum(1) for color in colors], 1)

    @cached_property
    def _nearest(self) -> NDArray[np.uint16]:
        """Place of a color in the palette."""
        return np.asarray(self._distances.argmin(1), np.uint16)

    @cached_property
    def _near(self) -> NDArray[np.bool_]:
        nearest = np.array(self.colors, np.float32)[self._nearest]
        return np.asarray(np.abs(_middles() - nearest).max(1) <= _SURE)

    @cached_property
    def _far(self) -> NDArray[np.bool_]:
        return np.asarray(self._distances.min(1) > _FAR**2)


def read_palette(path: Path, classes: Sequence[tuple[str, RgbColor]], alike: Mapping[str, str]) -> Palette:
    """A user's own colors for a model's classes: a file with a line ``name red green blue`` each.

    Args:
        classes: the model's.
        alike: class of the model by names of the user's.

    Raises:
        InputError: the file cannot be read, or a name is of none of the model's classes.
    """
    names = [name for name, _ in classes]
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"{path}: cannot read the palette: {exc}") from exc
    colors: dict[RgbColor, int] = {}
    for line in lines:
        if len(line) != 4 or not all(each.isdecimal() and int(each) < 256 for each in line[1:]):
            raise InputError(f"{path}: {' '.join(line)!r} is not: name red green blue")
        name = alike.get(line[0], line[0])
        if name not in names:
            raise InputError(
                f"{path}: {line[0]!r} is none of the model's classes, which are {', '.join(names)}; "
                f"`like={ {line[0]: 'CLASS'}!r}` says which it is like"
            )
        color = int(line[1]), int(line[2]), int(line[3])
        if colors.setdefault(color, names.index(name)) != names.index(name):
            raise InputError(f"{path}: the color {' '.join(line[1:])} is of two classes")
    if not colors:
        raise InputError(f"{path}: has no colors; lines are: name red green blue")
    return Palette(tuple(colors), tuple(colors.values()))


def _settled(
    pixels: Pixels, places: NDArray[np.uint16], sure: NDArray[np.bool_], colors: NDArray[np.float32]
) -> NDArray[np.uint16]:
    """Keeps confident pixels that most neighbors agree with; the rest get the likeliest class of their neighborhood."""
    present = np.flatnonzero(np.bincount(places.ravel()))
    settled = np.full_like(places, _NOBODY)
    for place in present:
        said = sure & (places == place)
        settled[said & (_around(said, 3) >= _FEWEST)] = place
    unsettled = np.flatnonzero(settled == _NOBODY)
    sampled, wanted = (
        pixels.reshape(-1, 3)[unsettled].astype(np.float32) @ _LUMA_CHROMA,
        colors @ _LUMA_CHROMA,
    )
    least = np.full(len(unsettled), np.inf, np.float32)
    likeliest = np.zeros(len(unsettled), places.dtype)
    for place in present:
        votes = _around(settled == place, _SIDE).ravel()[unsettled]
        # The square of the distance, less that of what is seen, which is the same for all.
        cost = (wanted[place] - 2 * sampled) @ wanted[place] - _VOTE * votes + _ALONE * (votes == 0)
        likeliest[cost < least] = place
        np.minimum(cost, least, out=least)
    settled.ravel()[unsettled] = likeliest
    return settled


def _around(said: NDArray[np.bool_], side: int) -> NDArray[np.uint8]:
    """How many in the square around each pixel say so."""
    votes = cv2.boxFilter(
        said.view(np.uint8), -1, (side, side), normalize=False, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(votes, np.uint8)


def _middles() -> NDArray[np.float32]:
    """Middle of each cell of colors, ``(cells, 3)`` float32."""
    side = 1 << _BITS
    middle = (np.arange(side, dtype=np.float32) + 0.5) * (256 / side)
    return np.stack(np.meshgrid(middle, middle, middle, indexing="ij"), 3).reshape(-1, 3)


def _cells(pixels: Pixels) -> NDArray[np.int32]:
    small = (pixels >> (8 - _BITS)).astype(np.int32)
    return (small[..., 0] << 2 * _BITS) + (small[..., 1] << _BITS) + small[..., 2]
