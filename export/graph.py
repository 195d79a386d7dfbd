"""A trained network as an ONNX graph: uint8 images in and out, at any size.

::

    image ─ pad at bottom and right to multiples of the stride ─ network ─ crop ─ image
            (written here, in ONNX's text format)              (from torch)

The network itself sees only multiples of its stride. An upscaler's output has ``scale`` times the size.
"""

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

from export.model_file import GIVEN_STATS, NEXT_STATE, STATE, STATS
from export.rewriting import lower_opset_for_grid_sample, slice_negative_pads, strip_traces
from export.yuv420 import Yuv420Model, yuv_stats
from training.networks.exportable import ExportableNetwork, ExportSpec, ImageTensor
from training.networks.local_contrast import UNKNOWN_STAT

OPSET = 20
MIN_SIDE = 16


class _BytesModel(nn.Module):
    """:meth:`ExportableNetwork.run_bytes` as a module, whose weights have the prefix ``network.``."""

    def __init__(self, network: ExportableNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input: Tensor, extra: Tensor | None = None) -> tuple[Tensor, ...] | Tensor:
        return self.network.run_bytes(input) if extra is None else self.network.run_bytes(input, extra)


def onnx_graph(network: ExportableNetwork) -> onnx.ModelProto:
    """The network, folded where it can be, in the precision of its weights, as a checked ONNX model."""
    spec, stride = network.export_spec(), network.stride
    rows, columns = (count * stride for count in spec.example)
    example = torch.zeros(2, rows, columns, *_channels(spec.input), dtype=torch.uint8)
    extra_inputs: dict[str, tuple[Tensor, int]] = {}
    extra_outputs: list[str] = []
    if spec.computes_stats:
        extra_inputs, extra_outputs = _stats_tensors()
    if spec.state_channels:
        extra_inputs = {STATE: (torch.zeros(2, spec.state_channels, rows, columns), stride)}
        extra_outputs = [NEXT_STATE]
    core = core_graph(
        _BytesModel(network).eval(),
        {spec.input.name: (example, stride)},
        extra_inputs=extra_inputs,
        extra_outputs=extra_outputs,
    )
    model = complete_graph(core, _padding(spec, stride, core.ir_version), _cropping(spec, core.ir_version))
    if spec.assumed_stats is not None:
        set_given_stats(model, spec.assumed_stats)
    return model


def yuv420_graph(network: ExportableNetwork) -> onnx.ModelProto:
    """:class:`export.yuv420.Yuv420Model` of the network, likewise; sides of images are even."""
    spec, stride = network.export_spec(), network.stride
    rows, columns = (count * stride for count in spec.example)
    luma = torch.zeros(2, rows, columns, dtype=torch.uint8)
    chroma = torch.zeros(2, rows // 2, columns // 2, 2, dtype=torch.uint8)
    examples = {"luma": (luma, stride), "chroma": (chroma, stride // 2)}
    extra_inputs, extra_outputs = _stats_tensors()
    core = core_graph(
        Yuv420Model(network).eval(), examples, extra_inputs=extra_inputs, extra_outputs=extra_outputs
    )
    model = complete_graph(core, _yuv_padding(stride, core.ir_version), _yuv_cropping(core.ir_version))
    if spec.assumed_stats is not None:
        set_given_stats(model, yuv_stats(spec.assumed_stats))
    return model


def core_graph(
    module: nn.Module,
    examples: Mapping[str, tuple[Tensor, int]],
    *,
    extra_inputs: Mapping[str, tuple[Tensor, int]] | None = None,
    extra_outputs: Sequence[str] = (),
) -> onnx.ModelProto:
    """``module`` as an ONNX model without padding; its images are ``NAME_in`` and ``NAME_out``.

    Args:
        examples: images by name, each with its stride.
        extra_inputs: other inputs by name: ``(N, C, H, W)`` with their stride, or stride 0 for a fixed shape.
        extra_outputs: names of outputs besides images.
    """
    extra_inputs = extra_inputs or {}
    rows, columns, batch = (torch.export.Dim(name) for name in ("rows", "columns", "batch"))
    arguments = [example for example, _ in (*examples.values(), *extra_inputs.values())]
    shapes: list[dict[int, Any] | None] = [
        {0: batch, 1: stride * rows, 2: stride * columns} for _, stride in examples.values()
    ]
    for _, stride in extra_inputs.values():
        shapes.append({0: batch, 2: stride * rows, 3: stride * columns} if stride else None)
    inputs = [*(f"{name}_in" for name in examples), *extra_inputs]
    outputs = [*(f"{name}_out" for name in examples), *extra_outputs]
    return traced_graph(module, tuple(arguments), inputs, outputs, tuple(shapes))


def traced_graph(
    module: nn.Module,
    arguments: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    shapes: tuple[dict[int, Any] | None, ...],
) -> onnx.ModelProto:
    """``module`` as an ONNX model, by :func:`torch.onnx.export`.

    Args:
        arguments: examples of the inputs.
        inputs, outputs: names.
        shapes: of each input, the axes of variable size.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            arguments,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=shapes,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def checked_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` without traces of this machine, once it is valid."""
    strip_traces(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def batched_graph(
    model: nn.Module,
    examples: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str] = ("output",),
) -> onnx.ModelProto:
    """A model whose sides are fixed and whose number of images is not, as a checked ONNX model.

    Args:
        examples: of the inputs, at least two images of each.
        inputs: their names.
        outputs: names of what it returns.
    """
    batch = torch.export.Dim("images")
    return checked_graph(traced_graph(model, examples, inputs, outputs, ({0: batch},) * len(examples)))


def complete_graph(core: onnx.ModelProto, before: onnx.ModelProto, after: onnx.ModelProto) -> onnx.ModelProto:
    """Joins padding, core and cropping. Sizes bypass the core; its extra inputs and outputs stay the model's."""
    shapes = [each.name for each in before.graph.output if each.name.endswith("_shape")]
    images = [each.name.removesuffix("_in") for each in core.graph.input if each.name.endswith("_in")]
    extra = [each.name for each in core.graph.output if not each.name.endswith("_out")]
    model = onnx.compose.merge_models(
        before,
        core,
        io_map=[(f"{name}_padded", f"{name}_in") for name in images],
        outputs=[*(f"{name}_out" for name in images), *shapes, *extra],
    )
    model = onnx.compose.merge_models(
        model,
        after,
        io_map=[
            *((f"{name}_out", f"{name}_uncropped") for name in images),
            *((each, f"{each}_of") for each in shapes),
        ],
        outputs=[*(each.name for each in after.graph.output), *extra],
    )
    _order_outputs(model, last=extra)
    if STATS in extra:
        _fix_unknown_stats(model.graph)
    slice_negative_pads(model.graph)
    # Merging repeats the version of the standard operators for each part.
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    lower_opset_for_grid_sample(model)
    strip_traces(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def _fix_unknown_stats(graph: onnx.GraphProto) -> None:
    """Makes an initializer of the input of given statistics, in place: the model computes them.

    The runtime makes an input of it again where an image is run in tiles. Providers that compile whole graphs, such
    as OpenVINO's, take no initializer that is an input too.
    """
    kept = [onnx.ValueInfoProto.FromString(each.SerializeToString()) for each in graph.input]
    del graph.input[:]
    graph.input.extend(each for each in kept if each.name != GIVEN_STATS)
    unknown = numpy_helper.from_array(np.full((1, 4), UNKNOWN_STAT, np.float32), GIVEN_STATS)
    graph.initializer.append(unknown)


def set_given_stats(model: onnx.ModelProto, stats: Tensor) -> None:
    """Makes ``stats``, ``(1, 4)``, the model's default statistics, in place: it computes none."""
    for tensor in model.graph.initializer:
        if tensor.name == GIVEN_STATS:
            tensor.CopyFrom(numpy_helper.from_array(stats.float().numpy(), GIVEN_STATS))


def _stats_tensors() -> tuple[dict[str, tuple[Tensor, int]], list[str]]:
    """Input and output of networks that compute image statistics."""
    return {GIVEN_STATS: (torch.full((1, 4), UNKNOWN_STAT), 0)}, [STATS]


def _order_outputs(model: onnx.ModelProto, *, last: Sequence[str]) -> None:
    """Puts the images first, for programs that run the file without knowing the other outputs."""
    ordered = sorted(model.graph.output, key=lambda each: each.name in last)
    copies = [onnx.ValueInfoProto.FromString(each.SerializeToString()) for each in ordered]
    del model.graph.output[:]
    model.graph.output.extend(copies)


def _channels(tensor: ImageTensor) -> tuple[int, ...]:
    return (tensor.channels,) if tensor.channels else ()


def _type_of(tensor: ImageTensor, height: str, width: str) -> str:
    channels = "".join(f", {each}" for each in _channels(tensor))
    return f"uint8[N, {height}, {width}{channels}]"


def _padding(spec: ExportSpec, stride: int, ir_version: int) -> onnx.ModelProto:
    """As :func:`training.networks.pixels.reflect_pad` or :func:`training.networks.translators.edge_pad`."""
    name = spec.input.name
    pads = "before_nhwc, missing, zero" if spec.input.channels else "before_nhw, missing"
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        pad ({_type_of(spec.input, "H", "W")} {name})
            => ({_type_of(spec.input, "PH", "PW")} {name}_padded, int64[2] image_shape) {{
            image_shape = Shape <start = 1, end = 3> ({name})
            {_missing("image_shape", stride)}
            pads = Concat <axis = 0> ({pads})
            {name}_padded = Pad <mode = "{spec.padding}"> ({name}, pads)
        }}
    """)


def _cropping(spec: ExportSpec, ir_version: int) -> onnx.ModelProto:
    size = ("H", "W") if spec.scale == 1 else ("SH", "SW")
    uncropped = f"{spec.input.name}_uncropped"
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        crop ({_type_of(spec.output, "PH", "PW")} {uncropped}, int64[2] image_shape_of)
            => ({_type_of(spec.output, *size)} {spec.output.name}) {{
            first = Constant <value = int64[2] {{ 0, 0 }}> ()
            crop_axes = Constant <value = int64[2] {{ 1, 2 }}> ()
            scale = Constant <value_int = {spec.scale}> ()
            last = Mul (image_shape_of, scale)
            {spec.output.name} = Slice ({uncropped}, first, last, crop_axes)
        }}
    """)


def _yuv_padding(stride: int, ir_version: int) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        pad (uint8[N, H, W] luma, uint8[N, CH, CW, 2] chroma)
            => (uint8[N, PH, PW] luma_padded, uint8[N, PCH, PCW, 2] chroma_padded,
                int64[2] luma_shape, int64[2] chroma_shape) {{
            luma_shape = Shape <start = 1, end = 3> (luma)
            chroma_shape = Shape <start = 1, end = 3> (chroma)
            {_missing("luma_shape", stride)}
            luma_pads = Concat <axis = 0> (before_nhw, missing)
            luma_padded = Pad <mode = "reflect"> (luma, luma_pads)
            two = Constant <value_int = 2> ()
            half = Div (missing, two)
            chroma_pads = Concat <axis = 0> (before_nhwc, half, zero)
            chroma_padded = Pad <mode = "reflect"> (chroma, chroma_pads)
        }}
    """)


def _yuv_cropping(ir_version: int) -> onnx.ModelProto:
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        crop (uint8[N, PH, PW] luma_uncropped, uint8[N, PCH, PCW, 2] chroma_uncropped,
              int64[2] luma_shape_of, int64[2] chroma_shape_of)
            => (uint8[N, H, W] output_luma, uint8[N, CH, CW, 2] output_chroma) {{
            first = Constant <value = int64[2] {{ 0, 0 }}> ()
            crop_axes = Constant <value = int64[2] {{ 1, 2 }}> ()
            output_luma = Slice (luma_uncropped, first, luma_shape_of, crop_axes)
            output_chroma = Slice (chroma_uncropped, first, chroma_shape_of, crop_axes)
        }}
    """)


def _missing(shape: str, stride: int) -> str:
    """Nodes that compute the rows and columns missing to multiples of ``stride``, and the zeros of all other pads.

    A Pad with an ``axes`` input needs no such zeros, but OpenVINO does not support it.
    """
    return f"""
            stride = Constant <value_int = {stride}> ()
            negative = Neg ({shape})
            missing = Mod (negative, stride)
            zero = Constant <value_ints = [0]> ()
            before_nhw = Constant <value_ints = [0, 0, 0, 0]> ()
            before_nhwc = Constant <value_ints = [0, 0, 0, 0, 0]> ()"""
