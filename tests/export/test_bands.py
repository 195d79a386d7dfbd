"""Patch features in bands of rows: the same bytes, without all features in floats at a time."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from onnx import numpy_helper

from export.bands import compute_features_in_bands
from vidgan.models.registry import BUNDLED
from vidgan.session.runtime import ort

_FEATURES = 32


def patch_features(product: str) -> onnx.ModelProto:
    """Blocks, their local mean and its gain → features in bytes, as exports have them, and averages of the blocks."""
    parsed = onnx.parser.parse_model(f"""
        <ir_version: 10, opset_import: ["" : 20, "com.microsoft" : 1]>
        features (uint8[1, H, W, 24] blocks, float[1, H, W, 2] local, float[1, H, W, 1] gain)
            => (uint8[1, 32, H, W] bytes, float[1, H, W, 12] averages) {{
            {product}
            mean = MatMul (local, weights)
            centered = Sub (features, mean)
            scaled = Mul (centered, gain)
            turned = Transpose <perm = [0, 3, 1, 2]> (scaled)
            bytes = QuantizeLinear (turned, step, zero)
        }}
    """)
    random = np.random.default_rng(0)
    tensors = {
        "matrix": random.normal(size=(24, _FEATURES)).astype(np.float32),
        "block_means": random.normal(size=(24, 12)).astype(np.float32),
        "whole": random.integers(-127, 128, (24, _FEATURES)).astype(np.int8),
        "whole_means": random.integers(-127, 128, (24, 12)).astype(np.int8),
        "unit": np.array(1, np.float32),
        "weights": random.normal(size=(2, _FEATURES)).astype(np.float32),
        "step": np.array(0.05, np.float32),
        "zero": np.array(128, np.uint8),
    }
    used = {name for node in parsed.graph.node for name in node.input}
    parsed.graph.initializer.extend(
        numpy_helper.from_array(values, name) for name, values in tensors.items() if name in used
    )
    return parsed


PRODUCTS = {
    "luma and chroma": """
            floats = Cast <to = 1> (blocks)
            averages = MatMul (floats, block_means)
            features = MatMul (floats, matrix)
    """,
    "RGB": """
            averages = com.microsoft.MatMulIntegerToFloat (blocks, whole_means, unit, unit)
            features = com.microsoft.MatMulIntegerToFloat (blocks, whole, unit, unit)
    """,
}


@pytest.mark.parametrize("rows", [4, 6, 90])
@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_bands_have_the_same_bytes(product: str, rows: int) -> None:
    whole, cut = patch_features(product), patch_features(product)
    compute_features_in_bands(cut)
    again = onnx.ModelProto.FromString(cut.SerializeToString())
    compute_features_in_bands(again)
    assert again == cut != whole
    random = np.random.default_rng(rows)
    feeds = {
        "blocks": random.integers(0, 256, (1, rows, 20, 24), np.uint8),
        "local": random.normal(size=(1, rows, 20, 2)).astype(np.float32),
        "gain": random.uniform(0, 0.02, (1, rows, 20, 1)).astype(np.float32),
    }
    before, after = (session_of(each).run(None, feeds) for each in (whole, cut))
    assert before[0].std() > 5
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_without_them_stays_as_it_is() -> None:
    model = onnx.load(BUNDLED / "swift-x2" / "int8.onnx")
    before = model.SerializeToString(deterministic=True)
    compute_features_in_bands(model)
    assert model.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("name", ["starry", "wave", "composition", "scream", "antibes", "forms"])
def test_bundled_styles_never_hold_all_features_in_floats(name: str, tmp_path: Path) -> None:
    model = onnx.load(BUNDLED / name / "int8-yuv420.onnx")
    session = session_of(model, profile=tmp_path / "profile")
    luma = np.random.default_rng(0).integers(0, 256, (1, 192, 256), np.uint8)
    session.run(None, {"luma": luma, "chroma": np.full((1, 96, 128, 2), 128, np.uint8)})
    events = json.loads(Path(session.end_profiling()).read_text())
    largest = max(int(each["args"].get("output_size", 0)) for each in events if "args" in each)
    blocks = (192 // 4) * (256 // 4)
    assert blocks * 64 <= largest < blocks * _FEATURES * 4


def session_of(model: onnx.ModelProto, *, profile: Path | None = None) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
