"""Chroma around a model of luma alone: taken from RGB, enlarged by cubic interpolation, put together with luma.

Done with matrix products and convolutions, in as few passes over the result as possible: a small network takes
little more time for a pixel than one pass over its three channels. Levels become bytes before they are put in order,
since that moves a quarter of the memory.
"""

import numpy as np
from numpy.typing import NDArray

from vidgan.importer.nodes import Nodes

FROM_RGB = np.asarray([(0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)])
"""Luma, Cb and Cr of RGB by full-range BT.601, as JPEG has it."""

CHROMA_TO_RGB = np.asarray([(0.0, 1.402), (-0.344136, -0.714136), (1.772, 0.0)])
"""R, G and B less luma, by Cb and Cr."""

_REACH = 2
"""Pixels on each side of its own that the cubic interpolation of a pixel takes, at most."""

CHROMA_REACH = 2 * _REACH
"""The same of chroma planes at half the size, in pixels of the image."""


def mixed(graph: Nodes, planes: str, matrix: NDArray[np.float64]) -> str:
    """Channels of ``(N, C, H, W)`` by a matrix, which is faster than a convolution of 1×1."""
    shape = graph.node("Shape", [planes])
    flat = graph.node("Reshape", [planes, graph.constant([0, 0, -1])])
    result = graph.node("MatMul", [graph.constant(matrix, np.float32), flat])
    count, sides = (
        graph.node("Slice", [shape, *map(graph.constant, span)]) for span in (([0], [1]), ([2], [4]))
    )
    shape = graph.node("Concat", [count, graph.constant([len(matrix)]), sides], axis=0)
    return graph.node("Reshape", [result, shape])


def enlarged_phases(graph: Nodes, chroma: str, scale: int) -> str:
    """``(N, 2, H, W)`` by cubic interpolation, as OpenCV's: ``(N, 2·scale, scale·H, W)``.

    First down, then across, where the pixels that one becomes stay apart in channels; :func:`interleaved` puts them
    in order.
    """
    if scale == 1:
        return chroma
    taps = np.tile(_cubic_taps(scale), (2, 1))
    down = graph.constant(taps.reshape(2 * scale, 1, -1, 1), np.float32)
    across = graph.constant(taps.reshape(2 * scale, 1, 1, -1), np.float32)
    padded = graph.node("Pad", [chroma, graph.constant([0, 0, _REACH, _REACH] * 2)], mode="edge")
    rows = graph.node("Conv", [padded, down], group=2)
    rows = graph.node("Reshape", [rows, graph.constant([-1, scale, 0, 0])])
    rows = graph.node("Transpose", [rows], perm=[0, 2, 1, 3])
    rows = graph.node("Reshape", [rows, graph.constant([0, 1, -1, 0])])
    rows = graph.node("Reshape", [rows, graph.constant([-1, 2, 0, 0])])
    return graph.node("Conv", [rows, across], group=2)


def colored_phases(
    graph: Nodes, phases: str, matrix: NDArray[np.float64], scale: int, *, like: str, luma: str | None = None
) -> str:
    """Levels ``(N, scale·C, scale·H·W)``: enlarged chroma by a matrix, luma added to each channel.

    Args:
        phases: see :func:`enlarged_phases`.
        matrix: ``(C, 2)``.
        scale: sides of the result per side of ``like``.
        like: an image ``(N, H, W, …)``.
        luma: ``(N, 1, scale·H, scale·W)``.
    """
    each = np.einsum("rc,jk->jrck", matrix, np.eye(scale)).reshape(scale * len(matrix), -1)
    if luma is not None:
        phases = graph.node("Concat", [phases, _phases_of(graph, luma, scale, like)], axis=1)
        each = np.hstack([each, np.kron(np.eye(scale), np.ones((len(matrix), 1)))])
    flat = graph.node("Reshape", [phases, graph.constant([0, 0, -1])])
    return graph.node("MatMul", [graph.constant(each, np.float32), flat])


def _phases_of(graph: Nodes, luma: str, scale: int, like: str) -> str:
    """``(N, scale, scale·H, W)``."""
    if scale == 1:
        return luma
    shape = graph.node("Concat", [_sides(graph, like, [1, scale, 1]), graph.constant([scale])], axis=0)
    return graph.node("Transpose", [graph.node("Reshape", [luma, shape])], perm=[0, 3, 1, 2])


def interleaved(graph: Nodes, phases: str, scale: int, *, like: str, channels: int, output: str) -> str:
    """An image ``(N, scale·H, scale·W, C)`` of its phases, see :func:`colored_phases`."""
    shape = graph.node("Concat", [_sides(graph, like, [1, scale, scale]), graph.constant([channels])], axis=0)
    return graph.node("Reshape", [graph.node("Transpose", [phases], perm=[0, 2, 1]), shape], output=output)


def _sides(graph: Nodes, like: str, factors: list[int]) -> str:
    """Number, height and width of an image, times the factors."""
    sides = graph.node("Slice", [graph.node("Shape", [like]), *map(graph.constant, ([0], [3]))])
    return graph.node("Mul", [sides, graph.constant(factors)])


def _cubic_taps(scale: int) -> NDArray[np.float64]:
    """``(scale, 5)``: what each of the pixels that one becomes takes of those around it."""
    places = (np.arange(scale) + 0.5) / scale - 0.5
    taps = range(-_REACH, _REACH + 1)
    return np.asarray([[_cubic(abs(tap - place)) for tap in taps] for place in places])


def _cubic(distance: float, a: float = -0.75) -> float:
    """The weight of Keys's kernel."""
    if distance < 1:
        return ((a + 2) * distance - (a + 3)) * distance**2 + 1
    return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a if distance < 2 else 0.0
