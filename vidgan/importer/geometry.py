"""How a foreign graph maps sizes, found by running it: declared shapes are only a first guess.

::

    output side = scale · input side − border,   input side ≡ residue (mod multiple)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.importer.graph import ForeignGraph, Value, relaxed
from vidgan.session.graph_runner import GraphRunner, TimeLimitError

MOST_SCALE = 8
_LAYOUTS = {4: ("NCHW", "NHWC"), 3: ("CHW", "HWC")}
_SQUARES = 64, 96, 128, 192, 256
_STEPS = 1, 2, 4, 8, 16, 32, 64, 3, 6, 12, 24, 48, 5, 10, 20, 40, 7, 14, 28, 56, 9, 11, 13, 15
"""Sizes are tried at these distances; a number comes after all that divide it."""
_MOST_DECLARED = 1024
_SAME_LIKENESS = 0.02
"""Correlations with the input that do not tell outputs apart. Pyramids return the same image in several sizes."""

Sides = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Layouts and sizes of a graph's image input and output.

    Attributes:
        layout_in, layout_out: ``"NCHW"``, ``"NHWC"``, ``"CHW"`` or ``"HWC"``.
        channels_in, channels_out: 1, 3 or 4.
        output: name of the output that is the image.
        scale: sides of the output per side of the input.
        border: pixels that the output lacks, rows and columns.
        multiple, residue: sizes that the graph takes, rows and columns.
        base: the size at which it was examined.
        fixed: whether that is the only size that it takes.
    """

    layout_in: str
    layout_out: str
    channels_in: int
    channels_out: int
    output: str
    scale: int
    border: Sides
    multiple: Sides
    residue: Sides
    base: Sides
    fixed: bool

    def taken(self, at_least: Sides) -> Sides:
        """The smallest size of that many pixels or more that the graph takes."""
        if self.fixed:
            return self.base
        rows, columns = (
            side + (residue - side) % multiple
            for side, residue, multiple in zip(at_least, self.residue, self.multiple, strict=True)
        )
        return rows, columns


class Probe:
    """Runs a graph on images, float32 ``(H, W, C)`` in the graph's own values → the same.

    Args:
        runner: of the relaxed graph.
        image: its image input.
        layout_in, layout_out: see :class:`Geometry`.
        output: name of the output.
    """

    def __init__(
        self, runner: GraphRunner, image: Value, layout_in: str, layout_out: str, output: str
    ) -> None:
        self._runner = runner
        self._name = image.name
        (self._dtype,) = [each.dtype for each in runner.inputs if each.name == image.name]
        self._layout_in, self._layout_out, self._output = layout_in, layout_out, output

    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        feed = laid_out(image, self._layout_in).astype(self._dtype or np.float32)
        (result,) = self._runner.run({self._name: feed}, [self._output])
        return hwc_of(result, self._layout_out)


def laid_out(image: NDArray[Any], layout: str) -> NDArray[Any]:
    """``(H, W, C)`` as the layout has it."""
    axes = ["HWC".index(each) for each in layout if each != "N"]
    image = image.transpose(axes)
    return image[np.newaxis] if "N" in layout else image


def hwc_of(result: NDArray[Any], layout: str) -> NDArray[np.float32]:
    """The reverse of :func:`laid_out`, of the first image."""
    image = result[0] if "N" in layout else result
    axes = [layout.replace("N", "").index(each) for each in "HWC"]
    return np.ascontiguousarray(image.transpose(axes), np.float32)


def examine_geometry(graph: ForeignGraph, *, seconds: float) -> tuple[Geometry, Probe]:
    """Finds a graph's geometry.

    Args:
        seconds: that one run may take.

    Raises:
        ModelError: the graph runs at no size tried, or returns no image.
    """
    failures: list[str] = []
    for layout in graph.image.layouts:
        runner = _runner_of(graph, layout, seconds, failures)
        if runner is None:
            continue
        channels = graph.image.channels(layout)
        for count in (channels,) if channels is not None else (3, 1):
            trial = _Trial(runner, graph.image, layout, count)
            base = _base(trial, graph.image.sides(layout), failures)
            if base is not None:
                return _described(trial, base)
    raise ModelError(f"runs at no size tried: {failures[-1] if failures else 'it declares no image'}")


def _runner_of(graph: ForeignGraph, layout: str, seconds: float, failures: list[str]) -> GraphRunner | None:
    try:
        runner = GraphRunner(relaxed(graph, layout).SerializeToString(), seconds=seconds)
    except ModelError as exc:
        failures.append(str(exc))
        return None
    (declared,) = [each for each in runner.inputs if each.name == graph.image.name]
    if declared.dtype is None or np.dtype(declared.dtype).kind not in "fui":
        raise ModelError(f"takes images of a type that vidgan does not give: input {graph.image.name!r}")
    return runner


class _Trial:
    """Output shapes of one layout, by size."""

    def __init__(self, runner: GraphRunner, image: Value, layout: str, channels: int) -> None:
        self.runner, self.image, self.layout, self.channels = runner, image, layout, channels
        (self._dtype,) = [each.dtype for each in runner.inputs if each.name == image.name]

    def outputs(self, sides: Sides, levels: NDArray[np.float64] | float = 0.5) -> dict[str, NDArray[Any]]:
        """All outputs for an image of those levels, a gray one by default.

        Raises:
            ModelError: the graph does not take that size.
        """
        gray = np.empty((*sides, self.channels))
        gray[:] = levels if np.ndim(levels) == 0 else np.asarray(levels)[..., np.newaxis]
        if np.dtype(self._dtype or np.float32).kind != "f":
            gray *= 255
        feed = laid_out(gray, self.layout).astype(self._dtype or np.float32)
        results = self.runner.run({self.image.name: feed})
        return dict(zip((each.name for each in self.runner.outputs), results, strict=True))


def _base(trial: _Trial, declared: tuple[int | None, int | None], failures: list[str]) -> Sides | None:
    """The first size that the graph takes."""
    for sides in _candidates(declared):
        try:
            trial.outputs(sides)
        except TimeLimitError as exc:
            raise ModelError(f"a run with an image of {sides[1]}x{sides[0]} {exc}") from exc
        except ModelError as exc:
            failures.append(str(exc))
            continue
        return sides
    return None


def _candidates(declared: tuple[int | None, int | None]) -> Iterator[Sides]:
    height, width = declared
    if height is not None and width is not None and max(height, width) <= _MOST_DECLARED:
        # A graph that insists on its size says so at once; one that does not is examined at smaller ones.
        yield from ((64, 64), (96, 96), (height, width))
    yield from ((side, side) for side in _SQUARES)
    yield from ((64 + row, 64 + column) for row, column in product(range(8), repeat=2))
    yield from ((64 + step, 64 + step) for step in range(8, 33))
    yield from ((side, side) for side in (224, 320, 384, 512))


def _described(trial: _Trial, base: Sides) -> tuple[Geometry, Probe]:
    output, layout_out, channels_out = _image_output(trial, base)

    def sides_of(sides: Sides) -> Sides | None:
        try:
            result = trial.outputs(sides)[output]
        except TimeLimitError:
            raise
        except ModelError:
            return None
        return _sides(result, layout_out) if result.ndim == len(layout_out) else None

    free_rows = _axis_rule(sides_of, base, 0)
    free_columns = None if free_rows is None else _axis_rule(sides_of, base, 1)
    fixed = free_rows is None or free_columns is None
    rows = free_rows if free_rows and not fixed else _only_rule(sides_of, base, 0)
    columns = free_columns if free_columns and not fixed else _only_rule(sides_of, base, 1)
    if rows.scale != columns.scale:
        raise ModelError(f"enlarges height {rows.scale} times and width {columns.scale} times")
    if not 1 <= rows.scale <= MOST_SCALE:
        raise ModelError(other_scale(rows.scale))
    geometry = Geometry(
        layout_in=trial.layout,
        layout_out=layout_out,
        channels_in=trial.channels,
        channels_out=channels_out,
        output=output,
        scale=rows.scale,
        border=(rows.border, columns.border),
        multiple=(rows.multiple, columns.multiple),
        residue=(rows.residue, columns.residue),
        base=(rows.base, columns.base),
        fixed=fixed,
    )
    return geometry, Probe(trial.runner, trial.image, trial.layout, layout_out, output)


def _image_output(trial: _Trial, base: Sides) -> tuple[str, str, int]:
    """Name, layout and channels of the first output that is an image, three channels before others."""
    found = []
    results = trial.outputs(base)
    _refuse_batches(trial, results)
    for name, result in results.items():
        for layout in _LAYOUTS.get(result.ndim, ()):
            channels = result.shape[layout.index("C")]
            height, width = _sides(result, layout)
            if channels in (1, 3, 4) and min(height / base[0], width / base[1]) > 0.3:
                found.append((name, layout, channels))
    usable = [each for each in found if (each[2] == 1) == (trial.channels == 1)]
    if usable:
        best = [each for each in usable if each[2] == 3] or usable
        return best[0] if len(best) == 1 else _likest(trial, base, best)
    if any(channels == 1 for _, _, channels in found):
        raise ModelError("returns 1 channel: a mask or a depth map, not an image")
    if found:
        raise ModelError(f"returns {found[0][2]} channels for an image of {trial.channels}")
    name, result = next(iter(results.items()))
    if result.ndim in _LAYOUTS and result.shape[trial.layout.index("C")] > 4:
        raise ModelError(f"returns {result.shape[trial.layout.index('C')]} channels, not an image")
    raise ModelError(f"returns {name!r} of shape {result.shape}, not an image")


def _refuse_batches(trial: _Trial, results: dict[str, NDArray[Any]]) -> None:
    for result in results.values():
        if "N" in trial.layout and result.ndim == 4 and result.shape[0] > 1:
            raise ModelError(f"takes batches of {result.shape[0]} images alone; export it for batches of one")


def _likest(trial: _Trial, base: Sides, found: list[tuple[str, str, int]]) -> tuple[str, str, int]:
    """The largest output that follows the input: others are noise, or images of something else."""
    rows, columns = (np.linspace(0, 1, side) for side in base)
    slope = np.add.outer(rows, columns) / 2
    results = trial.outputs(base, slope)

    def likeness(output: tuple[str, str, int]) -> float:
        name, layout, _ = output
        image = hwc_of(results[name], layout).mean(2, dtype=np.float64)
        given = slope[
            np.ix_(
                *(np.linspace(0, side - 1, n).astype(int) for side, n in zip(base, image.shape, strict=True))
            )
        ]
        image, given = image - image.mean(), given - given.mean()
        return float(abs((image * given).sum()) / (np.sqrt((image**2).sum() * (given**2).sum()) + 1e-9))

    scores = [likeness(each) for each in found]
    alike = [each for each, score in zip(found, scores, strict=True) if score > max(scores) - _SAME_LIKENESS]
    return max(alike, key=lambda output: results[output[0]].size)


def _sides(result: NDArray[Any], layout: str) -> Sides:
    return result.shape[layout.index("H")], result.shape[layout.index("W")]


@dataclass(frozen=True, slots=True)
class _Rule:
    """See :class:`Geometry`, of one axis."""

    scale: int
    border: int
    multiple: int
    residue: int
    base: int


def _axis_rule(sides_of: Callable[[Sides], Sides | None], base: Sides, axis: int) -> _Rule | None:
    """From the smallest step between sizes after which the output has grown in proportion, three times."""

    def side_of(side: int) -> int | None:
        sides = (side, base[1]) if axis == 0 else (base[0], side)
        result = sides_of(sides)
        return None if result is None else result[axis]

    start = base[axis]
    first = side_of(start)
    assert first is not None
    known: dict[int, int | None] = {start: first}

    def grown(step: int) -> int | None:
        side = start + step
        if side not in known:
            known[side] = side_of(side)
        result = known[side]
        return None if result is None else result - first

    for step in _STEPS:
        one = grown(step)
        if one is None or one < step or one % step:
            continue
        if grown(2 * step) == 2 * one and grown(3 * step) == 3 * one:
            return _centered(known, start, first, one // step, step, side_of)
    _refuse_broken_scale(grown)
    return None


def _refuse_broken_scale(grown: Callable[[int], int | None]) -> None:
    """Refuses what takes any size, but whose output grows by 1.5 pixels or by half a pixel for each one."""
    for step in _STEPS:
        one = grown(step)
        if one and one > 0 and grown(2 * step) == 2 * one and grown(3 * step) == 3 * one:
            raise ModelError(other_scale(one / step))


def other_scale(scale: float) -> str:
    """The reason for a refusal, in words."""
    return f"returns images {scale:.3g} times as large; vidgan takes whole scales, 1 to {MOST_SCALE}"


def _centered(
    known: dict[int, int | None],
    start: int,
    first: int,
    scale: int,
    step: int,
    side_of: Callable[[int], int | None],
) -> _Rule:
    """Where other sizes lose nothing of the border, as of graphs that round sizes down, those are taken."""
    if step > 1 and first != scale * start:
        for side in range(start + 1, start + step):
            result = known[side] if side in known else side_of(side)
            if result == scale * side:
                start, first = side, result
                break
    return _Rule(scale, scale * start - first, step, start % step, start)


def _only_rule(sides_of: Callable[[Sides], Sides | None], base: Sides, axis: int) -> _Rule:
    """The rule of a graph that takes one size: the scale is the next whole one."""
    result = sides_of(base)
    assert result is not None
    scale = max(1, -(-result[axis] // base[axis]))
    return _Rule(scale, scale * base[axis] - result[axis], base[axis], 0, base[axis])
