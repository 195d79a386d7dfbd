"""One call of a model, for a whole image or in tiles."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.media.tiling import GIVEN_STATS, STATS, Tile, enlarged, half
from vidgan.session.loading import NEXT_STATE, STATE, Loaded, line
from vidgan.session.termination import run_options

Images = NDArray[np.uint8]
RecurrentState = NDArray[np.float32]

_OUT_OF_MEMORY = (
    "Failed to allocate memory",
    "bad allocation",
    "bad_alloc",
    "out of memory",
    "Available memory",
)
"""Words of onnxruntime's and CUDA's errors."""


class NoMemoryError(Exception):
    """A model took more memory than there is."""


def call(model: Loaded, inputs: list[Images], stats: NDArray[np.float32] | None = None) -> list[Images]:
    """Images, or luma and chroma, as one piece.

    Args:
        stats: statistics of the whole of which they are a part, ``(1, 4)``.

    Raises:
        NoMemoryError: there is not enough of it for that.
        ModelError: onnxruntime fails on these images, or returns another shape.
    """
    feed: dict[str, Any] = dict(zip(model.inputs, inputs, strict=True))
    if stats is not None:
        feed[model.names[GIVEN_STATS]] = stats
    with failures(model, [each.shape for each in inputs]), run_options() as options:
        results = model.session.run(model.outputs, feed, options)
    shapes, expected = [each.shape for each in results], [model.shape_of(each.shape) for each in inputs]
    if shapes != expected:
        got, wanted = (" and ".join(map(str, each)) for each in (shapes, expected))
        raise ModelError(f"{model.spec.file.path}: expected images of shape {wanted}, got {got}")
    return [np.asarray(each) for each in results]


def run_step(model: Loaded, images: Images, state: RecurrentState) -> tuple[Images, RecurrentState]:
    """An image, and the next recurrent state, see :meth:`vidgan.session.Session.step`.

    Raises:
        ModelError: onnxruntime fails on it, or returns other shapes.
    """
    feed: dict[str, Any] = {model.inputs[0]: images, model.names[STATE]: state}
    try:
        with failures(model, [images.shape]), run_options() as options:
            output, after = model.session.run([*model.outputs, model.names[NEXT_STATE]], feed, options)
    except NoMemoryError as exc:
        height, width = images.shape[1:3]
        raise ModelError(f"{model.spec.file.path}: not enough memory for {width}x{height}") from exc
    if output.shape != model.shape_of(images.shape) or after.shape != state.shape:
        raise ModelError(f"{model.spec.file.path}: returns {output.shape} and {after.shape}")
    return np.asarray(output), np.asarray(after, np.float32)


def run_conditioned(
    model: Loaded, images: Images, others: Mapping[str, NDArray[Any]]
) -> tuple[Images, dict[str, NDArray[Any]]]:
    """Images by other inputs too, see :meth:`vidgan.session.Session.run_conditioned`.

    Raises:
        ModelError: onnxruntime fails on them, or returns another shape.
    """
    feed: dict[str, Any] = {model.inputs[0]: images}
    feed |= {model.names[name]: each for name, each in others.items()}
    try:
        with failures(model, [images.shape]), run_options() as options:
            output, *found = model.session.run([*model.outputs, *model.extra_outputs.values()], feed, options)
    except NoMemoryError as exc:
        raise ModelError(f"{model.spec.file.path}: not enough memory for {len(images)} images") from exc
    if output.shape != model.shape_of(images.shape):
        raise ModelError(f"{model.spec.file.path}: returns {output.shape}")
    return np.asarray(output), dict(zip(model.extra_outputs, found, strict=True))


@contextlib.contextmanager
def failures(model: Loaded, shapes: Sequence[tuple[int, ...]]) -> Iterator[None]:
    """Raises onnxruntime's errors for images of these shapes as vidgan's.

    Raises:
        NoMemoryError, ModelError: as :func:`call`.
    """
    try:
        yield
    except Exception as exc:  # onnxruntime's errors share no base class.
        if any(words in str(exc) for words in _OUT_OF_MEMORY):
            raise NoMemoryError from exc
        height, width = shapes[0][1:3]
        raise ModelError(f"{model.spec.file.path}: fails on {width}x{height}: {line(exc)}") from exc


def in_tiles(
    model: Loaded,
    inputs: list[Images],
    tiles: Sequence[Tile],
    on_tile: Callable[[int, int], None] | None = None,
) -> list[Images]:
    """The same as :func:`call`, tile after tile, with the statistics of the whole.

    Args:
        on_tile: called after each tile with the number of those done and of all.
    """
    scale = model.spec.scale
    output = [np.empty(model.shape_of(each.shape), np.uint8) for each in inputs]
    for index in range(len(inputs[0])):
        image = [each[index : index + 1] for each in inputs]
        stats = _stats_of(model, image) if model.returns_stats else None
        for number, tile in enumerate(tiles, 1):
            parts = [each[:, *part] for each, part in zip(image, _of_planes(tile.window), strict=False)]
            results = call(model, parts, stats)
            targets = zip(output, results, _of_planes(tile.kept), _of_planes(tile.inner), strict=False)
            for target, result, kept, inner in targets:
                target[index][enlarged(kept, scale)] = result[0][enlarged(inner, scale)]
            if on_tile is not None:
                on_tile(len(tiles) * index + number, len(tiles) * len(output[0]))
    return output


def _of_planes(part: tuple[slice, slice]) -> list[tuple[slice, slice]]:
    """The slices of an image or luma, and of chroma."""
    return [part, half(part)]


def _stats_of(model: Loaded, image: list[Images]) -> NDArray[np.float32]:
    """The statistics of a whole image, computed without running the rest of the model."""
    with run_options() as options:
        options.only_execute_path_to_fetches = True
        (stats,) = model.session.run(
            [model.names[STATS]], dict(zip(model.inputs, image, strict=True)), options
        )
    return np.asarray(stats, np.float32)
