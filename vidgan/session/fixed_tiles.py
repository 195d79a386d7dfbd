"""Images of any size through a model that takes a single size: tiles of that size, which overlap.

Where the model's receptive field is known, each pixel is taken from a tile that has all of it, so no seam can be
seen. Where it is the whole image, tiles differ, and are blended over a quarter of their side.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[np.uint8]
"""``(1, H, W, C)``, or ``(1, H, W)`` for luma."""

RunPlanes = Callable[[list[Tensor]], list[Tensor]]
"""A model, for the planes of one image of exactly its size."""

_SUBSAMPLING = 1, 2
"""Pixels of an image a side of a pixel of RGB or luma, and of one of chroma."""


class Span(NamedTuple):
    """A tile along one axis.

    Attributes:
        start: where it begins in the image.
        first, last: the part of the image that is taken from it, or that it is blended into.
    """

    start: int
    first: int
    last: int


def spans_of(side: int, tile: int, overlap: int, grid: int = 1) -> list[Span]:
    """Tiles that cover a side, neighbors sharing at least ``overlap`` pixels; cut in the middle of what they share.

    Args:
        grid: cuts are at multiples of it.
    """
    if side <= tile:
        return [Span(0, 0, side)]
    starts = [*range(0, side - tile, tile - overlap), side - tile]
    cuts = [0, *((b + a + tile) // (2 * grid) * grid for a, b in pairwise(starts)), side]
    return [Span(start, first, last) for start, first, last in zip(starts, cuts, cuts[1:], strict=False)]


def run_in_fixed_tiles(
    run: RunPlanes,
    images: Sequence[Tensor],
    size: tuple[int, int],
    receptive_field: int | None,
    scale: int,
) -> tuple[list[Tensor], int]:
    """The result for images of any size, and the number of tiles.

    Args:
        run: the model.
        images: ``(N, H, W, 3)``, or luma and chroma of images with even sides; smaller ones are mirrored.
        size: rows and columns that the model takes.
        receptive_field: of the model; None for the whole image.
        scale: sides of its result per side of its input.
    """
    grid = _SUBSAMPLING[len(images) - 1]
    overlaps = [_overlap(tile, receptive_field, grid) for tile in size]
    blended = receptive_field is None or any(2 * receptive_field > each for each in overlaps)
    sides = images[0].shape[1:3]
    spans = [
        spans_of(side, tile, overlap, grid) for side, tile, overlap in zip(sides, size, overlaps, strict=True)
    ]
    join = _blended if blended else _cut
    results = []
    for number in range(len(images[0])):
        planes = [
            _whole_tiles(each[number : number + 1], size, subsampling)
            for each, subsampling in zip(images, _SUBSAMPLING, strict=False)
        ]
        results.append(join(run, planes, spans, size, scale))
    everything = Span(0, 0, sides[0]), Span(0, 0, sides[1])
    outputs = [
        np.concatenate(
            [np.ascontiguousarray(each[_kept(*everything, subsampling, scale)]) for each in planes]
        )
        for planes, subsampling in zip(zip(*results, strict=True), _SUBSAMPLING, strict=False)
    ]
    return outputs, len(spans[0]) * len(spans[1])


def _overlap(tile: int, receptive_field: int | None, grid: int) -> int:
    if receptive_field is None or 4 * receptive_field > 3 * tile:
        return tile // (4 * grid) * grid
    return 2 * -(-receptive_field // grid) * grid


def _whole_tiles(plane: Tensor, size: tuple[int, int], subsampling: int) -> Tensor:
    """Mirrored below and right where it is smaller than a tile."""
    rows, columns = (
        max(0, tile // subsampling - side) for tile, side in zip(size, plane.shape[1:3], strict=True)
    )
    if not rows and not columns:
        return plane
    return np.pad(plane, [(0, 0), (0, rows), (0, columns), *[(0, 0)] * (plane.ndim - 3)], "reflect")


def _cut(
    run: RunPlanes, planes: list[Tensor], spans: list[list[Span]], size: tuple[int, int], scale: int
) -> list[Tensor]:
    results = [_empty(each, scale, np.uint8) for each in planes]
    for rows, columns in product(*spans):
        inner = [Span(0, each.first - each.start, each.last - each.start) for each in (rows, columns)]
        tiles = run(_window(planes, rows, columns, size))
        for result, tile, subsampling in zip(results, tiles, _SUBSAMPLING, strict=False):
            result[_kept(rows, columns, subsampling, scale)] = tile[
                _kept(inner[0], inner[1], subsampling, scale)
            ]
    return results


def _blended(
    run: RunPlanes, planes: list[Tensor], spans: list[list[Span]], size: tuple[int, int], scale: int
) -> list[Tensor]:
    totals = [_empty(each, scale, np.float32) for each in planes]
    weights = [_empty(each, scale, np.float32) for each in planes]
    for rows, columns in product(*spans):
        whole = _whole(rows, columns, size)
        tiles = run(_window(planes, rows, columns, size))
        for total, weight, tile, subsampling in zip(totals, weights, tiles, _SUBSAMPLING, strict=False):
            part = _kept(*whole, subsampling, scale)
            ramps = [_ramp(side) for side in tile.shape[1:3]]
            share = (ramps[0][:, np.newaxis] * ramps[1]).reshape(*tile.shape[1:3], *[1] * (tile.ndim - 3))
            total[part] += share * tile
            weight[part] += share
    return [
        np.rint(total / weight).clip(0, 255).astype(np.uint8)
        for total, weight in zip(totals, weights, strict=True)
    ]


def _empty(plane: Tensor, scale: int, dtype: type[np.generic]) -> NDArray[Any]:
    """For the result that the plane becomes."""
    count, rows, columns, *channels = plane.shape
    return np.zeros((count, scale * rows, scale * columns, *channels), dtype)


def _window(planes: list[Tensor], rows: Span, columns: Span, size: tuple[int, int]) -> list[Tensor]:
    """A tile of each plane."""
    whole = _whole(rows, columns, size)
    return [
        np.ascontiguousarray(plane[_kept(*whole, subsampling, 1)])
        for plane, subsampling in zip(planes, _SUBSAMPLING, strict=False)
    ]


def _whole(rows: Span, columns: Span, size: tuple[int, int]) -> tuple[Span, Span]:
    """All of a tile, not only the part that the image takes from it."""
    down, across = (
        Span(each.start, each.start, each.start + side)
        for each, side in zip((rows, columns), size, strict=True)
    )
    return down, across


def _kept(rows: Span, columns: Span, subsampling: int, scale: int) -> tuple[slice, ...]:
    """The part from first to last of a plane whose sides were enlarged."""
    down, across = (
        slice(scale * each.first // subsampling, scale * each.last // subsampling) for each in (rows, columns)
    )
    return slice(None), down, across


def _ramp(side: int) -> NDArray[np.float32]:
    """Rises from both ends over a quarter of the side, and is never 0."""
    rise = max(1, side // 4)
    distance = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1
    return np.minimum(distance / rise, 1).astype(np.float32)
