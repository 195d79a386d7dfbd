"""Kernels, biases and ranges of activations in integers, as onnxruntime's static quantization has them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST = 63
"""Largest weight of layers with phases: 7 bits of 8, because x86 CPUs without VNNI overflow silently on more.
That of other layers is one more, as onnxruntime has it."""

Floats = NDArray[np.float32]
PhaseLayout = list[tuple[slice, tuple[int, int]]]
"""Ranges of outputs of an upsampling convolution, each with its numbers of output and of input phases."""

_RGB_PHASES = (4, 1), (16, 4)
_YUV_PHASES: PhaseLayout = [(slice(16), (16, 4)), (slice(16, 24), (4, 4))]
"""Luma, and chroma at half the size."""


class Steps(NamedTuple):
    """How activations are kept as uint8: ``scale * (byte - zero)``."""

    scale: np.float32
    zero: np.uint8


def steps_of(least: float, most: float) -> Steps:
    """The steps of activations between ``least`` and ``most``; 0 is one of them."""
    low, high = min(least, 0.0), max(most, 0.0)
    scale = (high - low) / 255
    if scale < np.finfo(np.float32).tiny:
        return Steps(np.float32(1), np.uint8(0))
    return Steps(np.float32(scale), np.uint8(np.clip(np.rint(-low / scale), 0, 255)))


def round_kernel(weight: Floats) -> tuple[NDArray[np.int8], Floats]:
    """A kernel ``(O, I, H, W)`` as int8, and its scales, one an output.

    Layers with phases, see :func:`phase_layout`, get :func:`round_phases`.
    """
    layout = phase_layout(weight)
    if layout is not None:
        return round_phases(weight, layout)
    largest = np.abs(weight).max((1, 2, 3)).astype(np.float64)
    scale = np.where(largest > 0, largest / (LARGEST + 1), 1).astype(np.float32)
    rounded = np.rint(weight / scale[:, None, None, None])
    return rounded.clip(-LARGEST - 1, LARGEST + 1).astype(np.int8), scale


def round_bias(bias: Floats, scale: Floats) -> NDArray[np.int32]:
    """Biases in steps of kernel times activation."""
    return np.asarray(np.rint(bias / scale), np.int32)


def phase_layout(weight: Floats) -> PhaseLayout | None:
    """The phases of a kernel's outputs that have equal sums; None if there are none."""
    count = len(weight)
    guesses = [[(slice(count), layout)] for layout in _RGB_PHASES] + [_YUV_PHASES]
    return next((each for each in guesses if all(_is_phased(weight[o], *phases) for o, phases in each)), None)


def round_phases(weight: Floats, layout: PhaseLayout) -> tuple[NDArray[np.int8], Floats]:
    """A kernel of such phases as integers of 7 bits, and their scales, one per output.

    Phases of one output compute neighboring pixels, and their kernels have equal sums. Rounded independently
    their sums differ, and flat areas get checkerboard artifacts of a gray level or two. Therefore all phases get
    one scale, and are rounded to the same sum by the method of largest remainders, which moves no weight by more
    than one step.
    """
    parts = [_round_phases(weight[outputs], *phases) for outputs, phases in layout]
    rounded, scales = zip(*parts, strict=True)
    return np.concatenate(rounded), np.concatenate(scales)


def _is_phased(weight: Floats, outputs: int, inputs: int) -> bool:
    if not len(weight) or weight.shape[0] % outputs or weight.shape[1] % inputs:
        return False
    sums = _taps(weight, outputs, inputs).sum(3)
    return bool(np.allclose(sums, sums[0], rtol=1e-4, atol=1e-5 * np.abs(weight).max()))


def _taps(weight: Floats, outputs: int, inputs: int) -> NDArray[np.float64]:
    """``(Q·O, P·I, H, W)`` → ``(Q, O, I, P·H·W)``: the last axis has the taps that see one value in flat areas."""
    phases = weight.astype(np.float64).reshape(
        outputs, -1, inputs, weight.shape[1] // inputs, weight[0, 0].size
    )
    return np.moveaxis(phases, 2, 3).reshape(*phases.shape[:2], phases.shape[3], -1)


def _round_phases(weight: Floats, outputs: int, inputs: int) -> tuple[NDArray[np.int8], Floats]:
    taps = _taps(weight, outputs, inputs)
    scale = np.abs(taps).max((0, 2, 3)) / LARGEST
    exact = taps / scale[:, None, None]
    down = np.floor(exact)
    missing = np.rint(exact.sum(3).mean(0)) - down.sum(3)
    # Rank of each tap by what rounding down took from it.
    rank = np.argsort(np.argsort(down - exact, axis=3, kind="stable"), axis=3)
    rounded = (down + (rank < missing[..., None])).reshape(*taps.shape[:3], inputs, -1)
    back = np.moveaxis(rounded, 3, 2).reshape(weight.shape)
    return back.astype(np.int8), np.tile(scale, outputs).astype(np.float32)
