"""Palettes of 256 colors for GIF, each for a run of frames (palettegen, paletteuse).

One palette for many frames costs fewer bytes than one for each frame: what stands still keeps its colors, and GIF
stores only what changes. Ordered dithering is as steady; error diffusion moves its noise over the whole frame whenever
one pixel changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import av
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from numpy.typing import NDArray

from vidgan.media.frame import VideoInfo

PALETTE_FRAMES = 250
"""Frames that share a palette: few enough that each shot of a long video has about its own colors."""

_COLORS = 256
_ALPHA_THRESHOLD = 128
"""palettegen's and paletteuse's own."""
_OPAQUE = np.array([0, 0, 0, 255], np.uint8).view(np.uint32)[0]
_DITHERING = "dither=bayer:bayer_scale=3"


@dataclass(frozen=True)
class ColorTable:
    """The colors of a run of frames.

    Attributes:
        chosen: palettegen's image of them.
        exact: all colors of the frames, sorted, RGBA ``(N, 4)`` uint8 as ``(N,)`` uint32; None where they are more.
    """

    chosen: av.VideoFrame
    exact: NDArray[np.uint32] | None


def choose_palettes(images: Iterable[av.VideoFrame], info: VideoInfo) -> Iterator[ColorTable]:
    """A palette for each run of :data:`PALETTE_FRAMES` images, RGBA or RGB."""
    images = iter(images)
    while (first := next(images, None)) is not None:
        yield _choose(chain([first], islice(images, PALETTE_FRAMES - 1)), info)


class PaletteUse:
    """Maps images to palettes, one palette after the other."""

    def __init__(self, palettes: Iterable[ColorTable], info: VideoInfo) -> None:
        self._palettes, self._info = iter(palettes), info
        self._count = 0

    def apply(self, image: av.VideoFrame) -> av.VideoFrame:
        """The next image in ``pal8``."""
        if self._count % PALETTE_FRAMES == 0:
            # The filters do not keep their graph alive.
            self._palette = next(self._palettes)
            self._graph, self._source, self._sink = _use_graph(self._palette, self._info)
        rgba = image.reformat(format="rgba")
        if self._palette.exact is not None:
            self._count += 1
            return _indexed(rgba, self._palette.exact)
        rgba.pts, rgba.time_base = self._count, self._info.time_base
        self._count += 1
        self._source.push(rgba)
        mapped = self._sink.pull()
        assert isinstance(mapped, av.VideoFrame)
        return mapped


def _choose(images: Iterable[av.VideoFrame], info: VideoInfo) -> ColorTable:
    graph = Graph()
    graph.link_nodes(
        _buffer(graph, info.width, info.height, "rgba", info),
        graph.add("palettegen", "stats_mode=full"),
        graph.add("buffersink"),
    ).configure()
    used: set[int] = set()
    for count, image in enumerate(images):
        rgba = image.reformat(format="rgba")
        if len(used) <= _COLORS:
            used.update(np.unique(_colors(rgba)).tolist())
        rgba.pts, rgba.time_base = count, info.time_base
        graph.vpush(rgba)
    graph.vpush(None)
    exact = np.array(sorted(used), np.uint32) if len(used) <= _COLORS else None
    return ColorTable(graph.vpull(), exact)


def _colors(rgba: av.VideoFrame) -> NDArray[np.uint32]:
    """One number for each color, ``(H, W)``; GIF is transparent or not, and has one color for it."""
    values = rgba.to_ndarray()
    opaque = values[..., 3] >= _ALPHA_THRESHOLD
    return np.asarray(np.where(opaque, values.view(np.uint32)[..., 0] | _OPAQUE, 0), np.uint32)


def _indexed(rgba: av.VideoFrame, exact: NDArray[np.uint32]) -> av.VideoFrame:
    """The image in a palette that has all its colors; paletteuse confuses those that look alike."""
    indices = np.searchsorted(exact, _colors(rgba)).astype(np.uint8)
    palette = np.zeros((_COLORS, 4), np.uint8)
    # PyAV takes alpha first.
    palette[: len(exact)] = np.roll(exact.view(np.uint8).reshape(-1, 4), 1, axis=1)
    return av.VideoFrame.from_ndarray((indices, palette), "pal8")  # type: ignore[arg-type]


def _use_graph(palette: ColorTable, info: VideoInfo) -> tuple[Graph, FilterContext, FilterContext]:
    """A graph, and where images go in and come out."""
    graph = Graph()
    source = _buffer(graph, info.width, info.height, "rgba", info)
    colors = palette.chosen
    choice = _buffer(graph, colors.width, colors.height, colors.format.name, info)
    use = graph.add("paletteuse", _DITHERING)
    sink = graph.add("buffersink")
    source.link_to(use, 0, 0)
    choice.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    colors.pts, colors.time_base = 0, info.time_base
    choice.push(colors)
    choice.push(None)
    return graph, source, sink


def _buffer(graph: Graph, width: int, height: int, pixel_format: str, info: VideoInfo) -> FilterContext:
    return graph.add_buffer(
        width=width,
        height=height,
        format=av.VideoFormat(pixel_format, width, height),
        time_base=info.time_base,
    )
