"""Cost and receptive field of a wrapped graph, and its parity with the untouched file."""

import contextlib
import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.importer.chroma import CHROMA_REACH
from vidgan.importer.convention import Convention, decoded, encoded, encoded_levels
from vidgan.importer.geometry import Geometry
from vidgan.importer.likeness import Image
from vidgan.importer.wrapping import Wrapping

_LEAST_SIDE = 16
"""Frames are at least this large."""

_MOST_SECONDS = 6.0
"""Time for one measurement."""

_ROUNDS = 4

_PHASES = 0, 3, 5
"""Places of the changed pixels, since a graph with strides does not treat all alike."""

RunModel = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""A wrapped graph: ``(H, W, 3)`` uint8 → ``(scale·H, scale·W, 3)``."""


@dataclass(frozen=True, slots=True)
class Parity:
    """A wrapped graph against the untouched file, called from NumPy on the same photo.

    Attributes:
        db: PSNR of their images; infinite where they are equal.
        most: largest difference of a level.
        share: of bytes that differ.
    """

    db: float
    most: int
    share: float

    def __str__(self) -> str:
        if self.most == 0:
            return "equal to the byte"
        levels = "1 level" if self.most == 1 else f"{self.most} levels"
        return f"{self.db:.1f} dB, {self.share:.3%} of bytes differ, by {levels} at most"


def reference(
    run: Callable[[Image], Image], wrapping: Wrapping, pixels: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """An image through the untouched graph, as its author calls it from NumPy.

    Args:
        run: the graph on values of its own.
        pixels: RGB ``(H, W, 3)``.
    """
    geometry, convention = wrapping.geometry, wrapping.convention
    levels = pixels.astype(np.float32)
    height, width = pixels.shape[:2]
    if geometry.channels_in == 1:
        return _through_luma(run, wrapping, levels)
    result = _values(run, wrapping, levels)[: geometry.scale * height, : geometry.scale * width]
    return _bytes(255 * decoded(result[..., :3], convention.range_out, convention.order_out))


def _through_luma(run: Callable[[Image], Image], wrapping: Wrapping, levels: Image) -> NDArray[np.uint8]:
    import cv2

    matrix = np.asarray(
        [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
    )
    ycc = np.asarray(levels @ matrix.T, np.float32)
    height, width = (wrapping.geometry.scale * each for each in levels.shape[:2])
    luma = _values(run, wrapping, ycc[..., :1])[:height, :width]
    luma = 255 * decoded(luma, wrapping.convention.range_out, "rgb")[..., 0]
    blue, red = (
        cv2.resize(ycc[..., each], (width, height), interpolation=cv2.INTER_CUBIC) for each in (1, 2)
    )
    planes = [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue]
    return _bytes(np.stack(planes, 2))


def _values(run: Callable[[Image], Image], wrapping: Wrapping, levels: Image) -> Image:
    """The graph's output for an image with its margins, without the output's margins."""
    geometry, convention = wrapping.geometry, wrapping.convention
    padded = _mirrored(levels, wrapping)
    values = encoded_levels(padded, convention.range_in, convention.order_in)
    if geometry.channels_in == 4:
        opaque = encoded(np.ones((*padded.shape[:2], 3), np.float32), convention.range_in, "rgb")[..., :1]
        values = np.concatenate([values, opaque], 2)
    rows, columns = wrapping.offsets
    return run(values)[rows:, columns:]


def _mirrored(levels: Image, wrapping: Wrapping) -> Image:
    spans = []
    for number, side in enumerate(levels.shape[:2]):
        margin = wrapping.margins[number]
        least = max(side + 2 * margin, wrapping.least[number])
        whole = wrapping.geometry.taken((least, least))[number]
        spans.append((margin, whole - side - margin))
    return np.pad(levels, (*spans, (0, 0)), "reflect")


def _bytes(levels: Image) -> NDArray[np.uint8]:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def parity(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Parity:
    """The parity of two images of the same size."""
    difference = np.abs(one.astype(np.int16) - other)
    error = float((difference.astype(np.float64) ** 2).mean())
    db = float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
    return Parity(db, int(difference.max()), float((difference > 0).mean()))


def least_sides(runs: Callable[[tuple[int, int]], bool], geometry: Geometry) -> tuple[int, int]:
    """The smallest size, of those that frames may have, from which on the graph runs.

    Args:
        runs: whether it runs with an image of that size, which its multiple allows.

    Raises:
        ModelError: it does not even run at the size that it was examined at.
    """
    for side in (_LEAST_SIDE, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512):
        sides = geometry.taken((side, side))
        if runs(sides):
            return sides if side > _LEAST_SIDE else (_LEAST_SIDE, _LEAST_SIDE)
    raise ModelError("runs at no size tried")


def receptive_field(
    run: Callable[[Image], Image], geometry: Geometry, range_in: str, seconds_per_pixel: float
) -> int | None:
    """How far from a pixel of the output the input still matters, in pixels of the input.

    A pixel is changed, at places of different phase, and it is seen how far that shows. None if it shows
    everywhere, or if finding out would take too long.

    Args:
        run: the graph on values of its own.
        range_in: of these values.
        seconds_per_pixel: that it takes.
    """
    for side in (96, 160, 256, 384):
        sides = geometry.taken((side, side))
        if (1 + len(_PHASES)) * sides[0] * sides[1] * seconds_per_pixel > 2 * _MOST_SECONDS:
            return None
        field = _receptive_field(run, geometry, range_in, sides)
        if field < min(sides) // 2 - (8 if geometry.fixed else max(geometry.multiple) + 8):
            # The wrapper of a luma model enlarges chroma, for which it looks at neighbors too.
            return max(field, CHROMA_REACH) if geometry.channels_in == 1 else field
        if geometry.fixed:
            return None
    return None


def _receptive_field(
    run: Callable[[Image], Image], geometry: Geometry, range_in: str, sides: tuple[int, int]
) -> int:
    levels = np.random.default_rng(0).random((*sides, min(geometry.channels_in, 3)), np.float32)

    def result(image: Image) -> Image:
        values = encoded(image, range_in, "rgb")
        if geometry.channels_in == 4:
            values = np.concatenate([values, np.ones_like(values[..., :1])], 2)
        return run(values)

    before, field = result(levels), 0
    for phase in _PHASES:
        place = sides[0] // 2 + phase, sides[1] // 2 + phase
        changed = levels.copy()
        changed[place] = 1 - np.round(changed[place])
        field = max(field, _distance((before != result(changed)).any(2), place, geometry))
    return field


def _distance(different: NDArray[np.bool_], place: tuple[int, int], geometry: Geometry) -> int:
    """Pixels of the input between a changed one and the farthest difference of the output."""
    if not different.any():
        return 0
    distances = []
    for axis, (center, border) in enumerate(zip(place, geometry.border, strict=True)):
        found = np.flatnonzero(different.any(1 - axis))
        # Back to pixels of the input: what the border took on this side is added.
        first, last = ((each + border / 2) / geometry.scale for each in (found[0], found[-1]))
        distances += [center - int(np.floor(first)), int(np.ceil(last)) - center]
    return max(distances)


def bytes_per_pixel(run: RunModel, pixels: NDArray[np.uint8]) -> int | None:
    """Memory at its highest while an image is worked on, for each of its pixels; None where it cannot be told."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # What was freed before would be taken again unseen.
    before = _reset_peak()
    if before is None:
        return None
    run(pixels)
    after = _status("VmHWM")
    return None if after is None else max(0, after - before) // (pixels.shape[0] * pixels.shape[1])


def _reset_peak() -> int | None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmHWM")


def _status(key: str) -> int | None:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))
    return None


class Cost(NamedTuple):
    """Least time of several runs.

    Attributes:
        ms: by the clock.
        cpu_seconds: of all threads, which hardly depends on what else the machine does.
    """

    ms: float
    cpu_seconds: float


def cost_of(*runs: Callable[[], object]) -> list[Cost]:
    """The cost of each over several rounds in which they take turns; fewer rounds of slow ones."""
    best = [Cost(float("inf"), float("inf"))] * len(runs)
    started = time.perf_counter()
    for number in range(_ROUNDS):
        for place, run in enumerate(runs):
            clock, cpu = time.perf_counter(), time.process_time()
            run()
            took = Cost(1000 * (time.perf_counter() - clock), time.process_time() - cpu)
            best[place] = Cost(*map(min, best[place], took))
        if number > 0 and time.perf_counter() - started > _MOST_SECONDS:
            break
    return best


def described(convention: Convention, geometry: Geometry) -> str:
    """A convention in words, for cards and lists."""
    if geometry.channels_in == 1:
        return f"luma {convention.range_in} in, {convention.range_out} out"
    return str(convention)
