"""Translators small enough to know by heart, as model files."""

import json
from pathlib import Path
from typing import Any

import onnx
import onnx.helper
import onnx.parser

from vidgan.media.label_map import RgbColor

CLASSES: list[tuple[str, RgbColor]] = [
    ("sky", (128, 128, 128)), ("road", (128, 64, 128)), ("car", (64, 0, 128)), ("void", (0, 0, 0)),
]  # fmt: skip
PAINT: list[RgbColor] = [(90, 160, 230), (80, 80, 80), (200, 30, 30), (10, 10, 10)]
"""What the translator makes of each class."""
RED = 160
"""What the colorizer says of a and b, wherever."""
STEP = 10
"""Gray levels by which a model that remembers becomes brighter with each frame."""

_PAINT = ", ".join(str(level) for color in PAINT for level in color)
_GRAPHS = {
    "translate": f"""
        g (uint8[N, H, W] labels) => (uint8[N, H, W, 3] output)
        <uint8[4, 3] paint = {{ {_PAINT} }}> {{
            index = Cast <to = 7> (labels)
            output = Gather <axis = 0> (paint, index)
        }}""",
    "segment": """
        g (uint8[N, H, W, 3] images) => (uint8[N, H, W] labels)
        <int64[1] channel = { 3 }, float[1] level = { 64.0 }> {
            levels = Cast <to = 1> (images)
            mean = ReduceMean <keepdims = 0> (levels, channel)
            share = Div (mean, level)
            labels = Cast <to = 2> (share)
        }""",
    "colorize": f"""
        g (uint8[N, H, W] lightness) => (uint8[N, H, W, 2] chroma)
        <int64[1] axis = {{ 3 }}, int64[1] two = {{ 2 }}, uint8 nothing = {{ 0 }}, uint8 red = {{ {RED} }}> {{
            zeros = Mul (lightness, nothing)
            one = Add (zeros, red)
            flat = Unsqueeze (one, axis)
            chroma = Concat <axis = 3> (flat, flat)
        }}""",
    "echo": """
        g (uint8[N, H, W] lightness) => (uint8[N, H, W, 2] chroma)
        <int64[1] axis = { 3 }> {
            flat = Unsqueeze (lightness, axis)
            chroma = Concat <axis = 3> (flat, flat)
        }""",
    "remember": f"""
        g (uint8[N, H, W] labels, float[N, 1, PH, PW] state_past)
            => (uint8[N, H, W, 3] output, float[N, 1, PH, PW] next_past)
        <float one = {{ 1.0 }}, float step = {{ {STEP}.0 }}, int64[4] middle = {{ 0, 0, 0, 0 }},
         int64[4] end = {{ 1, 1, 1, 1 }}, int64[1] third = {{ 3 }}, uint8 nothing = {{ 0 }}> {{
            next_past = Add (state_past, one)
            count = Slice (state_past, middle, end)
            level = Mul (count, step)
            byte = Cast <to = 2> (level)
            zeros = Mul (labels, nothing)
            flat = Unsqueeze (zeros, third)
            gray = Add (flat, byte)
            output = Concat <axis = 3> (gray, gray, gray)
        }}""",
}


def translator_file(path: Path, kind: str, **facts: Any) -> Path:
    """A model file of one of the kinds.

    ``translate``, ``segment``, ``colorize``; ``echo``, which takes lightness for colors; ``remember``.

    Args:
        facts: of its metadata, instead of the right ones.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    model = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>{_GRAPHS[kind]}')
    task = {"remember": "translate", "echo": "colorize"}.get(kind, kind)
    described: dict[str, Any] = {"name": path.stem, "task": task, "title": kind}
    if task != "colorize":
        described["classes"] = [[name, list(color)] for name, color in CLASSES]
    if kind == "remember":
        described |= {"state": {"past": [1, 1]}, "stride": 8}
    onnx.helper.set_model_props(
        model,
        {
            f"vidgan.{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in (described | facts).items()
        },
    )
    path.write_bytes(model.SerializeToString())
    return path
