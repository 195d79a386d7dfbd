"""The universal generator's kernels, and what becomes of them for one style vector.

Shapes: a kernel is ``(O, I, H, W)``, a bias ``(O,)``, a style vector ``(size,)``, all float32.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.models.universal.rounding import Floats

TABLE = "table"
"""Entry of the file beside the arrays: JSON that says which of them is decided by which part of the vector."""

COLORS = 12
"""Numbers at the end of a style vector: a matrix of colors, ``(3, 3)``, and the mean."""

_SPREAD = np.array(
    [
        [[0.75, 0.25, 0.0], [0.25, 0.75, 0.75], [0.0, 0.0, 0.25]],
        [[0.25, 0.0, 0.0], [0.75, 0.75, 0.25], [0.0, 0.25, 0.75]],
    ],
    np.float32,
)
"""Bilinear upsampling: for each phase, the share of a small pixel in each large one under a kernel."""

_PLACES = [(q, tap, (q + tap - 1) // 2, (q + tap - 1) % 2) for q in (0, 1) for tap in range(3)]


@dataclass(frozen=True)
class LayerRanges:
    """The numbers of a style vector that decide one layer, as ``[first, last)``."""

    experts: tuple[int, int]
    scale: tuple[int, int]
    shift: tuple[int, int]


class Kernels:
    """Kernels of all styles.

    Args:
        arrays: ``NAME.kernel``, ``NAME.experts`` ``(K, O, I, H, W)``, ``NAME.gain``, ``NAME.bias`` of every
            layer; see :meth:`read` for the others.
        table: what each of them depends on, by layer, in the order in which images pass.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], table: Mapping[str, Any]) -> None:
        self._arrays = {
            name: value.astype(np.float32) if value.dtype == np.float16 else value
            for name, value in arrays.items()
        }
        self.size = int(table["size"])
        self.points: dict[str, dict[str, str]] = dict(table["points"])
        self._parts = {
            name: LayerRanges(*(tuple(part[each]) for each in ("experts", "scale", "shift")))
            for name, part in table["layers"].items()
        }

    @classmethod
    def read(cls, path: Path) -> "Kernels":
        """From the ``.npz`` that ``python -m export`` writes of a run of ``any-style``.

        Raises:
            ModelError: there is no such file, or it is another one.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            return cls(arrays, json.loads(arrays.pop(TABLE).tobytes()))
        except OSError as exc:
            raise ModelError(f"{path}: cannot read the kernels: {exc.strerror or exc}") from exc
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as exc:
            raise ModelError(f"{path}: is damaged, or holds no kernels of a universal generator") from exc

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    @property
    def layers(self) -> list[str]:
        """Names of the layers, in the order in which images pass."""
        return list(self._parts)

    def fold(self, vector: NDArray[np.floating[Any]]) -> dict[str, Floats]:
        """``NAME.weight`` and ``NAME.bias`` of every layer in one style.

        Enlarging layers are as they work on the small grid, with four phases an output.

        Raises:
            ValueError: the vector is of another size, or holds what is no number.
        """
        vector = np.asarray(vector, np.float32).reshape(-1)
        if vector.size != self.size:
            raise ValueError(f"a style vector of {vector.size} numbers; this generator takes {self.size}")
        if not np.isfinite(vector).all():
            raise ValueError("a style vector with numbers that are not finite")
        folded = {}
        for name, part in self._parts.items():
            experts, scale, shift = (vector[slice(*each)] for each in (part.experts, part.scale, part.shift))
            kernel = self[f"{name}.kernel"] + np.tensordot(experts, self[f"{name}.experts"], 1)
            length = np.sqrt(np.square(kernel).sum((1, 2, 3), keepdims=True))
            kernel = kernel / np.maximum(length, 1e-6)
            kernel = kernel * (self[f"{name}.gain"] * (1 + scale))[:, None, None, None]
            bias = self[f"{name}.bias"] + shift
            if name == self.layers[-1]:
                kernel, bias = _colored(kernel, bias, vector[-COLORS:])
            if name.startswith("up_"):
                kernel, bias = _by_phases(kernel), np.tile(bias, 4)
            folded[f"{name}.weight"], folded[f"{name}.bias"] = kernel, bias
        return folded

    def fold_on_cells(self, vector: NDArray[np.floating[Any]], *, planar: bool) -> dict[str, Floats]:
        """The same for int8: features between -1 and 1, and the last layer on cells of 4×4 pixels.

        Args:
            planar: for images of luma and chroma rather than RGB.
        """
        folded = self.fold(vector)
        first, last = self.layers[0], self.layers[-1]
        folded[f"{first}.weight"] = folded[f"{first}.weight"] * self["reach"][:, None, None]
        kernel, bias = _on_cells(folded[f"{last}.weight"]), np.tile(folded[f"{last}.bias"][:3], 16)
        if planar:
            samples = self["samples"]
            kernel, bias = np.tensordot(samples, kernel, 1), samples @ bias
            bias[16:] += np.float32(128 / 255)
        folded[f"{last}.weight"], folded[f"{last}.bias"] = kernel, bias
        return folded


def _colored(kernel: Floats, bias: Floats, colors: Floats) -> tuple[Floats, Floats]:
    matrix, mean = colors[:9].reshape(3, 3), colors[9:]
    return np.tensordot(matrix, kernel, 1), matrix @ bias + mean


def _by_phases(kernel: Floats) -> Floats:
    """Bilinear ×2 and then a 3×3 kernel, as one kernel on the small grid: ``(4 · O, I, 3, 3)``."""
    phases = np.einsum("oikl,pyk,qxl->pqoiyx", kernel, _SPREAD, _SPREAD, optimize=True)
    return np.ascontiguousarray(phases.reshape(-1, *kernel.shape[1:]), np.float32)


def _on_cells(kernel: Floats) -> Floats:
    """Four phases at half the image's size → sixteen at a quarter: ``(16 · O, 4 · I, 3, 3)``."""
    outputs, inputs = len(kernel) // 4, kernel.shape[1]
    phases = kernel.reshape(2, 2, outputs, inputs, 3, 3)
    large = np.zeros((2, 2, 2, 2, outputs, 2, 2, inputs, 3, 3), np.float32)
    for qy, ty, cy, iy in _PLACES:
        for qx, tx, cx, ix in _PLACES:
            large[qy, :, qx, :, :, iy, ix, :, cy + 1, cx + 1] = phases[..., ty, tx]
    return large.reshape(16 * outputs, 4 * inputs, 3, 3)
