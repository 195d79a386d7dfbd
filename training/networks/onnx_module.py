"""A network kept as ONNX, as a torch module that gradients go through.

For frozen networks that a training objective looks through and that exist as ONNX alone: recognizers of
faces, a landmark network. It knows the few operators that those are made of.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import Tensor, nn

Operator = Callable[[Sequence[Any], dict[str, Any]], Tensor]


class OnnxModule(nn.Module):
    """The graph of a file, frozen, for batches of any number.

    Args:
        path: an ONNX file with one input, whose first axis counts images.

    Raises:
        ValueError: the graph has an operator that is not known here.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        graph = onnx.load(path).graph
        constants = {each.name: _tensor(numpy_helper.to_array(each)) for each in graph.initializer}
        self._steps: list[tuple[str, list[str], str, dict[str, Any]]] = []
        for node in graph.node:
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            if node.op_type == "Constant":
                constants[node.output[0]] = _tensor(numpy_helper.to_array(attributes["value"]))
            elif node.op_type == "Cast" and node.input[0] in constants:
                constants[node.output[0]] = _tensor(constants[node.input[0]].numpy())
            elif node.op_type in _OPERATORS:
                self._steps.append((node.op_type, list(node.input), node.output[0], attributes))
            else:
                raise ValueError(
                    f"{path}: operator {node.op_type} is none of {', '.join(sorted(_OPERATORS))}"
                )
        self._input = next(each.name for each in graph.input if each.name not in constants)
        self._outputs = [each.name for each in graph.output]
        used = {name for _, names, _, _ in self._steps for name in names}
        self._names = {
            name: f"constant_{number}" for number, name in enumerate(sorted(used & constants.keys()))
        }
        for name, place in self._names.items():
            self.register_buffer(place, constants[name])

    def forward(self, x: Tensor) -> list[Tensor]:
        """The outputs of the graph, in its order."""
        values: dict[str, Any] = {name: getattr(self, place) for name, place in self._names.items()}
        values |= {"": None, self._input: x}
        for operator, inputs, output, attributes in self._steps:
            values[output] = _OPERATORS[operator]([values[name] for name in inputs], attributes)
        return [values[name] for name in self._outputs]


def _tensor(array: Any) -> Tensor:
    array = np.asarray(array)
    return torch.tensor(array.astype(np.float32) if array.dtype == np.float16 else array)


def _conv(inputs: Sequence[Any], attributes: dict[str, Any]) -> Tensor:
    x, weight, *bias = inputs
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    strides = tuple(attributes.get("strides", (1, 1)))
    groups = attributes.get("group", 1)
    return F.conv2d(x, weight, bias[0] if bias else None, strides, (top, left), groups=groups)


def _pad(inputs: Sequence[Any], attributes: dict[str, Any]) -> Tensor:
    sides = [int(each) for each in (inputs[1] if len(inputs) > 1 else attributes["pads"])]
    axes = len(sides) // 2
    return F.pad(inputs[0], [sides[axis + part] for axis in reversed(range(axes)) for part in (0, axes)])


def _reshape(inputs: Sequence[Any], attributes: dict[str, Any]) -> Tensor:
    """Files say 1 for the number of images."""
    x, shape = inputs
    return x.reshape(len(x), *shape[1:].tolist())


def _max_pool(inputs: Sequence[Any], attributes: dict[str, Any]) -> Tensor:
    if any(attributes.get("pads", ())):
        raise ValueError("a MaxPool with padding is not known here")
    return F.max_pool2d(inputs[0], tuple(attributes["kernel_shape"]), tuple(attributes["strides"]))


_OPERATORS: dict[str, Operator] = {
    "Add": lambda inputs, _: inputs[0] + inputs[1],
    "Clip": lambda inputs, _: torch.clamp(inputs[0], float(inputs[1]), float(inputs[2])),
    "Conv": _conv,
    "MaxPool": _max_pool,
    "Pad": _pad,
    "PRelu": lambda inputs, _: torch.relu(inputs[0]) - inputs[1] * torch.relu(-inputs[0]),
    "Relu": lambda inputs, _: torch.relu(inputs[0]),
    "Reshape": _reshape,
    "Transpose": lambda inputs, attributes: inputs[0].permute(*attributes["perm"]),
}
