"""Reads what an ``.onnx`` file says of itself, without running it and without the ``onnx`` package.

A protobuf message is a sequence of (field number, wire type, value); only the few fields that
matter here are followed. Field numbers are from ``onnx.proto3``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidgan.errors import ModelError

_MAX_BYTES = 2**31 - 1

# Where tensors can hide: message kind -> {field: kind of the message there}.
_NESTED = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_TENSOR_EXTERNAL_DATA = 13
_TENSOR_DATA_LOCATION = 14
_MODEL_GRAPH = 7
_MODEL_METADATA = 14
_GRAPH_INITIALIZER = 5
_GRAPH_INPUT = 11
_TENSOR_NAME = 8
_VALUE_NAME = 1


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A model's bytes and its metadata.

    Attributes:
        path: where it was read.
        data: the whole file.
        metadata: the model's ``metadata_props``.
    """

    path: Path
    data: bytes
    metadata: dict[str, str]


def read_onnx(path: Path) -> OnnxFile:
    """Reads and checks the frame of an ONNX file.

    Raises:
        ModelError: it cannot be read, is no ONNX file, or keeps tensors outside itself.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ModelError(f"{path}: larger than 2 GiB, which an ONNX file cannot be")
        data = path.read_bytes()
    except OSError as exc:
        raise ModelError(f"{path}: cannot read the model: {exc.strerror or exc}") from exc
    view = memoryview(data)
    try:
        if _has_external_data(view, "model"):
            raise ModelError(
                f"{path}: the model keeps tensors in other files, which vidgan does not open; "
                "save it as a single file"
            )
        metadata = dict(_string_pair(value) for field, value in _fields(view) if field == _MODEL_METADATA)
    except (ValueError, RecursionError) as exc:
        raise ModelError(f"{path}: not an ONNX file, or damaged") from exc
    return OnnxFile(path, data, metadata)


def initializer_named(data: bytes, name: str) -> bool:
    """Whether a model has an initializer of that name that is not an input."""
    view = memoryview(data)
    graphs = [_bytes(value) for field, value in _fields(view) if field == _MODEL_GRAPH]
    names = {kind: _names(graphs, kind) for kind in (_GRAPH_INITIALIZER, _GRAPH_INPUT)}
    return name in names[_GRAPH_INITIALIZER] and name not in names[_GRAPH_INPUT]


def _names(graphs: list[memoryview], kind: int) -> set[str]:
    """Names of the initializers or inputs of a graph."""
    number = _TENSOR_NAME if kind == _GRAPH_INITIALIZER else _VALUE_NAME
    return {
        str(_bytes(text), "utf-8", "replace")
        for graph in graphs
        for field, value in _fields(graph)
        if field == kind
        for inner, text in _fields(_bytes(value))
        if inner == number
    }


def with_input(data: bytes, name: str, shape: tuple[int, ...]) -> bytes:
    """A model that takes one of its initializers as a float32 input, which may be left out.

    Serialized messages that follow each other are merged, so what is appended is one more input of the graph.
    """
    dims = b"".join(_field(1, b"\x08" + _encoded(side)) for side in shape)
    tensor = b"\x08\x01" + _field(2, dims)
    value = _field(1, name.encode()) + _field(2, _field(1, tensor))
    return data + _field(_MODEL_GRAPH, _field(_GRAPH_INPUT, value))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return _encoded(number << 3 | 2) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    """A number as a varint."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _has_external_data(message: memoryview, kind: str) -> bool:
    if kind == "tensor":
        return any(
            field == _TENSOR_EXTERNAL_DATA or (field == _TENSOR_DATA_LOCATION and value != 0)
            for field, value in _fields(message)
        )
    nested = _NESTED[kind]
    return any(
        field in nested and _has_external_data(_bytes(value), nested[field])
        for field, value in _fields(message)
    )


def _string_pair(value: int | memoryview) -> tuple[str, str]:
    pair = {field: str(_bytes(text), "utf-8") for field, text in _fields(_bytes(value))}
    return pair.get(1, ""), pair.get(2, "")


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("expected a length-delimited field")
    return value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        wire = key & 7
        if wire == 0:
            value, position = _varint(message, position)
            yield key >> 3, value
            continue
        if wire == 2:
            size, position = _varint(message, position)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if position + size > len(message):
            raise ValueError("field runs past the end")
        yield key >> 3, message[position : position + size]
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ValueError("number runs past the end")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("number too long")
