"""Trained translators as ONNX graphs: labels, pictures or lightness in; pictures, labels or chroma out.

Borders are repeated below and to the right up to the stride, which may be larger than the picture, so that
nothing could be mirrored; what comes out is cut to size.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import torch
from numpy.typing import NDArray

from export.graph import (
    OPSET,
    core_graph,
    halve_weights,
    missing_pixels,
    pad_floats,
    round_weights,
    whole_graph,
)
from export.parity import ParityError, open_session
from training.data.colour import lab_of
from training.data.labels import read_labels
from training.data.photos import list_photos, read_picture
from training.networks.translation import (
    PAST,
    Colorizer,
    LabelPainter,
    PicturePainter,
    Segmenter,
    SequencePainter,
    Translator,
    on_any_size,
)
from vidgan.session.runtime import ort

_LEAST = {(False, False): 50.0, (False, True): 30.0, (True, False): 0.999, (True, True): 0.99}
"""How alike file and network have to be, with and without rounded kernels: share of labels, or dB."""
_SAMPLES = 5


@dataclass(frozen=True)
class Shape:
    """What a kind of translator takes and gives: names and channels, 0 where there is no such axis."""

    input: str
    taken: int
    output: str
    given: int


AnyTranslator = Translator | SequencePainter
STATE, NEXT = "state", "next_state"
"""What a :class:`SequencePainter` takes and gives beside labels and pictures."""

SHAPES: dict[type[AnyTranslator], Shape] = {
    SequencePainter: Shape("labels", 0, "painted", 3),
    LabelPainter: Shape("labels", 0, "painted", 3),
    PicturePainter: Shape("pictures", 3, "painted", 3),
    Segmenter: Shape("pictures", 3, "labels", 0),
    Colorizer: Shape("lightness", 0, "chroma", 2),
}


def translator_graph(translator: AnyTranslator) -> onnx.ModelProto:
    """The translator, in the precision of its weights, as a checked ONNX model."""
    shape, stride = SHAPES[type(translator)], translator.stride
    size = [2, 3 * stride, 2 * stride, *([shape.taken] if shape.taken else [])]
    example = torch.zeros(size, dtype=torch.uint8)
    sequential = isinstance(translator, SequencePainter)
    past = torch.zeros(2, PAST, 3 * stride, 2 * stride)
    core = core_graph(
        translator.eval(),
        {shape.input: (example, stride)},
        beside={STATE: (past, stride)} if sequential else None,
        results=[NEXT] if sequential else (),
    )
    return whole_graph(core, _padding(shape, stride, core.ir_version), _cutting(shape, core.ir_version))


def facts_of(translator: AnyTranslator, config: dict[str, Any]) -> dict[str, Any]:
    """What a model file has to say beside what all say."""
    if isinstance(translator, Colorizer):
        return {"task": "colorize", "side": config["height"]}
    task: dict[str, Any] = {"task": "segment" if isinstance(translator, Segmenter) else "translate"}
    if isinstance(translator, PicturePainter):
        return task
    classes = translator.classes
    if isinstance(translator, SequencePainter):
        task |= {"stride": translator.stride, "state": {"past": [PAST, 1]}}
    named = zip(classes.names, classes.colours, strict=True)
    return task | {"classes": [[name, list(colour)] for name, colour in named]}


def write_translator(
    translator: AnyTranslator, path: Path, inputs: list[NDArray[np.uint8]], *, compact: bool
) -> tuple[onnx.ModelProto, float]:
    """The model, and how far at most it is from the trained network: dB, or of labels the share that agrees.

    Args:
        inputs: to compare with, ``(H, W)`` or ``(H, W, 3)``; at odd sizes too.
        compact: keep kernels as int8, those of a segmentation network as float16.

    Raises:
        ParityError: it computes something else.
    """
    model = translator_graph(translator)
    pad_floats(model, onnx.TensorProto.FLOAT)
    if compact:
        # A class is decided by whatever is a little more.
        (halve_weights if isinstance(translator, Segmenter) else round_weights)(model)
    session = open_session(model)
    worst = min(_compared(translator, session, each[np.newaxis]) for each in inputs)
    least = _LEAST[isinstance(translator, Segmenter), compact]
    if worst < least:
        raise ParityError(f"{path}: the exported model is not the trained network ({worst:.4g} < {least:g})")
    return model, worst


def samples_for(translator: AnyTranslator, config: dict[str, Any]) -> list[NDArray[np.uint8]]:
    """Some of what it was trained on, as it takes it; one of an odd size, one smaller than the stride."""
    folders = config.get("photos") or config.get("inputs") or config["drive_labels"]
    paths = list_photos([Path(each) for each in ([folders] if isinstance(folders, str) else folders)])
    taken = [_taken(translator, path) for path in paths[:: max(1, len(paths) // _SAMPLES)][:_SAMPLES]]
    taken[1], taken[2] = taken[1][:101, :95], taken[2][:17, :31]
    return [np.ascontiguousarray(each) for each in taken]


def _taken(translator: AnyTranslator, path: Path) -> NDArray[np.uint8]:
    if isinstance(translator, LabelPainter | SequencePainter):
        return read_labels(path, translator.classes).numpy()
    picture = (read_picture(path)[None] * 255).round() / 255
    if isinstance(translator, Colorizer):
        return ((lab_of(picture)[0, 0] + 1) * 127.5).round().byte().numpy()
    return np.asarray((picture[0] * 255).round().byte().permute(1, 2, 0).numpy())


def _compared(translator: AnyTranslator, session: ort.InferenceSession, input: NDArray[np.uint8]) -> float:
    """How alike what file and network make of ``(1, H, W)`` or ``(1, H, W, 3)`` is."""
    name, given = session.get_inputs()[0].name, torch.from_numpy(input)
    if not isinstance(translator, SequencePainter):
        (made,) = session.run(None, {name: input})
        return _likeness(np.asarray(made), on_any_size(translator, given).numpy())
    height, width = (math.ceil(side / translator.stride) * translator.stride for side in input.shape[1:])
    past = torch.zeros(1, PAST, height, width)
    whole = torch.nn.functional.pad(
        given.float(), (0, width - input.shape[2], 0, height - input.shape[1]), "replicate"
    )
    _, past = translator(whole.byte(), past)
    _, first = session.run(None, {name: input, STATE: np.zeros(past.shape, np.float32)})
    again, _ = session.run(None, {name: input, STATE: first})
    wanted, _ = translator(whole.byte(), past)
    return _likeness(np.asarray(again), wanted[:, : input.shape[1], : input.shape[2]].numpy())


def _likeness(made: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> float:
    if made.shape != wanted.shape:
        raise ParityError(f"the exported model gives {made.shape} where the network gives {wanted.shape}")
    if made.ndim == 3:
        return float((made == wanted).mean())
    error = np.square(made.astype(float) - wanted).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-6)))


def _padding(shape: Shape, stride: int, ir_version: int) -> onnx.ModelProto:
    channels = f", {shape.taken}" if shape.taken else ""
    pads = "before_nhwc, missing, zero" if shape.taken else "before_nhw, missing"
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        pad (uint8[N, H, W{channels}] {shape.input})
            => (uint8[N, PH, PW{channels}] {shape.input}_padded, int64[2] picture_shape) {{
            picture_shape = Shape <start = 1, end = 3> ({shape.input})
            {missing_pixels("picture_shape", stride)}
            pads = Concat <axis = 0> ({pads})
            {shape.input}_padded = Pad <mode = "edge"> ({shape.input}, pads)
        }}
    """)


def _cutting(shape: Shape, ir_version: int) -> onnx.ModelProto:
    channels = f", {shape.given}" if shape.given else ""
    return onnx.parser.parse_model(f"""
        <ir_version: {ir_version}, opset_import: ["" : {OPSET}]>
        cut (uint8[N, PH, PW{channels}] {shape.input}_whole, int64[2] picture_shape_of)
            => (uint8[N, H, W{channels}] {shape.output}) {{
            first = Constant <value = int64[2] {{ 0, 0 }}> ()
            cut_axes = Constant <value = int64[2] {{ 1, 2 }}> ()
            {shape.output} = Slice ({shape.input}_whole, first, picture_shape_of, cut_axes)
        }}
    """)
