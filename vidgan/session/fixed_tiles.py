"""Images of any size through a model that takes a single size: tiles of that size, which overlap.

Where the model's receptive field is known, each pixel is taken from a tile that has all of it, so no seam can be
seen. Where it is the whole image, tiles differ, and are blended over a quarter of their side.
"""

from collections.abc import Callable
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""``(1, H, W, C)``."""


class Span(NamedTuple):
    """A tile along one axis.

    Attributes:
        start: where it begins in the image.
        first, last: the part of the image that is taken from it, or that it is blended into.
    """

    start: int
    first: int
    last: int


def spans_of(side: int, tile: int, overlap: int) -> list[Span]:
    """Tiles that cover a side, neighbors sharing at least ``overlap`` pixels; cut in the middle of what they share."""
    if side <= tile:
        return [Span(0, 0, side)]
    starts = [*range(0, side - tile, tile - overlap), side - tile]
    cuts = [0, *((b + a + tile) // 2 for a, b in pairwise(starts)), side]
    return [Span(start, first, last) for start, first, last in zip(starts, cuts, cuts[1:], strict=False)]


def run_in_fixed_tiles(
    run: Callable[[Images], Images],
    images: Images,
    size: tuple[int, int],
    receptive_field: int | None,
    scale: int,
) -> tuple[Images, int]:
    """The result for images of any size, and the number of tiles.

    Args:
        run: the model, for one image of exactly ``size``.
        images: ``(N, H, W, C)``; smaller ones are mirrored.
        size: rows and columns that the model takes.
        receptive_field: of the model; None for the whole image.
        scale: sides of its result per side of its input.
    """
    overlaps = [_overlap(tile, receptive_field) for tile in size]
    blended = receptive_field is None or any(2 * receptive_field > each for each in overlaps)
    spans = [
        spans_of(side, tile, overlap)
        for side, tile, overlap in zip(images.shape[1:3], size, overlaps, strict=True)
    ]
    results = []
    for image in images:
        place = _whole_tiles(image[np.newaxis], size)
        if blended:
            results.append(_blended(run, place, spans, size, image.shape[:2], scale))
        else:
            results.append(_cut(run, place, spans, size, image.shape[:2], scale))
    return np.stack(results), len(spans[0]) * len(spans[1])


def _overlap(tile: int, receptive_field: int | None) -> int:
    if receptive_field is None or 4 * receptive_field > 3 * tile:
        return tile // 4
    return 2 * receptive_field


def _whole_tiles(image: Images, size: tuple[int, int]) -> Images:
    """Mirrored below and right where it is smaller than a tile."""
    rows, columns = (max(0, tile - side) for tile, side in zip(size, image.shape[1:3], strict=True))
    if not rows and not columns:
        return image
    return np.pad(image, ((0, 0), (0, rows), (0, columns), (0, 0)), "reflect")


def _cut(
    run: Callable[[Images], Images],
    image: Images,
    spans: list[list[Span]],
    size: tuple[int, int],
    sides: tuple[int, ...],
    scale: int,
) -> NDArray[np.uint8]:
    result = np.empty((scale * sides[0], scale * sides[1], 3), np.uint8)
    for rows, columns in product(*spans):
        tile = run(_part(image, rows, columns, size))[0]
        target = _scaled(rows.first, rows.last, scale), _scaled(columns.first, columns.last, scale)
        result[target] = tile[
            _scaled(rows.first - rows.start, rows.last - rows.start, scale),
            _scaled(columns.first - columns.start, columns.last - columns.start, scale),
        ]
    return result


def _blended(
    run: Callable[[Images], Images],
    image: Images,
    spans: list[list[Span]],
    size: tuple[int, int],
    sides: tuple[int, ...],
    scale: int,
) -> NDArray[np.uint8]:
    height, width = (scale * max(side, tile) for side, tile in zip(sides, size, strict=True))
    total = np.zeros((height, width, 3), np.float32)
    weights = np.zeros((height, width, 1), np.float32)
    ramps = [_ramp(scale * tile) for tile in size]
    weight = (ramps[0][:, np.newaxis] * ramps[1])[..., np.newaxis]
    for rows, columns in product(*spans):
        tile = run(_part(image, rows, columns, size))[0]
        target = (
            _scaled(rows.start, rows.start + size[0], scale),
            _scaled(columns.start, columns.start + size[1], scale),
        )
        total[target] += weight * tile
        weights[target] += weight
    result = np.rint(total / weights).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(result[: scale * sides[0], : scale * sides[1]])


def _part(image: Images, rows: Span, columns: Span, size: tuple[int, int]) -> Images:
    part = image[:, rows.start : rows.start + size[0], columns.start : columns.start + size[1]]
    return np.ascontiguousarray(part)


def _scaled(first: int, last: int, scale: int) -> slice:
    return slice(scale * first, scale * last)


def _ramp(side: int) -> NDArray[np.float32]:
    """Rises from both ends over a quarter of the side, and is never 0."""
    rise = max(1, side // 4)
    distance = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1
    return np.minimum(distance / rise, 1).astype(np.float32)
