"""Nodes of an ONNX graph, written one after the other."""

from typing import Any

import numpy as np
import onnx
import onnx.helper
from onnx import TensorProto, numpy_helper


class Nodes:
    """A list of nodes whose names no foreign graph has, once its own have a prefix.

    Attributes:
        nodes: in order.
        constants: initializers.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self._count = 0

    def constant(self, value: Any, dtype: Any = None) -> str:
        """The name of an initializer with that value."""
        array = np.asarray(value)
        if dtype is not None:
            array = array.astype(dtype)
        name = f"wrapper/constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op: str, inputs: list[str], *, output: str | None = None, **attributes: Any) -> str:
        """The name of what a new node makes."""
        name = f"wrapper/{op.lower()}_{self._count}"
        self._count += 1
        output = output or f"{name}_out"
        self.nodes.append(onnx.helper.make_node(op, inputs, [output], name=name, **attributes))
        return output
