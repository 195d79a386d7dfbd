"""One run of an export on a small image: a graph that loads may still run forever, or return no image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.session.graph_runner import GraphRunner, TensorInfo

_SECONDS = 20.0
_SIDE = 128
"""Side of the image in pixels, a multiple of all strides."""

_CHROMA_DIMENSIONS = "CH", "CW"
_MOST_VALUES = 1 << 24
_LEAST_DEVIATION = 1.0
"""Standard deviation of an image, in levels, below which it shows one color."""


def run_once(data: bytes) -> None:
    """Runs an export on a small image of noise, or an empty label map; to be called in a process with limits.

    Raises:
        ModelError: it takes too long or too much memory, fails, or returns what cannot be an image.
    """
    runner = GraphRunner(data, threads=1, seconds=_SECONDS, arena=False)
    random = np.random.default_rng(0)
    feeds = {each.name: _values(each, random) for each in runner.inputs}
    takes_image = any(_is_image(each) for each in feeds.values())
    for info, output in zip(runner.outputs, runner.run(feeds), strict=True):
        if output.size == 0:
            raise ModelError(f"returns nothing as {info.name!r} of an image of {_SIDE}x{_SIDE} pixels")
        if output.dtype.kind == "f" and not np.isfinite(output).all():
            raise ModelError(f"returns numbers that are not finite as {info.name!r}")
        if takes_image and _is_image(output) and float(output.std()) < _LEAST_DEVIATION:
            raise ModelError("returns an image of one color")


def _values(info: TensorInfo, random: np.random.Generator) -> NDArray[Any]:
    shape = [_extent(each, index) for index, each in enumerate(info.shape)]
    if info.dtype is None or min(shape, default=1) < 1 or int(np.prod(shape)) > _MOST_VALUES:
        raise ModelError(f"the input {info.name!r} has a type or shape that nothing can have")
    values: NDArray[Any] = np.zeros(shape, info.dtype)
    return random.integers(0, 256, shape, np.uint8) if _is_image(values) else values


def _extent(declared: int | str | None, index: int) -> int:
    if isinstance(declared, int):
        return declared
    if index == 0:
        return 1
    return _SIDE // 2 if declared in _CHROMA_DIMENSIONS else _SIDE


def _is_image(values: NDArray[Any]) -> bool:
    return values.ndim == 4 and values.shape[3] == 3 and values.dtype == np.uint8
