"""Products of bytes in integers: the same numbers, less work."""

import numpy as np
import onnx
import onnx.parser
import pytest
import torch
from onnx import numpy_helper

from export.integers import (
    multiply_in_integers,
    pad_in_integers,
    remove_requantization,
    round_columns,
)
from training.networks.patch_features import FoldedPatchFeatures
from training.networks.swift import Swift
from vidgan.models.universal.rounding import LARGEST
from vidgan.session.runtime import ort


def model(matrix: np.ndarray) -> onnx.ModelProto:
    parsed = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20]>
        product (uint8[N, 48] image) => (float[N, M] features) {
            floats = Cast <to = 1> (image)
            features = MatMul (floats, matrix)
        }
    """)
    parsed.graph.initializer.append(numpy_helper.from_array(matrix.astype(np.float32), "matrix"))
    return parsed


def run(graph: onnx.ModelProto, images: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": images})[0])


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (50, 48), np.uint8)


def test_the_numbers_stay(images: np.ndarray) -> None:
    whole, steps = round_columns(np.random.default_rng(1).normal(size=(48, 9)).astype(np.float32))
    before, after = model(whole * steps), model(whole * steps)
    multiply_in_integers(after)
    assert [node.op_type for node in after.graph.node] == ["MatMulIntegerToFloat"]
    np.testing.assert_allclose(run(after, images), run(before, images), rtol=1e-5, atol=1e-3)


def test_a_matrix_that_would_be_rounded_stays_in_floats(images: np.ndarray) -> None:
    graph = model(np.random.default_rng(1).normal(size=(48, 9)))
    multiply_in_integers(graph)
    assert [node.op_type for node in graph.graph.node] == ["Cast", "MatMul"]
    assert run(graph, images).shape == (50, 9)


def test_flat_cells_still_answer_nothing_and_features_reach_equally_far() -> None:
    torch.manual_seed(0)
    swift = Swift().eval()
    swift.set_instance_share(0.0)
    swift.fold()
    photos = [np.random.default_rng(seed).integers(0, 256, (61, 83, 3), np.uint8) for seed in range(2)]
    assert isinstance(swift.patch_features, FoldedPatchFeatures)
    x = torch.from_numpy(np.stack([photo[:56, :80] for photo in photos])).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        before = swift(x)
        swift.prepare_int8([torch.from_numpy(photo) for photo in photos])
        torch.testing.assert_close(swift(x), before, rtol=0, atol=1e-4)
        swift.patch_features.round_weights(LARGEST)
        # Rounded, not another network.
        assert 0 < (swift(x) - before).abs().mean() < 0.03
        features, _ = swift.patch_features(torch.full((1, 8, 8, 48), 90.0), 255.0)
        assert features.abs().max() < 1e-3
        noise = torch.from_numpy(photos[0][:56, :80].copy()).view(14, 4, 20, 4, 3).permute(0, 2, 1, 3, 4)
        reach = swift.patch_features(noise.reshape(1, 14, 20, 48).float(), 255.0)[0].abs().amax((0, 1, 2))
    assert reach.min() > 0.5 and reach.max() < 1.5


def rounded_with_a_border(mode: str, border: str = "") -> onnx.ModelProto:
    """Bytes → floats → a border → bytes of the same steps."""
    return onnx.parser.parse_model(f"""
        <ir_version: 10, opset_import: ["" : 20]>
        framed (uint8[N, 48] image) => (uint8[N, M] wider) {{
            step = Constant <value = float {{0.5}}> ()
            zero = Constant <value = uint8 {{3}}> ()
            floats = DequantizeLinear (image, step, zero)
            pads = Constant <value = int64[4] {{0, 2, 0, 1}}> ()
            bordered = Pad <mode = "{mode}"> (floats, pads{border})
            wider = QuantizeLinear (bordered, step, zero)
        }}
    """)


def with_constants_as_weights(graph: onnx.ModelProto) -> onnx.ModelProto:
    for node in [each for each in graph.graph.node if each.op_type == "Constant"]:
        graph.graph.initializer.append(node.attribute[0].t)
        graph.graph.initializer[-1].name = node.output[0]
        graph.graph.node.remove(node)
    return graph


@pytest.mark.parametrize("mode", ["edge", "reflect"])
def test_borders_that_repeat_are_output_of_bytes(images: np.ndarray, mode: str) -> None:
    before, after = (with_constants_as_weights(rounded_with_a_border(mode)) for _ in range(2))
    pad_in_integers(after)
    remove_requantization(after)
    onnx.checker.check_model(after, full_check=True)
    assert [node.op_type for node in after.graph.node] == ["Pad"]
    assert np.array_equal(run(after, images), run(before, images))


def test_a_border_of_something_else_stays_where_it_is(images: np.ndarray) -> None:
    graph = with_constants_as_weights(rounded_with_a_border("constant", ", step"))
    pad_in_integers(graph)
    assert [node.op_type for node in graph.graph.node] == ["DequantizeLinear", "Pad", "QuantizeLinear"]
    assert run(graph, images).shape == (50, 51)


def test_rounding_to_other_steps_is_not_skipped(images: np.ndarray) -> None:
    graph = with_constants_as_weights(rounded_with_a_border("edge"))
    other = numpy_helper.from_array(np.array(0.25, np.float32), "other")
    graph.graph.initializer.append(other)
    graph.graph.node[-1].input[1] = "other"
    expected = run(graph, images)
    pad_in_integers(graph)
    remove_requantization(graph)
    assert [node.op_type for node in graph.graph.node] == ["DequantizeLinear", "QuantizeLinear", "Pad"]
    assert np.array_equal(run(graph, images), expected)
