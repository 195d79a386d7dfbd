"""Frames too large for the memory at hand are processed in tiles, whose seams cannot be seen.

A tile is processed with as much round it as the generator can see, and what of the light depends on the whole
image is found out beforehand; so it comes out as it would in one piece. Upscalers know of no light.
"""

import contextlib
import os
from collections.abc import Iterator
from math import ceil, lcm
from pathlib import Path
from typing import NamedTuple

STATS = "stats"
"""Output of a model: image statistics, what of its brightness and colors depends on the whole image, ``(N, 4)``."""

GIVEN_STATS = "given_stats"
"""Initializer of a model, and of older ones an input: the statistics of the image that this is a part of, ``(1, 4)``.

A provider that compiles whole graphs takes no initializer that is an input too, so it becomes one for tiles alone.
"""

FORMER_NAMES = {"light": STATS, "known_light": GIVEN_STATS, "state_past": "state", "next_past": "next_state"}
"""Names of inputs and outputs in older model files."""

HALO = 120
"""Pixels round a tile of a style: 68 that convolutions see, 36 of local light, and what its interpolation
reaches."""

_GRID = 8
"""Pixels that tiles begin at multiples of, so that patterns fall on them as in one piece."""

_LEAST = 256
"""Side of a tile, without what is round it."""

BYTES = 170
"""Bytes of memory per input pixel, where a model does not say."""

_SHARE = 0.5
"""Share of the free memory for inference."""


class Tile(NamedTuple):
    """A part of an image.

    Attributes:
        window: rows and columns that are processed.
        kept: rows and columns of the image that are taken of it.
    """

    window: tuple[slice, slice]
    kept: tuple[slice, slice]

    @property
    def inner(self) -> tuple[slice, slice]:
        """``kept``, counted within ``seen``."""
        rows, columns = (
            slice(kept.start - window.start, kept.stop - window.start)
            for kept, window in zip(self.kept, self.window, strict=True)
        )
        return rows, columns


def tiles_of(
    height: int, width: int, most: int, halo: int = HALO, grid: tuple[int, int] = (_GRID, _GRID)
) -> list[Tile]:
    """As few tiles as there can be of at most so many pixels each, or of the smallest that make sense.

    Args:
        halo: pixels that are to be round a tile, a multiple of the grid.
        grid: rows and columns that tiles begin at multiples of.
    """
    counts = ((rows, columns) for rows in range(1, 1000) for columns in range(1, rows + 1))
    for rows, columns in counts:
        tile_height, tile_width = _side(height, rows, grid[0]), _side(width, columns, grid[1])
        smallest = tile_height <= _LEAST and tile_width <= _LEAST
        if smallest or (tile_height + 2 * halo) * (tile_width + 2 * halo) <= most:
            break
    return [
        Tile(window=(window_rows, window_columns), kept=(kept_rows, kept_columns))
        for window_rows, kept_rows in _spans(height, tile_height, halo)
        for window_columns, kept_columns in _spans(width, tile_width, halo)
    ]


def _side(whole: int, count: int, grid: int) -> int:
    return ceil(whole / count / grid) * grid


def grid_of(multiple: tuple[int, int]) -> tuple[int, int]:
    """Steps at which tiles may begin, for a model that pads its images to multiples of a size."""
    rows, columns = (lcm(_GRID, each) for each in multiple)
    return rows, columns


def _spans(whole: int, side: int, halo: int) -> Iterator[tuple[slice, slice]]:
    for start in range(0, whole, side):
        end = min(start + side, whole)
        yield slice(max(0, start - halo), min(end + halo, whole)), slice(start, end)


def halo_of(receptive_field: int, grid: tuple[int, int] = (_GRID, _GRID)) -> int:
    """Margin of a tile, rounded so that its blocks align with those of the whole image."""
    step = lcm(*grid)
    return ceil(receptive_field / step) * step


def enlarged(part: tuple[slice, slice], scale: int) -> tuple[slice, slice]:
    """The same part of an image with sides so many times as long."""
    rows, columns = (slice(scale * each.start, scale * each.stop) for each in part)
    return rows, columns


def half(part: tuple[slice, slice]) -> tuple[slice, slice]:
    """The same part of a plane of half the size."""
    rows, columns = (slice(each.start // 2, (each.stop + 1) // 2) for each in part)
    return rows, columns


def affordable_pixels(workers: int, bytes_each: int = BYTES) -> int | None:
    """Pixels of images that so many workers can process at a time; None where the system does not tell its memory.

    Args:
        bytes_each: that a pixel takes.
    """
    memory = _memory_at_hand()
    return None if memory is None else int(memory * _SHARE / bytes_each / workers)


def _memory_at_hand() -> int | None:
    """Bytes that may still be taken: of the machine, or of the container where it has fewer."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
        with contextlib.suppress(OSError, ValueError):
            group = Path("/sys/fs/cgroup")
            limit = int((group / "memory.max").read_text())
            free = min(free, limit - int((group / "memory.current").read_text()))
        return free
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
