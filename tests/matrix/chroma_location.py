"""The place of chroma samples, from the codes of an edge alone."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

_OFFSETS = {"left": (0.0, 0.5), "center": (0.5, 0.5), "topleft": (0.0, 0.0)}
"""Pixels by which a chroma sample lies right of and below the first of its four luma samples."""


def wrong_chroma_location(source: Path, output: Path) -> list[str]:
    """Differences of the places where two colors meet; both sides must have them within a quarter of a pixel."""
    places = [_edges(each) for each in (source, output)]
    return [
        f"colors meet at {after:.2f} pixels {name} instead of {before:.2f}"
        for name, before, after in zip(("across", "down"), *places, strict=True)
        if abs(before - after) > 0.25
    ]


def _edges(path: Path) -> tuple[float, float]:
    """The places, in pixels, at which Cr goes from one level to the other: across and down."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    width, height = frame.width // 2, frame.height // 2
    cr = frame.to_ndarray().reshape(-1)[-width * height :].reshape(height, width).astype(float)
    across, down = _OFFSETS[_location(path)]
    return _edge(cr[2]) + across, _edge(cr[:, 2]) + down


def _edge(levels: NDArray[np.float64]) -> float:
    """The place in a line of half resolution, in pixels of the full one."""
    share = (levels - levels[-1]) / (levels[0] - levels[-1])
    return 2 * float(share.sum())


def _location(path: Path) -> str:
    """The location that an input is named after; outputs are H.264, whose default is left."""
    return path.stem if path.stem in _OFFSETS else "left"
