"""A trained generator as an ONNX graph: uint8 pictures in, uint8 pictures out, any size.

::

    picture ─ mirror below and right up to the stride ─ generator ─ cut to size ─ picture
              (written here, in ONNX's own text form)   (from torch)

The generator itself works on sizes that are multiples of its stride and never sees the odd ones. What an
upscaler returns has sides ``scale`` times as long.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnx.compose
import onnx.helper
import onnx.parser
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from export.planar import PlanarModel, light_of_planes
from training.networks import Generator, Upscaler
from training.networks.light import UNKNOWN
from training.networks.swift import Swift
from training.weights import HALVED
from vidgan.tiles import KNOWN_LIGHT, LIGHT

OPSET = 20
MIN_SIDE = 16

_MANY = 1000
_LIT: dict[str, Any] = {"beside": {KNOWN_LIGHT: (torch.full((1, 4), UNKNOWN), 0)}, "results": [LIGHT]}
"""What :class:`Swift` takes and gives beside pictures."""


class PictureModel(nn.Module):
    """uint8 RGB ``(N, H, W, 3)``, sides multiples of the stride → the same; for Swift with their light."""

    def __init__(self, generator: Generator | Upscaler) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, pictures: Tensor, known: Tensor | None = None) -> tuple[Tensor, ...] | Tensor:
        if isinstance(self.generator, Swift):
            return self.generator.repaint_bytes(pictures, known)
        return self.generator.repaint_bytes(pictures)


def onnx_graph(generator: Generator | Upscaler) -> onnx.ModelProto:
    """The generator, folded where it can be, in the precision of its weights, as a checked ONNX model."""
    example = torch.zeros(2, 40 * generator.stride, 36 * generator.stride, 3, dtype=torch.uint8)
    core = core_graph(
        PictureModel(generator).eval(),
        {"pictures": (example, generator.stride)},
        **_LIT if isinstance(generator, Swift) else {},
    )
    scale = generator.scale if isinstance(generator, Upscaler) else 1
    model = whole_graph(core, _padding(generator.stride, core.ir_version), _cutting(core.ir_version, scale))
    given = generator.given_light(255.0) if isinstance(generator, Swift) else None
    if given is not None:
        take_light_for(model, given)
    return model


def planar_graph(generator: Swift) -> onnx.ModelProto:
    """The same of :class:`export.planar.PlanarModel`: sides of pictures are even."""
    stride = generator.stride
    luma = torch.zeros(2, 40 * stride, 36 * stride, dtype=torch.uint8)
    chroma = torch.zeros(2, 20 * stride, 18 * stride, 2, dtype=torch.uint8)
    examples = {"luma": (luma, stride), "chroma": (chroma, stride // 2)}
    core = core_graph(PlanarModel(generator).eval(), examples, **_LIT)
    model = whole_graph(core, _padding_planes(stride, core.ir_version), _cutting_planes(core.ir_version))
    given = generator.given_light(255.0)
    if given is not None:
        take_light_for(model, light_of_planes(given))
    return model


def whole_graph(core: onnx.ModelProto, before: onnx.ModelProto, after: onnx.ModelProto) -> onnx.ModelProto:
    """Sizes pass by the core: what is left over of it is what goes in and comes out, padded and whole."""
    shapes = [each.name for each in before.graph.output if each.name.endswith("_shape")]
    names = [each.name.removesuffix("_in") for each in core.graph.input if each.name.endswith("_in")]
    passed = [each.name for each in core.graph.output if not each.name.endswith("_out")]
    model = onnx.compose.merge_models(
        before,
        core,
        io_map=[(f"{name}_padded", f"{name}_in") for name in names],
        outputs=[*(f"{name}_out" for name in names), *shapes, *passed],
    )
    model = onnx.compose.merge_models(
        model,
        after,
        io_map=[
            *((f"{name}_out", f"{name}_whole") for name in names),
            *((each, f"{each}_of") for each in shapes),
        ],
        outputs=[*(each.name for each in after.graph.output), *passed],
    )
    # Pictures come first, for whoever runs the file without knowing of the rest.
    pictures_first = sorted(model.graph.output, key=lambda each: each.name in passed)
    ordered = [onnx.ValueInfoProto.FromString(each.SerializeToString()) for each in pictures_first]
    del model.graph.output[:]
    model.graph.output.extend(ordered)
    if LIGHT in passed:
        # What nobody tells is found out.
        unknown = numpy_helper.from_array(np.full((1, 4), UNKNOWN, np.float32), KNOWN_LIGHT)
        model.graph.initializer.append(unknown)
    crop_by_slices(model.graph)
    # Merging lists the standard operators' version once for each part.
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    strip_traces(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def take_light_for(model: onnx.ModelProto, given: Tensor) -> None:
    """Of the light of its pictures the model finds nothing out, in place: it is ``given``, ``(1, 4)``."""
    for tensor in model.graph.initializer:
        if tensor.name == KNOWN_LIGHT:
            tensor.CopyFrom(numpy_helper.from_array(given.float().numpy(), KNOWN_LIGHT))


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


def pad_floats(model: onnx.ModelProto, kind: int) -> None:
    """What is padded on its way in is padded as floats, in place.

    Onnxruntime pads bytes on the CPU alone, and where a layer is on the CPU, CUDA captures no graph.

    Args:
        kind: of the floats, as :class:`onnx.TensorProto` names types; all bytes are among their values.
    """
    graph = model.graph
    taken = {each.name for each in graph.input if each.type.tensor_type.elem_type == onnx.TensorProto.UINT8}
    nodes = []
    for node in graph.node:
        if node.op_type != "Pad" or node.input[0] not in taken:
            nodes.append(node)
            continue
        given, padded = node.input[0], node.output[0]
        node.input[0], node.output[0] = f"{given}_floats", f"{padded}_floats"
        before = onnx.helper.make_node("Cast", [given], [node.input[0]], to=kind)
        after = onnx.helper.make_node("Cast", [node.output[0]], [padded], to=onnx.TensorProto.UINT8)
        nodes += [before, node, after]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    onnx.checker.check_model(model, full_check=True)


def halve_weights(model: onnx.ModelProto) -> None:
    """Keeps large weights as float16, in place: half the file; whoever loads it makes float32 of them.

    They are known to 11 bits then. All arithmetic is as before.
    """
    graph = model.graph
    for tensor in [each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT]:
        values = numpy_helper.to_array(tensor)
        if values.size < _MANY:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + HALVED))
        cast = onnx.helper.make_node("Cast", [name + HALVED], [name], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, cast)
    onnx.checker.check_model(model, full_check=True)


def round_weights(model: onnx.ModelProto) -> None:
    """Keeps kernels as int8 with a scale for each output, in place: a quarter of the file.

    Whoever loads it makes float32 of them; all arithmetic is as before.
    """
    graph = model.graph
    for tensor in [each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT]:
        values = numpy_helper.to_array(tensor)
        if values.ndim != 4 or values.size < _MANY:
            continue
        name = tensor.name
        largest = np.abs(values).max((1, 2, 3), keepdims=True)
        scale = np.maximum(largest, 1e-12).astype(np.float32) / 127
        tensor.CopyFrom(numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
        # Not DequantizeLinear, which onnxruntime would compute anew for each picture.
        cast = onnx.helper.make_node("Cast", [f"{name}_int8"], [f"{name}_whole"], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, onnx.helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [name]))
        graph.node.insert(0, cast)
    onnx.checker.check_model(model, full_check=True)


def describe(model: onnx.ModelProto, facts: dict[str, Any]) -> None:
    """Writes ``facts`` into the model's metadata, where the runtime reads them."""
    onnx.helper.set_model_props(
        model,
        {
            f"vidgan.{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in facts.items()
        },
    )
    model.producer_name = "vidgan"


def strip_traces(model: onnx.ModelProto) -> None:
    """Removes the notes that torch leaves on each node: stack traces, with the paths of this machine."""
    graph = model.graph
    for noted in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del noted.metadata_props[:]
        noted.doc_string = ""


def core_graph(
    module: nn.Module,
    examples: dict[str, tuple[Tensor, int]],
    *,
    beside: Mapping[str, tuple[Tensor, int]] | None = None,
    results: Sequence[str] = (),
) -> onnx.ModelProto:
    """``module`` for pictures like the examples by name, whose sides are multiples of their strides.

    Args:
        beside: what else it takes, by name: ``(N, C, H, W)``, or, with stride 0, the same for all sizes.
        results: names of what it gives beside pictures.
    """
    beside = beside or {}
    rows, columns, batch = (torch.export.Dim(name) for name in ("rows", "columns", "batch"))
    arguments = [example for example, _ in (*examples.values(), *beside.values())]
    shapes: list[dict[int, Any] | None] = [
        {0: batch, 1: stride * rows, 2: stride * columns} for _, stride in examples.values()
    ]
    for _, stride in beside.values():
        shapes.append({0: batch, 2: stride * rows, 3: stride * columns} if stride else None)
    names_in = [*(f"{name}_in" for name in examples), *beside]
    names_out = [*(f"{name}_out" for name in examples), *results]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(arguments),
            dynamo=True,
            opset_version=OPSET,
            input_names=names_in,
            output_names=names_out,
            dynamic_shapes=tuple(shapes),
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def _padding(stride: int, ir_version: int) -> onnx.ModelProto:
    """As :func:`training.networks.picture.complete`."""
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        pad (uint8[N, H, W, 3] pictures)
            => (uint8[N, PH, PW, 3] pictures_padded, int64[2] picture_shape) {{
            picture_shape = Shape <start = 1, end = 3> (pictures)
            {_pads("picture_shape", stride)}
            pictures_padded = Pad <mode = "reflect"> (pictures, pads, , axes)
        }}
    """)


def _padding_planes(stride: int, ir_version: int) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        pad (uint8[N, H, W] luma, uint8[N, CH, CW, 2] chroma)
            => (uint8[N, PH, PW] luma_padded, uint8[N, PCH, PCW, 2] chroma_padded,
                int64[2] luma_shape, int64[2] chroma_shape) {{
            luma_shape = Shape <start = 1, end = 3> (luma)
            chroma_shape = Shape <start = 1, end = 3> (chroma)
            {_pads("luma_shape", stride)}
            luma_padded = Pad <mode = "reflect"> (luma, pads, , axes)
            two = Constant <value_int = 2> ()
            chroma_pads = Div (pads, two)
            chroma_padded = Pad <mode = "reflect"> (chroma, chroma_pads, , axes)
        }}
    """)


def _pads(shape: str, stride: int) -> str:
    return f"""
            stride = Constant <value_int = {stride}> ()
            negative = Neg ({shape})
            missing = Mod (negative, stride)
            axes = Constant <value = int64[2] {{ 1, 2 }}> ()
            nothing = Sub ({shape}, {shape})
            pads = Concat <axis = 0> (nothing, missing)"""


def _cutting(ir_version: int, scale: int) -> onnx.ModelProto:
    size = "H, W" if scale == 1 else "SH, SW"
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        cut (uint8[N, PH, PW, 3] pictures_whole, int64[2] picture_shape_of)
            => (uint8[N, {size}, 3] painted) {{
            first = Constant <value = int64[2] {{ 0, 0 }}> ()
            cut_axes = Constant <value = int64[2] {{ 1, 2 }}> ()
            scale = Constant <value_int = {scale}> ()
            last = Mul (picture_shape_of, scale)
            painted = Slice (pictures_whole, first, last, cut_axes)
        }}
    """)


def _cutting_planes(ir_version: int) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        cut (uint8[N, PH, PW] luma_whole, uint8[N, PCH, PCW, 2] chroma_whole,
             int64[2] luma_shape_of, int64[2] chroma_shape_of)
            => (uint8[N, H, W] painted_luma, uint8[N, CH, CW, 2] painted_chroma) {{
            first = Constant <value = int64[2] {{ 0, 0 }}> ()
            cut_axes = Constant <value = int64[2] {{ 1, 2 }}> ()
            painted_luma = Slice (luma_whole, first, luma_shape_of, cut_axes)
            painted_chroma = Slice (chroma_whole, first, chroma_shape_of, cut_axes)
        }}
    """)
