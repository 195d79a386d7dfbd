"""Model files come from strangers: whatever is in one, only a ModelError comes out."""

import random
from pathlib import Path

import onnx
import onnx.parser
import pytest

from vidgan.errors import ModelError
from vidgan.models.onnx_file import read_onnx
from vidgan.models.registry import BUNDLED, read_model
from vidgan.tasks import task_of_model

SHIPPED = BUNDLED / "starry" / "int8.onnx"
IDENTITY = """
    <ir_version: 10, opset_import: ["" : 20]>
    g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) { y = Identity (x) }
"""


def identity(**metadata: str) -> onnx.ModelProto:
    model = onnx.parser.parse_model(IDENTITY)
    onnx.helper.set_model_props(model, metadata)
    return model


def test_metadata_is_what_the_onnx_package_reads() -> None:
    expected = {prop.key: prop.value for prop in onnx.load(SHIPPED).metadata_props}
    assert expected
    assert read_onnx(SHIPPED).metadata == expected


@pytest.mark.parametrize("kept", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_off_file_is_refused_or_unharmed(tmp_path: Path, kept: float) -> None:
    data = SHIPPED.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ModelError, match=r"cut\.onnx"):
        read_model(path)


def test_damage_never_gets_past_as_another_error(tmp_path: Path) -> None:
    dice = random.Random(0)
    data = SHIPPED.read_bytes()
    path = tmp_path / "damaged.onnx"
    refused = 0
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(dice.randint(1, 40)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path.write_bytes(damaged)
        try:
            read_model(path)
        except ModelError:
            refused += 1
    assert refused > 0


def test_noise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.onnx"
    for seed in range(100):
        path.write_bytes(random.Random(seed).randbytes(500))
        with pytest.raises(ModelError):
            read_model(path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    # A graph in an attribute in a node in a graph, and so on.
    message = b""
    for field in [6, 5, 1] * 400:
        size = len(message)
        varint = b""
        while True:
            size, low = size >> 7, size & 0x7F
            varint += bytes([low | (0x80 if size else 0)])
            if not size:
                break
        message = bytes([field << 3 | 2]) + varint + message
    path = tmp_path / "deep.onnx"
    path.write_bytes(bytes([7 << 3 | 2]) + message[1:])
    with pytest.raises(ModelError):
        read_model(path)


@pytest.mark.parametrize("where", ["initializer", "attribute", "subgraph"])
def test_tensors_in_other_files_are_refused(tmp_path: Path, where: str) -> None:
    model = identity(**{"vidgan.task": "style"})
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[1])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    if where == "initializer":
        model.graph.initializer.append(tensor)
    elif where == "attribute":
        model.graph.node.append(onnx.helper.make_node("Constant", [], ["c"], value=tensor))
    else:
        inner = onnx.helper.make_graph([], "inner", [], [], [tensor])
        model.graph.node.append(onnx.helper.make_node("If", ["x"], [], then_branch=inner, else_branch=inner))
    path = tmp_path / "outside.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="other files"):
        read_model(path)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "does not say what it is for"),
        ({"vidgan.task": "style", "vidgan.precision": "int3"}, "int3"),
    ],
)
def test_a_model_must_say_what_it_is(tmp_path: Path, metadata: dict[str, str], words: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(identity(**metadata).SerializeToString())
    with pytest.raises(ModelError, match=words):
        read_model(path)


def test_a_task_that_this_version_does_not_know_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(identity(**{"vidgan.task": "juggling"}).SerializeToString())
    with pytest.raises(ModelError, match="juggling"):
        task_of_model(str(path))
