"""A trained generator as an ONNX graph: uint8 pictures in, uint8 pictures out, any size.

::

    picture ─ mirror the margin and pad to the stride ─ generator ─ cut to size ─ picture
              (written here, in ONNX's own text form)   (from torch)

The generator itself works on sizes that are multiples of its stride and never sees the odd ones.
"""

import warnings

import numpy as np
import onnx
import onnx.compose
import onnx.helper
import onnx.parser
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.networks import Generator
from training.networks.picture import MIRROR_STEPS, MOST_MISSING

OPSET = 20
MIN_SIDE = 16


class PictureModel(nn.Module):
    """uint8 RGB ``(N, H, W, 3)``, margin included, sides multiples of the stride → without the margin."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, pictures: Tensor) -> Tensor:
        return self.generator.repaint_bytes(pictures)


def onnx_graph(generator: Generator) -> onnx.ModelProto:
    """The generator, folded where it can be, in the precision of its weights, as a checked ONNX model."""
    core = _core(PictureModel(generator).eval(), generator.stride)
    model = onnx.compose.merge_models(
        _padding(generator.margin, generator.stride, core.ir_version),
        core,
        io_map=[("padded", "pictures_in")],
        outputs=["pictures_out", "picture_shape"],
    )
    model = onnx.compose.merge_models(
        model,
        _cutting(core.ir_version),
        io_map=[("pictures_out", "whole"), ("picture_shape", "shape")],
    )
    crop_by_slices(model.graph)
    # Merging lists the standard operators' version once for each part.
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    strip_traces(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def crop_by_slices(graph: onnx.GraphProto) -> None:
    """Makes a Slice of each Pad that takes pixels away: onnxruntime slices int8, but pads only floats."""
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for node in [each for each in graph.node if each.op_type == "Pad" and each.input[1] in constants]:
        pads = constants[node.input[1]]
        if pads.max() > 0:
            continue
        axes = np.flatnonzero(pads[: pads.size // 2])
        bounds = {"first": -pads[axes], "last": pads[axes + pads.size // 2], "axes": axes}
        names = [f"{node.name}_{name}" for name in bounds]
        for name, values in zip(names, bounds.values(), strict=True):
            graph.initializer.append(numpy_helper.from_array(values.astype(np.int64), name))
        node.op_type = "Slice"
        del node.attribute[:]
        node.input[:] = [node.input[0], *names]


def strip_traces(model: onnx.ModelProto) -> None:
    """Removes the notes that torch leaves on each node: stack traces, with the paths of this machine."""
    graph = model.graph
    for noted in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del noted.metadata_props[:]
        noted.doc_string = ""


def _core(module: PictureModel, stride: int) -> onnx.ModelProto:
    rows, columns, batch = (torch.export.Dim(name) for name in ("rows", "columns", "batch"))
    example = torch.zeros(2, 40 * stride, 36 * stride, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["pictures_in"],
            output_names=["pictures_out"],
            dynamic_shapes=({0: batch, 1: stride * rows, 2: stride * columns},),
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def _padding(margin: int, stride: int, ir_version: int) -> onnx.ModelProto:
    """As :func:`training.networks.picture.mirror`, below and right as many more as the stride needs."""
    rings = "\n".join(
        f"""
            side_{n} = ReduceMin <keepdims = 1> (shape_{n})
            room_{n} = Sub (side_{n}, missed)
            ring_{n} = Min (left_{n}, room_{n})
            left_{n + 1} = Sub (left_{n}, ring_{n})
            pads_{n} = Concat <axis = 0> (ring_{n}, ring_{n}, ring_{n}, ring_{n})
            mirrored_{n + 1} = Pad <mode = "reflect"> (mirrored_{n}, pads_{n}, , axes)
            shape_{n + 1} = Shape <start = 1, end = 3> (mirrored_{n + 1})"""
        for n in range(MIRROR_STEPS - 1)
    )
    last = MIRROR_STEPS - 1
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        pad (uint8[N, H, W, 3] pictures)
            => (uint8[N, PH, PW, 3] padded, int64[2] picture_shape) {{
            picture_shape = Shape <start = 1, end = 3> (pictures)
            stride = Constant <value_int = {stride}> ()
            negative = Neg (picture_shape)
            missing = Mod (negative, stride)
            axes = Constant <value = int64[2] {{ 1, 2 }}> ()
            missed = Constant <value = int64[1] {{ {MOST_MISSING + 1} }}> ()
            left_0 = Constant <value = int64[1] {{ {margin} }}> ()
            mirrored_0 = Identity (pictures)
            shape_0 = Identity (picture_shape)
            {rings}
            pads_before = Concat <axis = 0> (left_{last}, left_{last})
            pads_after = Add (pads_before, missing)
            pads = Concat <axis = 0> (pads_before, pads_after)
            padded = Pad <mode = "reflect"> (mirrored_{last}, pads, , axes)
        }}
    """)


def _cutting(ir_version: int) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        cut (uint8[N, PH, PW, 3] whole, int64[2] shape) => (uint8[N, H, W, 3] painted) {{
            first = Constant <value = int64[2] {{ 0, 0 }}> ()
            cut_axes = Constant <value = int64[2] {{ 1, 2 }}> ()
            painted = Slice (whole, first, shape, cut_axes)
        }}
    """)
