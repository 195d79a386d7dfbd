"""Folding and rounding on small kernels, and files that cannot be used."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper, parser

from vidgan.errors import ModelError
from vidgan.models.universal import KERNELS, UniversalGenerator
from vidgan.models.universal.calibration import CELLS, ranges_of
from vidgan.models.universal.generator import is_placeholder, rounded_values
from vidgan.models.universal.kernels import COLORS, TABLE, Kernels
from vidgan.models.universal.painting_size import painting_size
from vidgan.models.universal.rounding import round_bias, round_kernel, steps_of

LAYERS = {
    "stem.conv": (4, 3, 3), "down.conv": (6, 4, 2), "blocks.0.first.conv": (6, 6, 3),
    "blocks.0.second.conv": (6, 6, 3), "up_quarter": (4, 6, 3), "up_half": (5, 4, 3), "up_full": (3, 5, 3),
}  # fmt: skip
EXPERTS = 2


def arrays_and_table() -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    random = np.random.default_rng(0)
    arrays: dict[str, NDArray[Any]] = {
        CELLS: random.integers(-127, 128, (2, 3, 8, 6), dtype=np.int8),
        "reach": np.array([1.0, 2.0, 0.5], np.float32),
        "samples": random.normal(size=(24, 48)).astype(np.float32),
    }
    table: dict[str, Any] = {"points": {}, "layers": {}}
    place = 0
    for name, (outputs, inputs, side) in LAYERS.items():
        arrays[f"{name}.kernel"] = random.normal(0, 0.3, (outputs, inputs, side, side)).astype(np.float16)
        arrays[f"{name}.experts"] = random.normal(0, 0.1, (EXPERTS, outputs, inputs, side, side)).astype(
            np.float16
        )
        arrays[f"{name}.gain"] = random.uniform(0.5, 1.5, outputs).astype(np.float32)
        arrays[f"{name}.bias"] = random.normal(0, 0.1, outputs).astype(np.float32)
        ends = np.cumsum([place, EXPERTS, outputs, outputs]).tolist()
        parts = zip(("experts", "scale", "shift"), itertools.pairwise(ends), strict=True)
        table["layers"][name] = {part: list(bounds) for part, bounds in parts}
        place = ends[-1]
    return arrays, table | {"size": place + COLORS}


@pytest.fixture
def kernels() -> Kernels:
    return Kernels(*arrays_and_table())


@pytest.fixture
def vector(kernels: Kernels) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(0, 0.3, kernels.size).astype(np.float32)


def test_a_layer_is_mixed_scaled_and_shifted(kernels: Kernels, vector: NDArray[np.float32]) -> None:
    folded = kernels.fold(vector)
    (a, b), scale, shift = vector[:2], vector[2:6], vector[6:10]
    mixed = (
        kernels["stem.conv.kernel"]
        + a * kernels["stem.conv.experts"][0]
        + b * kernels["stem.conv.experts"][1]
    )
    mixed = mixed / np.sqrt((mixed**2).sum((1, 2, 3), keepdims=True))
    wanted = mixed * (kernels["stem.conv.gain"] * (1 + scale))[:, None, None, None]
    assert np.allclose(folded["stem.conv.weight"], wanted, atol=1e-6)
    assert np.allclose(folded["stem.conv.bias"], kernels["stem.conv.bias"] + shift)
    assert list(folded)[::2] == [f"{name}.weight" for name in LAYERS]


def test_a_mixture_of_vectors_mixes_colors(kernels: Kernels, vector: NDArray[np.float32]) -> None:
    """Biases of the last layer are affine in the colors."""
    other = vector.copy()
    other[-3:] += 1.0
    first, second = (kernels.fold(each)["up_full.bias"] for each in (vector, other))
    assert np.allclose(kernels.fold((vector + other) / 2)["up_full.bias"], (first + second) / 2, atol=1e-6)
    assert np.allclose(second - first, 1.0, atol=1e-6)


def test_an_enlarging_layer_keeps_flat_ground_flat(kernels: Kernels, vector: NDArray[np.float32]) -> None:
    folded = kernels.fold(vector)
    for name in ("up_quarter", "up_half", "up_full"):
        kernel = folded[f"{name}.weight"]
        sums = kernel.sum((2, 3)).reshape(4, -1, kernel.shape[1])
        assert np.allclose(sums, sums[:1], atol=1e-5)
    sums = kernels.fold_on_cells(vector, planar=False)["up_full.weight"].sum((2, 3))
    sums = sums.reshape(16, 3, 4, -1).sum(2)
    assert np.allclose(sums, sums[:1], atol=1e-5)


@pytest.mark.parametrize("change", [lambda v: v[:-1], lambda v: np.where(v > 0.3, np.nan, v)])
def test_a_vector_that_is_none_is_refused(change: Any, kernels: Kernels, vector: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="a style vector"):
        kernels.fold(change(vector))


def test_ranges_are_those_of_a_plain_computation(kernels: Kernels, vector: NDArray[np.float32]) -> None:
    weights = kernels.fold_on_cells(vector, planar=False)
    ranges = ranges_of(weights, kernels[CELLS])
    assert set(ranges) == {
        CELLS, "stem.conv", "down.conv", "blocks.0.first.conv", "blocks.0.second.conv", "blocks.0",
        "up_quarter", "up_quarter+", "up_half", "up_full",
    }  # fmt: skip
    x = np.pad(kernels[CELLS].astype(np.float64) / 127, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    kernel, bias = weights["stem.conv.weight"], weights["stem.conv.bias"]
    stem = np.array([
        [[[max(0, (x[n, :, i : i + 3, j : j + 3] * kernel[o]).sum() + bias[o]) for j in range(6)]
          for i in range(8)] for o in range(4)] for n in range(2)
    ])  # fmt: skip
    assert ranges["stem.conv"] == pytest.approx((stem.min(), stem.max()), rel=1e-5)
    assert ranges["up_full"] == (0.0, 1.0)


def test_steps_reach_from_least_to_largest_and_hold_0() -> None:
    for least, most in ((-1.0, 3.0), (0.0, 0.7), (0.2, 5.0), (-2.0, -1.0)):
        scale, zero = steps_of(least, most)
        low, high = (scale * (byte - float(zero)) for byte in (0, 255))
        assert abs(low - min(least, 0)) <= scale and abs(high - max(most, 0)) <= scale
    nothing = steps_of(0.0, 0.0)
    assert nothing.scale == 1 and nothing.zero == 0


def test_kernels_are_rounded_to_half_a_step() -> None:
    kernel = np.random.default_rng(2).normal(0, 1, (5, 3, 3, 3)).astype(np.float32)
    kernel[4] = 0
    rounded, scale = round_kernel(kernel)
    assert np.abs(rounded * scale[:, None, None, None] - kernel).max() <= 0.5001 * scale.max()
    assert np.abs(rounded).max() == 64 and not rounded[4].any()
    assert round_bias(np.array([0.26], np.float32), np.array([0.1], np.float32)) == [3]


def test_values_of_an_int8_template(kernels: Kernels, vector: NDArray[np.float32]) -> None:
    folded = kernels.fold_on_cells(vector, planar=False)
    ranges = {CELLS: (-1.0, 1.0), "stem.conv": (0.0, 2.55)}
    values = rounded_values(folded, ranges, {"relu": "stem.conv", "pad": CELLS, "<stem.conv": CELLS})
    assert values["relu_scale"] == pytest.approx(0.01) and values["relu_zero_point"] == 0
    assert values["pad_scale"] == pytest.approx(2 / 255) and values["pad_zero_point"] == 128
    bias = values["network.stem.conv.bias_quantized"] * values["network.stem.conv.bias_quantized_scale"]
    assert np.allclose(bias, folded["stem.conv.bias"], atol=1e-3)


def test_sizes_of_paintings() -> None:
    assert painting_size(384, 384) == (387, 387)
    assert painting_size(300, 600, stroke=2.0) == (387, 771)
    assert painting_size(10, 4000) == (67, 387)
    assert all((side - 3) % 8 == 0 for side in painting_size(123, 457, stroke=1.3))
    with pytest.raises(ValueError, match="strokes of size 0"):
        painting_size(10, 10, stroke=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A generator whose template has one thing to fill in that nothing fills."""
    arrays, table = arrays_and_table()
    written = np.frombuffer(json.dumps(table).encode(), np.uint8)
    np.savez(tmp_path / KERNELS, allow_pickle=False, **arrays, **{TABLE: written})
    model = parser.parse_model(
        '<ir_version: 10, opset_import: ["" : 20]> g (float[2] x) => (float[2] y) { y = Add (x, other) }'
    )
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(0, np.float32), "other"))
    (tmp_path / "float32.onnx").write_bytes(model.SerializeToString())
    return tmp_path


def test_a_template_of_another_generator_is_refused(folder: Path, vector: NDArray[np.float32]) -> None:
    assert is_placeholder(onnx.load(folder / "float32.onnx").graph.initializer[0])
    with pytest.raises(ModelError, match="differ in network"):
        UniversalGenerator(folder).model(vector, "float32")
    with pytest.raises(ValueError, match="'int4' is none of float32, float16"):
        UniversalGenerator(folder).model(vector, "int4")


def test_missing_and_damaged_files_are_named(folder: Path, vector: NDArray[np.float32]) -> None:
    with pytest.raises(ModelError, match=r"int8\.onnx: cannot read the template"):
        UniversalGenerator(folder).model(vector, "int8")
    (folder / "float16.onnx").write_bytes(b"\xff" * 40)
    with pytest.raises(ModelError, match=r"float16\.onnx: is damaged"):
        UniversalGenerator(folder).model(vector, "float16")
    (folder / KERNELS).write_bytes((folder / KERNELS).read_bytes()[:2000])
    with pytest.raises(ModelError, match=r"kernels\.npz: is damaged"):
        UniversalGenerator(folder)
    (folder / KERNELS).unlink()
    with pytest.raises(ModelError, match=r"kernels\.npz: cannot read the kernels"):
        UniversalGenerator(folder)
