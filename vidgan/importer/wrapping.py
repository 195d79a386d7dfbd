"""A foreign graph inside vidgan's contract for models: uint8 images in, uint8 images out.

::

    image ─ mirror ─ transpose ─ scale ─ reorder ─ foreign graph ─ crop ─ reorder ─ scale ─ round ─ transpose ─ image

The foreign graph's names get a prefix. Its own nodes are left as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnx.checker
import onnx.compose
import onnx.helper
import onnx.version_converter
from numpy.typing import NDArray
from onnx import TensorProto

from vidgan.errors import ModelError
from vidgan.importer.chroma import (
    CHROMA_TO_RGB,
    FROM_RGB,
    colored_phases,
    enlarged_phases,
    interleaved,
    mixed,
)
from vidgan.importer.convention import RANGES, Convention
from vidgan.importer.geometry import Geometry
from vidgan.importer.nodes import Nodes

LEAST_OPSET = 13
_PREFIX = "model/"


def upgraded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in an opset that the wrapper can be written in.

    Raises:
        ModelError: it is older, and onnx cannot convert it.
    """
    opset = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 1)
    if opset >= LEAST_OPSET:
        return model
    newer = onnx.ModelProto.FromString(model.SerializeToString())
    newer.ir_version = max(newer.ir_version, 8)  # Before 4, initializers had to be inputs too.
    try:
        return onnx.version_converter.convert_version(newer, LEAST_OPSET)
    except Exception as exc:  # The converter's errors share no base class.
        words = " ".join(str(exc).split())[:160]
        raise ModelError(f"uses opset {opset}, which onnx cannot convert to {LEAST_OPSET}: {words}") from exc


@dataclass(frozen=True)
class Wrapping:
    """All that decides what is put round a graph.

    Attributes:
        geometry: of the graph.
        convention: of its images.
        input: name of its image input.
        least: the smallest image that it takes, rows and columns.
        dtype_in: type of its image input, as :class:`onnx.TensorProto` numbers types.
        dtype_out: of its image output.
        batch: whether it takes several images at a time.
    """

    geometry: Geometry
    convention: Convention
    input: str
    least: tuple[int, int]
    dtype_in: int
    dtype_out: int
    batch: bool

    @property
    def margins(self) -> tuple[int, int]:
        """Mirrored pixels on each side, which the graph eats."""
        scale = self.geometry.scale
        rows, columns = (max(0, -(-border // (2 * scale))) for border in self.geometry.border)
        return rows, columns

    @property
    def offsets(self) -> tuple[int, int]:
        """Where the image begins in what the graph returns."""
        scale = self.geometry.scale
        rows, columns = (
            scale * margin - border // 2
            for margin, border in zip(self.margins, self.geometry.border, strict=True)
        )
        return rows, columns


def wrapped(model: onnx.ModelProto, wrapping: Wrapping, metadata: dict[str, str]) -> onnx.ModelProto:
    """The model for images, uint8 RGB ``(N, H, W, 3)`` → ``(N, scale·H, scale·W, 3)``."""
    graph = _Graph(model, wrapping)
    padded = graph.mirrored("image", 1, 2)
    channels_first = graph.node("Transpose", [padded], perm=[0, 3, 1, 2])
    floats = graph.cast(channels_first, TensorProto.FLOAT)
    if wrapping.geometry.channels_in == 1:
        luma = mixed(graph, floats, FROM_RGB[:1])
        result = graph.decoded(graph.cropped(graph.foreign(graph.encoded(luma))))
        unpadded = floats
        if padded != "image":
            unpadded = graph.cast(graph.node("Transpose", ["image"], perm=[0, 3, 1, 2]), TensorProto.FLOAT)
        chroma = mixed(graph, unpadded, FROM_RGB[1:])
        graph.enlarged(chroma, CHROMA_TO_RGB, "image", luma=result, output="result")
    else:
        levels = graph.decoded(graph.cropped(graph.foreign(graph.encoded(floats))))
        graph.node("Transpose", [graph.bytes_of(levels)], perm=[0, 2, 3, 1], output="result")
    side = _sides(wrapping, 1)
    return graph.finished([("image", [*side, 3])], [("result", [*_sides(wrapping, None), 3])], metadata)


def wrapped_yuv420(model: onnx.ModelProto, wrapping: Wrapping, metadata: dict[str, str]) -> onnx.ModelProto:
    """A luma model for luma ``(N, H, W)`` and chroma, Cr and Cb ``(N, H/2, W/2, 2)``, both uint8."""
    graph = _Graph(model, wrapping)
    padded = graph.mirrored("luma", 1, 2)
    floats = graph.cast(graph.node("Unsqueeze", [padded, graph.constant([1])]), TensorProto.FLOAT)
    levels = graph.decoded(graph.cropped(graph.foreign(graph.encoded(floats)), source="luma"))
    graph.node("Squeeze", [graph.bytes_of(levels), graph.constant([1])], output="result_luma")
    if wrapping.geometry.scale == 1:
        graph.node("Identity", ["chroma"], output="result_chroma")
    else:
        chroma = graph.cast(graph.node("Transpose", ["chroma"], perm=[0, 3, 1, 2]), TensorProto.FLOAT)
        graph.enlarged(chroma, np.eye(2), "chroma", output="result_chroma")
    given, made = _sides(wrapping, 1), _sides(wrapping, None)
    return graph.finished(
        [("luma", given), ("chroma", [*_halves(given), 2])],
        [("result_luma", made), ("result_chroma", [*_halves(made), 2])],
        metadata,
    )


def takes_yuv420(wrapping: Wrapping) -> bool:
    """Whether there is a form of it for luma and chroma, whose planes have half the sides."""
    even = not wrapping.geometry.fixed or not any(side % 2 for side in fixed_size(wrapping))
    return wrapping.geometry.channels_in == 1 and even


def _sides(wrapping: Wrapping, factor: int | None) -> list[int | str]:
    batch: int | str = "N" if wrapping.batch else 1
    if wrapping.geometry.fixed:
        scale = 1 if factor else wrapping.geometry.scale
        return [batch, *(scale * each for each in fixed_size(wrapping))]
    return [batch, "H", "W"] if factor else [batch, "SH", "SW"]


def _halves(sides: Sequence[int | str]) -> list[int | str]:
    """The shape of chroma planes."""
    batch, *sides = sides
    return [batch, *(f"C{each}" if isinstance(each, str) else each // 2 for each in sides)]


def fixed_size(wrapping: Wrapping) -> tuple[int, int]:
    """Rows and columns of the one image size that a wrapped graph of fixed size takes."""
    rows, columns = (
        side - 2 * margin for side, margin in zip(wrapping.geometry.base, wrapping.margins, strict=True)
    )
    return rows, columns


class _Graph(Nodes):
    """The wrapper's nodes, in order, each with the name of what it makes."""

    def __init__(self, model: onnx.ModelProto, wrapping: Wrapping) -> None:
        self._model = onnx.ModelProto.FromString(model.SerializeToString())
        self._geometry, self._convention, self._wrapping = wrapping.geometry, wrapping.convention, wrapping
        super().__init__()
        self._before: list[onnx.NodeProto] = []

    def cast(self, value: str, dtype: int) -> str:
        return self.node("Cast", [value], to=dtype)

    def mirrored(self, image: str, *axes: int) -> str:
        """Mirrored without its edge: by the margins on all sides, then below and right up to a size that is taken."""
        geometry, wrapping = self._geometry, self._wrapping
        if geometry.fixed and wrapping.margins == (0, 0):
            return image
        if wrapping.margins == (0, 0) and geometry.multiple == (1, 1) and max(wrapping.least) <= 16:
            return image
        shape = self.node("Shape", [image])
        for number, axis in enumerate(axes):
            index = self._mirrored_index(shape, axis, number)
            image = self.node("Gather", [image, index], axis=axis)
        return image

    def _mirrored_index(self, shape: str, axis: int, number: int) -> str:
        margin = self._wrapping.margins[number]
        multiple, residue = self._geometry.multiple[number], self._geometry.residue[number]
        side = self.node("Gather", [shape, self.constant(axis)])
        one, two, zero = self.constant(1), self.constant(2), self.constant(0)
        whole = self.node("Add", [side, self.constant(2 * margin)])
        if not self._geometry.fixed:
            whole = self.node("Max", [whole, self.constant(self._wrapping.least[number])])
            lacking = self.node("Sub", [self.constant(residue), whole])
            whole = self.node("Add", [whole, self.node("Mod", [lacking, self.constant(multiple)])])
        first = self.constant(-margin)
        places = self.node("Range", [first, self.node("Add", [whole, first]), one])
        period = self.node("Max", [self.node("Mul", [self.node("Sub", [side, one]), two]), one])
        within = self.node("Mod", [places, period])
        back = self.node("Sub", [period, within])
        return self.node("Max", [self.node("Min", [within, back]), zero])

    def encoded(self, levels: str) -> str:
        """Levels 0 to 255 as the graph wants them, with an alpha channel where it wants one."""
        geometry, convention = self._geometry, self._convention
        value = self._reordered(levels, convention.order_in)
        value = self._affine_in(value, convention.range_in, convention.order_in)
        if geometry.channels_in == 4:
            mean, std = RANGES[convention.range_in]
            opaque = self.constant((1 - mean[0]) / std[0], np.float32)
            value = self.node("Pad", [value, self.constant([0, 0, 0, 0, 0, 1, 0, 0]), opaque])
        if self._wrapping.dtype_in != TensorProto.FLOAT:
            value = self.cast(value, self._wrapping.dtype_in)
        return self._to_layout(value, geometry.layout_in)

    def foreign(self, value: str) -> str:
        """The graph itself."""
        self._before, self.nodes = self.nodes, []
        self._fed = value
        return _PREFIX + self._geometry.output

    def cropped(self, value: str, source: str = "image") -> str:
        """The part that belongs to the image, ``(N, C, scale·H, scale·W)`` float32."""
        geometry = self._geometry
        value = self._from_layout(value, geometry.layout_out)
        value = (
            self.cast(value, TensorProto.FLOAT) if self._wrapping.dtype_out != TensorProto.FLOAT else value
        )
        if geometry.channels_out == 4:
            value = self.node("Slice", [value, *map(self.constant, ([0], [3], [1]))])
        wrapping = self._wrapping
        whole = geometry.multiple == (1, 1) and wrapping.offsets == (0, 0) and wrapping.margins == (0, 0)
        if (whole and max(wrapping.least) <= 16) or (geometry.fixed and geometry.border == (0, 0)):
            return value
        shape = self.node("Shape", [source])
        sides = self.node("Slice", [shape, *map(self.constant, ([1], [3], [0]))])
        first = self.constant(list(wrapping.offsets))
        size = self.node("Mul", [sides, self.constant(geometry.scale)])
        return self.node("Slice", [value, first, self.node("Add", [size, first]), self.constant([2, 3])])

    def decoded(self, value: str) -> str:
        """Levels 0 to 255 of what the graph returns, in the order R, G, B."""
        convention = self._convention
        mean, std = RANGES[convention.range_out]
        value = self._affine_out(value, mean, std, convention.order_out)
        return self._reordered(value, convention.order_out)

    def enlarged(
        self, chroma: str, matrix: NDArray[np.float64], like: str, *, luma: str | None = None, output: str
    ) -> str:
        """Bytes of an image: smaller chroma, see :func:`~vidgan.importer.chroma.colored_phases`, and luma."""
        scale = self._geometry.scale
        phases = enlarged_phases(self, chroma, scale)
        levels = colored_phases(self, phases, matrix, scale, like=like, luma=luma)
        return interleaved(self, self.bytes_of(levels), scale, like=like, channels=len(matrix), output=output)

    def bytes_of(self, levels: str, output: str | None = None) -> str:
        """Rounded to even and limited, in one pass."""
        zero = self.constant(0, np.uint8)
        return self.node("QuantizeLinear", [levels, self.constant(1, np.float32), zero], output=output)

    def finished(
        self,
        inputs: list[tuple[str, list[int | str]]],
        outputs: list[tuple[str, list[int | str]]],
        metadata: dict[str, str],
    ) -> onnx.ModelProto:
        inner = onnx.compose.add_prefix(self._model, _PREFIX, rename_functions=False)
        fed = onnx.helper.make_node(
            "Identity", [self._fed], [_PREFIX + self._wrapping.input], name="wrapper/fed"
        )
        graph = onnx.helper.make_graph(
            [*self._before, fed, *inner.graph.node, *self.nodes],
            "wrapped",
            [onnx.helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name, shape in inputs],
            [onnx.helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name, shape in outputs],
            [*inner.graph.initializer, *self.constants],
            sparse_initializer=list(inner.graph.sparse_initializer),
        )
        model = onnx.helper.make_model(
            graph,
            opset_imports=list(inner.opset_import),
            functions=list(inner.functions),
            ir_version=max(8, inner.ir_version),
        )
        onnx.helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        return model

    def _to_layout(self, value: str, layout: str) -> str:
        if layout == "NHWC":
            return self.node("Transpose", [value], perm=[0, 2, 3, 1])
        if layout in ("CHW", "HWC"):
            value = self.node("Squeeze", [value, self.constant([0])])
            return value if layout == "CHW" else self.node("Transpose", [value], perm=[1, 2, 0])
        return value

    def _from_layout(self, value: str, layout: str) -> str:
        if layout == "NHWC":
            return self.node("Transpose", [value], perm=[0, 3, 1, 2])
        if layout in ("CHW", "HWC"):
            value = value if layout == "CHW" else self.node("Transpose", [value], perm=[2, 0, 1])
            return self.node("Unsqueeze", [value, self.constant([0])])
        return value

    def _reordered(self, value: str, order: str) -> str:
        if order == "rgb":
            return value
        return self.node("Gather", [value, self.constant([2, 1, 0])], axis=1)

    def _affine_in(self, levels: str, span: str, order: str) -> str:
        """(levels / 255 − mean) / std."""
        mean, std = RANGES[span]
        scale = [255 * each for each in std]
        value = levels if scale == [1.0] * 3 else self.node("Div", [levels, self._of_channels(scale, order)])
        offset = [m / s for m, s in zip(mean, std, strict=True)]
        return value if not any(offset) else self.node("Sub", [value, self._of_channels(offset, order)])

    def _affine_out(self, value: str, mean: Sequence[float], std: Sequence[float], order: str) -> str:
        scale, offset = [255 * each for each in std], [255 * each for each in mean]
        if scale != [1.0] * 3:
            value = self.node("Mul", [value, self._of_channels(scale, order)])
        return value if not any(offset) else self.node("Add", [value, self._of_channels(offset, order)])

    def _of_channels(self, values: Sequence[float], order: str) -> str:
        if len(set(values)) == 1:
            return self.constant(values[0], np.float32)
        ordered = list(values)[::-1] if order == "bgr" else list(values)
        return self.constant(np.asarray(ordered).reshape(1, 3, 1, 1), np.float32)
