"""A foreign ONNX graph before it is run: its inputs and outputs, and what keeps it from being used."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnx.helper
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper

from vidgan.errors import ModelError

_STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
_FLOATS = {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE}
_IMAGE_CHANNELS = {1, 3, 4}
_SPATIAL = {"NCHW": (2, 3), "NHWC": (1, 2), "CHW": (1, 2), "HWC": (0, 1)}

_MOST_SHOWN = 8
"""Values of an input that a message asks for one by one."""

Dimension = int | None


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output of the graph.

    Attributes:
        name: of the tensor.
        type: of its elements, as :class:`onnx.TensorProto` numbers types.
        shape: None for a dimension that has no fixed size; None altogether where no shape is declared.
    """

    name: str
    type: int
    shape: tuple[Dimension, ...] | None

    @property
    def layouts(self) -> list[str]:
        """The layouts that an image of this shape can have, the likelier ones first."""
        if self.shape is None:
            return ["NCHW", "NHWC"]
        names = {4: ("NCHW", "NHWC"), 3: ("CHW", "HWC")}.get(len(self.shape), ())
        exact = [name for name in names if self.channels(name) in _IMAGE_CHANNELS]
        # Where a single axis has a fixed size, it is that of the channels: not the sides of an image, then.
        fixed = [each for each in self.shape[-3:] if each is not None]
        known = len(fixed) == 1 and any(self.channels(name) is not None for name in names)
        return exact or [name for name in names if self.channels(name) is None and not known]

    def channels(self, layout: str) -> Dimension:
        return None if self.shape is None else self.shape[layout.index("C")]

    def sides(self, layout: str) -> tuple[Dimension, Dimension]:
        """Height and width as they are declared."""
        if self.shape is None:
            return None, None
        rows, columns = _SPATIAL[layout]
        return self.shape[rows], self.shape[columns]

    @property
    def size(self) -> int | None:
        """Its number of elements, if that is fixed."""
        if self.shape is None or None in self.shape:
            return None
        return math.prod(each for each in self.shape if each is not None)

    @property
    def is_scalar(self) -> bool:
        """Whether it holds one number, whatever its rank."""
        if self.shape is None:
            return False
        return (len(self.shape) < 3 and all(each in (1, None) for each in self.shape)) or (
            bool(self.shape) and all(each == 1 for each in self.shape)
        )


@dataclass(frozen=True)
class ForeignGraph:
    """A model as it was given, and what is known of it without running it.

    Attributes:
        model: the model; initializers are no longer among its inputs.
        image: the input that takes the image.
        settings: values of all other inputs.
        outputs: of the graph.
    """

    model: onnx.ModelProto
    image: Value
    settings: dict[str, NDArray[Any]] = field(default_factory=dict)
    outputs: tuple[Value, ...] = ()

    @property
    def metadata(self) -> dict[str, str]:
        return {each.key: each.value for each in self.model.metadata_props}

    @property
    def opset(self) -> int:
        return next((each.version for each in self.model.opset_import if each.domain in ("", "ai.onnx")), 1)


def read_graph(data: bytes, given: dict[str, str]) -> ForeignGraph:
    """The graph in a serialized model.

    Args:
        data: a model that :func:`vidgan.models.onnx_file.read_onnx` accepted.
        given: the user's values for inputs other than the image, by name.

    Raises:
        ModelError: it cannot be parsed, needs operators of a vendor, or does not take exactly one image.
    """
    try:
        model = onnx.load_from_string(data)
    except (DecodeError, RecursionError, ValueError) as exc:
        raise ModelError("not an ONNX file, or damaged") from exc
    _refuse_custom_operators(model)
    _drop_initializer_inputs(model.graph)
    inputs = [_value(each) for each in model.graph.input]
    unknown = sorted(given.keys() - {each.name for each in inputs})
    if unknown:
        names = ", ".join(each.name for each in inputs)
        raise ModelError(f"has no input {unknown[0]!r} to set; its inputs are {names}")
    image = _image_of([each for each in inputs if each.name not in given])
    settings = {each.name: _setting(each, given[each.name]) for each in inputs if each.name in given}
    return ForeignGraph(model, image, settings, tuple(_value(each) for each in model.graph.output))


def relaxed(graph: ForeignGraph, layout: str) -> onnx.ModelProto:
    """A copy whose image may have any size and number, with the settings as initializers."""
    model = onnx.ModelProto.FromString(graph.model.SerializeToString())
    bind_settings(model, graph.settings)
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        if len(dims) != len(layout):
            continue
        for name, dim in zip(layout, dims, strict=True):
            if name != "C":
                dim.ClearField("dim_value")
                dim.dim_param = f"image_{name}"
    forget_shapes(model)
    return model


def forget_shapes(model: onnx.ModelProto) -> None:
    """Removes declared shapes of outputs and of everything in between, which may be wrong, in place."""
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]


def bind_settings(model: onnx.ModelProto, settings: dict[str, NDArray[Any]]) -> None:
    """Makes initializers of the inputs that have a value, in place."""
    kept = [each for each in model.graph.input if each.name not in settings]
    copies = [onnx.ValueInfoProto.FromString(each.SerializeToString()) for each in kept]
    del model.graph.input[:]
    model.graph.input.extend(copies)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in settings.items())


def _refuse_custom_operators(model: onnx.ModelProto) -> None:
    defined = {(each.domain, each.name) for each in model.functions}
    for node in _nodes(model.graph):
        if node.domain not in _STANDARD_DOMAINS and (node.domain, node.op_type) not in defined:
            raise ModelError(f"needs operator {node.domain}:{node.op_type}, which onnxruntime does not have")


def _nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """All nodes, those of subgraphs too."""
    found = []
    for node in graph.node:
        found.append(node)
        for attribute in node.attribute:
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                found += _nodes(inner)
    return found


def _drop_initializer_inputs(graph: onnx.GraphProto) -> None:
    """Before IR version 4, initializers had to be listed as inputs."""
    known = {each.name for each in graph.initializer}
    kept = [
        onnx.ValueInfoProto.FromString(each.SerializeToString())
        for each in graph.input
        if each.name not in known
    ]
    del graph.input[:]
    graph.input.extend(kept)


def _value(info: onnx.ValueInfoProto) -> Value:
    tensor = info.type.tensor_type
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(
            each.dim_value if each.HasField("dim_value") and each.dim_value > 0 else None
            for each in tensor.shape.dim
        )
    return Value(info.name, tensor.elem_type, shape)


def _image_of(inputs: list[Value]) -> Value:
    images = [each for each in inputs if each.layouts and not each.is_scalar]
    others = [each for each in inputs if each not in images]
    if len(images) > 1:
        names = ", ".join(repr(each.name) for each in images)
        count = {2: "two", 3: "three"}.get(len(images), str(len(images)))
        raise ModelError(f"takes {count} images ({names}); vidgan gives a model one image")
    if not images:
        got = ", ".join(f"{each.name!r} of shape {_words(each.shape)}" for each in inputs) or "nothing"
        raise ModelError(f"takes no image with 1, 3 or 4 channels: its inputs are {got}")
    if others:
        name = others[0].name
        kind = onnx.TensorProto.DataType.Name(others[0].type).lower()
        values = ",".join(["VALUE"] * min(others[0].size or 1, _MOST_SHOWN))
        setting = f"`settings={ {name: values}!r}`"
        raise ModelError(f"needs a value for its input {name!r} ({kind}); give it with {setting}")
    return images[0]


def _words(shape: tuple[Dimension, ...] | None) -> str:
    return (
        "unknown"
        if shape is None
        else "(" + ", ".join("?" if each is None else str(each) for each in shape) + ")"
    )


def _setting(value: Value, text: str) -> NDArray[Any]:
    """One number for all elements, or as many as there are, with commas between."""
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value.type))
        numbers = [_number(each, dtype) for each in text.split(",")]
        shape = tuple(each or 1 for each in value.shape or ())
        return np.broadcast_to(
            np.asarray(numbers, dtype).reshape(shape if len(numbers) > 1 else ()), shape
        ).copy()
    except (KeyError, ValueError, TypeError) as exc:
        raise ModelError(f"its input {value.name!r} cannot be set to {text!r}") from exc


def _number(text: str, dtype: np.dtype[Any]) -> float | int | bool:
    if dtype.kind == "b":
        return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
    return int(text) if dtype.kind in "iu" else float(text)
