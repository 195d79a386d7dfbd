"""Any painting's style vector → the model files of a bundled style, with numpy and ``onnx`` alone.

A template is the graph of a bundled style without what a style decides: kernels, biases and, in int8, the
steps of activations. Filling these in is all that happens here; what runs is the graph of a bundled style.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.models.universal.calibration import Ranges, ranges_of
from vidgan.models.universal.kernels import Kernels
from vidgan.models.universal.rounding import Floats, Steps, round_bias, round_kernel, steps_of

if TYPE_CHECKING:
    # It takes a tenth of a second to load, and help needs none of it.
    import onnx

KERNELS = "kernels.npz"
PREDICTOR = "predictor.onnx"
TEMPLATES = "float32", "float16", "int8", "int8-yuv420"
"""Names of the templates' files and of what is made of them, as they are called beside a bundled style."""

_PREFIX = "network."
_SETTINGS = "vidgan."


class UniversalGenerator:
    """The generator for any style.

    Args:
        folder: holds :data:`KERNELS` and a template each of :data:`TEMPLATES`, as ``python -m export`` writes
            them. (The predictor of style vectors, :data:`PREDICTOR`, is run by whoever has a runtime.)

    Raises:
        ModelError: the kernels are missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernels = Kernels.read(folder / KERNELS)

    def model(
        self, vector: NDArray[np.floating[Any]], name: str, *, facts: Mapping[str, str] | None = None
    ) -> onnx.ModelProto:
        """The model of one style.

        Args:
            vector: from the predictor, or a mixture of several.
            name: one of :data:`TEMPLATES`.
            facts: what the file says of itself beside what the template does, without ``vidgan.``.

        Raises:
            ModelError: the template is missing or damaged.
            ValueError: the vector is not of this generator.
        """
        template = self._template(name)
        values = self._values(vector, name)
        _fill(template.graph, values)
        if facts:
            from onnx.helper import set_model_props

            said = {each.key: each.value for each in template.metadata_props}
            said |= {f"{_SETTINGS}{key}": value for key, value in facts.items()}
            set_model_props(template, said)
        return template

    def _values(self, vector: NDArray[np.floating[Any]], name: str) -> dict[str, NDArray[Any]]:
        if not name.startswith("int8"):
            kind = np.float16 if name == "float16" else np.float32
            folded = self.kernels.fold(vector)
            return {f"{_PREFIX}{key}": value.astype(kind) for key, value in folded.items()}
        ranges = ranges_of(self.kernels.fold_on_cells(vector, planar=False), self.kernels["cells"])
        folded = self.kernels.fold_on_cells(vector, planar=name.endswith("yuv420"))
        return rounded_values(folded, ranges, self.kernels.points[name])

    def _template(self, name: str) -> onnx.ModelProto:
        if name not in self._files:
            raise ValueError(f"{name!r} is none of {', '.join(TEMPLATES)}")
        path = self._files[name]
        import onnx

        try:
            return onnx.load_model_from_string(path.read_bytes())
        except OSError as exc:
            raise ModelError(f"{path}: cannot read the template: {exc.strerror or exc}") from exc
        # protobuf's own error differs from one of its implementations to the next.
        except Exception as exc:
            raise ModelError(f"{path}: is damaged, or no template of a universal generator") from exc

    @cached_property
    def _files(self) -> dict[str, Path]:
        return {name: self.folder / f"{name}.onnx" for name in TEMPLATES}


def rounded_values(
    folded: Mapping[str, Floats], ranges: Ranges, points: Mapping[str, str]
) -> dict[str, NDArray[Any]]:
    """The values that a template in int8 lacks, by name.

    Args:
        folded: from :meth:`Kernels.fold_on_cells`.
        points: of activations in the template, by the start of the names of scale and zero: the point of
            ``ranges`` that is meant; and by ``<LAYER``, the point that a layer reads.
    """
    steps = {point: steps_of(*bounds) for point, bounds in ranges.items()}
    values: dict[str, NDArray[Any]] = {}
    for name, point in points.items():
        if name.startswith("<"):
            values |= _rounded_layer(folded, name[1:], steps[point])
        else:
            values[f"{name}_scale"] = np.asarray(steps[point].scale)
            values[f"{name}_zero_point"] = np.asarray(steps[point].zero)
    return values


def _rounded_layer(folded: Mapping[str, Floats], layer: str, read: Steps) -> dict[str, NDArray[Any]]:
    kernel, scale = round_kernel(folded[f"{layer}.weight"])
    bias_scale = scale * read.scale
    name = f"{_PREFIX}{layer}"
    return {
        f"{name}.weight_quantized": kernel,
        f"{name}.weight_scale": scale,
        f"{name}.bias_quantized": round_bias(folded[f"{layer}.bias"], bias_scale),
        f"{name}.bias_quantized_scale": bias_scale,
    }


def _fill(graph: onnx.GraphProto, values: Mapping[str, NDArray[Any]]) -> None:
    """Gives the placeholders their values, in place.

    Raises:
        ModelError: template and values do not belong together.
    """
    from onnx import numpy_helper

    places = {each.name: each for each in graph.initializer if is_placeholder(each)}
    if odd := sorted(places.keys() ^ values.keys()):
        raise ModelError(f"the template and the kernels of the universal generator differ in {odd[0]}")
    for name, value in values.items():
        places[name].CopyFrom(numpy_helper.from_array(np.asarray(value), name))


def is_placeholder(tensor: onnx.TensorProto) -> bool:
    """Whether the template leaves this to the style: it has a size of 0."""
    return list(tensor.dims) == [0]
