"""``python -m export``: the files compute what was trained, and say what they are."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import export.cli
import vidgan.models.registry
from export.cli import use_command
from export.graph import MIN_SIDE
from export.parity import ParityError, check_parity, psnr_db, run_torch
from tests.support.export_runs import export_run, image
from training.core.run_folder import CHECKPOINT, CONFIG
from training.core.weights import load_weights
from training.networks import build_generator
from training.networks.exportable import RUNTIME_PARITY_DB
from training.recipes.runs import load_network, read_run
from vidgan.errors import ModelError
from vidgan.media.image import Pixels, YuvImage
from vidgan.models.registry import ModelSpec, find_model, read_model
from vidgan.session import Session

MODELS = Path(vidgan.models.registry.__file__).parent
SIZES = [(16, 16), (17, 31), (61, 100)]
FILES = [("swift", "float32"), ("swift", "float16"), ("swift", "int8"), ("johnson", "float32")]


@dataclass(frozen=True)
class Exported:
    run: Path
    spec: ModelSpec
    session: Session

    @property
    def model(self) -> onnx.ModelProto:
        return onnx.load_from_string(self.spec.file.data)

    def trained(self, image: Pixels) -> Pixels:
        """What the trained network makes of the image."""
        return run_torch(load_network(read_run(self.run)), image)


@pytest.fixture(scope="session")
def runs(make_run: Callable[[str], Path]) -> dict[str, Path]:
    """Exported once: swift in all variants, johnson in float32, which is all that it is needed in."""
    folders = {network: make_run(network) for network in ("swift", "johnson")}
    with pytest.MonkeyPatch.context() as patch:
        assert export_run(patch, folders["swift"], "--title", "Nothing but noise") == 0
        assert export_run(patch, folders["johnson"], "--precision", "float32") == 0
    return folders


@pytest.fixture(params=FILES, ids="-".join)
def exported(request: pytest.FixtureRequest, runs: dict[str, Path]) -> Iterator[Exported]:
    network, precision = request.param
    spec = read_model(runs[network] / "onnx" / f"{precision}.onnx")
    yield Exported(runs[network], spec, Session(spec, device="cpu"))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_file_returns_what_was_trained_at_every_size(exported: Exported, height: int, width: int) -> None:
    photo = image(height, width)
    output = exported.session.run(photo[np.newaxis])
    assert output.shape == (1, height, width, 3) and output.dtype == np.uint8
    assert psnr_db(output[0], exported.trained(photo)) >= RUNTIME_PARITY_DB[exported.spec.precision]
    assert output.std() > 5  # Not merely two equal flat images.


@pytest.mark.parametrize(("height", "width"), [(16, 16), (18, 30), (60, 100)])
def test_the_file_for_videos_returns_what_was_trained_too(
    runs: dict[str, Path], height: int, width: int
) -> None:
    spec = find_model(str(runs["swift"] / "onnx" / "int8.onnx"), precision="int8")
    assert spec.planar is not None and (spec.planar.layout, spec.planar.precision) == ("yuv420", "int8")
    session = Session(spec, device="cpu")
    photo = image(height, width)
    output = session.run_yuv(YuvImage.from_rgb(photo))
    expected = YuvImage.from_rgb(Exported(runs["swift"], spec, session).trained(photo))
    assert psnr_db(output.luma, expected.luma) > 28 and psnr_db(output.chroma, expected.chroma) > 28
    assert output.luma.std() > 2


def test_images_come_first(runs: dict[str, Path]) -> None:
    for name, count in (("float32", 1), ("int8", 1), ("int8-yuv420", 2)):
        graph = onnx.load(runs["swift"] / "onnx" / f"{name}.onnx").graph
        assert len(graph.output) == count + 1 and graph.output[-1].name == "stats"
        # Tiles are given the statistics of the whole image.
        assert "given_stats" in {each.name for each in graph.initializer}


def test_the_file_for_videos_is_not_to_be_given_itself(runs: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="give the RGB one"):
        find_model(str(runs["swift"] / "onnx" / "int8-yuv420.onnx"), precision="int8")


def test_a_compact_file_is_half_as_large_and_still_float32(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--precision", "float32", "--compact", "--out", tmp_path]
    assert export_run(monkeypatch, runs["swift"], *options) == 0
    compact, whole = tmp_path / "float32.onnx", runs["swift"] / "onnx" / "float32.onnx"
    assert compact.stat().st_size < 0.55 * whole.stat().st_size
    graph = onnx.load(compact).graph
    kept = {each.name: each.data_type for each in graph.initializer}
    casts = {node.output[0]: node for node in graph.node if node.op_type == "Cast"}
    for node in [each for each in graph.node if each.op_type == "Conv"]:
        cast = casts[node.input[1]]
        assert kept[cast.input[0]] == onnx.TensorProto.FLOAT16
        assert cast.attribute[0].i == onnx.TensorProto.FLOAT
    a, b = build_generator("swift"), build_generator("swift")
    load_weights(a, compact)
    load_weights(b, whole)
    for one, other in zip(a.parameters(), b.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)


def test_images_of_a_batch_do_not_touch_each_other(exported: Exported) -> None:
    batch = np.stack([image(20, 36, seed) // (seed + 1) for seed in range(3)])
    together = exported.session.run(batch)
    for photo, output in zip(batch, together, strict=True):
        assert np.abs(exported.session.run(photo[np.newaxis])[0].astype(int) - output).max() <= 1


def test_smallest_side_is_what_the_runtime_promises(exported: Exported) -> None:
    assert min(SIZES)[0] == MIN_SIDE
    assert exported.session.run(image(16, 200)[np.newaxis]).shape == (1, 16, 200, 3)


def test_the_file_says_what_it_is(exported: Exported) -> None:
    spec, facts = exported.spec, exported.spec.facts
    assert spec.name == exported.run.name and spec.task == "style" and spec.license == "CC-BY-4.0"
    assert spec.precision in exported.spec.file.path.name
    assert facts["steps"] == 7
    recipe = facts["recipe"]
    assert isinstance(recipe, dict)
    assert (recipe["image"], recipe["init"], recipe["seed"]) == ("painting.jpg", "other", 0)
    assert recipe["weights"] == {"squeezenet": "squeezenet.safetensors"}
    assert spec.title == ("Nothing but noise" if recipe["network"] == "swift" else "")


def test_no_folder_of_the_machine_is_in_the_file(exported: Exported) -> None:
    data = exported.spec.file.data
    places = {
        exported.run,
        exported.run.parent,
        Path.home(),
        Path(export.cli.__file__).parents[1],
        Path(sys.prefix),
    }
    for place in places - {Path("/")}:
        assert f"{place}/".encode() not in data
    assert b"secret" not in data and b"site-packages" not in data


def test_arithmetic_is_of_the_precision_it_says(exported: Exported) -> None:
    graph = exported.model.graph
    weights = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    output_by = {name: node for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    int8 = exported.spec.precision == "int8"
    kinds = set()
    for node in convolutions:
        if int8:
            value, weight = (output_by[name] for name in node.input[:2])
            assert value.op_type == weight.op_type == "DequantizeLinear"
            assert (
                weights[weight.input[1]].shape == weights[weight.input[0]].shape[:1]
            )  # A scale per channel.
            assert np.abs(weights[weight.input[0]]).max() <= 64  # Seven bits.
            kinds.add(weights[weight.input[0]].dtype.name)
        else:
            kinds.add(weights[node.input[1]].dtype.name)
    # Stem, one down, three blocks of two, three up; johnson: three down, five blocks of two, two up, one out.
    assert len(convolutions) == (16 if exported.run.name.endswith("johnson") else 11)
    assert kinds == {exported.spec.precision}


def test_normalization_is_folded_away(runs: dict[str, Path]) -> None:
    model = onnx.load(runs["swift"] / "onnx" / "float32.onnx")
    assert not {node.op_type for node in model.graph.node} & {"InstanceNormalization", "BatchNormalization"}
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 20)]


@pytest.fixture
def swift_run(runs: dict[str, Path], tmp_path: Path) -> Path:
    """A copy, without the exported files."""
    return Path(shutil.copytree(runs["swift"], tmp_path / "run", ignore=shutil.ignore_patterns("onnx")))


def test_a_graph_that_computes_something_else_is_refused(
    swift_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from export import graph

    faithful = graph.onnx_graph

    def tampered(generator: object) -> onnx.ModelProto:
        model = faithful(generator)  # type: ignore[arg-type]
        last = [node for node in model.graph.node if node.op_type == "Conv"][-1]
        for tensor in model.graph.initializer:
            if tensor.name == last.input[1]:
                weight = numpy_helper.to_array(tensor).copy()
                weight[0] = -weight[0]
                tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))
        return model

    monkeypatch.setattr(graph, "onnx_graph", tampered)
    monkeypatch.setattr(export.cli, "onnx_graph", tampered)
    assert export_run(monkeypatch, swift_run, "--precision", "float32") == 1
    said = capsys.readouterr().err.splitlines()
    assert (
        len(said) == 1 and said[0].startswith("error: float32: ") and "is not the trained network" in said[0]
    )
    assert list(swift_run.rglob("*.onnx")) == []


def test_one_bad_size_is_enough_to_be_refused(runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    model = onnx.load(runs["swift"] / "onnx" / "float32.onnx")
    photos = [image(16, 16), image(17, 31)]
    session = Session(read_model(runs["swift"] / "onnx" / "float32.onnx"), device="cpu")

    def faithful(_: object, photo: Pixels) -> Pixels:
        return session.run(photo[np.newaxis])[0]

    def shifted(_: object, photo: Pixels) -> Pixels:
        output = faithful(_, photo)
        return np.roll(output, 1, axis=1) if photo.shape[0] == 17 else output

    generator = build_generator("swift")
    monkeypatch.setattr("export.parity.run_torch", faithful)
    assert check_parity(model, generator, photos, "float32") == float("inf")
    monkeypatch.setattr("export.parity.run_torch", shifted)
    with pytest.raises(ParityError, match=r"at least 55\.0 dB expected"):
        check_parity(model, generator, photos, "float32")


def test_psnr() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert psnr_db(black, black) == float("inf")
    assert psnr_db(black, black + 255) == pytest.approx(0)
    assert psnr_db(black, black + 1) == pytest.approx(48.13, abs=0.01)


@pytest.mark.parametrize(
    ("missing", "words"),
    [(CONFIG, "holds no training run"), (CHECKPOINT, "train it first")],
    ids=["config", "checkpoint"],
)
def test_a_folder_that_is_no_run_is_named(
    swift_run: Path,
    missing: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (swift_run / missing).unlink()
    assert export_run(monkeypatch, swift_run) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and said[0].startswith("error: ") and words in said[0]


def test_options(
    swift_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "models" / "mine"
    options = ["--out", out, "--name", "mine", "--license", "CC0-1.0", "--precision", "float32"]
    assert export_run(monkeypatch, swift_run, *options) == 0
    assert [path.name for path in out.iterdir()] == ["float32.onnx"]
    spec = read_model(out / "float32.onnx")
    assert (spec.name, spec.license) == ("mine", "CC0-1.0")
    said = capsys.readouterr()
    assert str(out / "float32.onnx") in said.out and "[1/1] float32: export" in said.out
    command = f"vidgan stylize clip.mp4 --style {out / 'float32.onnx'}"
    assert said.out.splitlines()[-1] == f"use it: {command}"


@pytest.mark.parametrize(
    ("name", "command"),
    [("swift-x2", "vidgan upscale clip.mp4 --model"), ("camvid", "vidgan translate maps/ --model"),
     ("monet", "vidgan translate clip.mp4 --model"), ("colorize", "vidgan colorize clip.mp4 --model")],
)  # fmt: skip
def test_the_command_that_uses_a_model(name: str, command: str) -> None:
    file = find_model(name, precision="float32").file.path
    assert use_command(file) == f"{command} {file}"


def test_training_can_start_from_what_was_exported(runs: dict[str, Path]) -> None:
    run = runs["swift"]
    torch.manual_seed(1)
    again = build_generator("swift").eval()
    load_weights(again, run / "onnx" / "float32.onnx")
    photo = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        expected, found = (each(photo) for each in (load_network(read_run(run)), again))
    assert expected.std() > 0.05
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("name", "network"), [("starry", "swift"), ("monet", "swift-translator")])
def test_training_can_start_from_what_is_shipped(name: str, network: str) -> None:
    """Their weights have the names of earlier versions."""
    path = MODELS / name / "float32.onnx"
    generator = build_generator(network)
    load_weights(generator, path)
    photo = image(32, 48)
    assert (
        psnr_db(run_torch(generator, photo), Session(read_model(path), device="cpu").run(photo[None])[0]) > 50
    )


@pytest.mark.parametrize(
    ("network", "file"), [("swift", "int8.onnx"), ("johnson", "float32.onnx"), ("johnson", CHECKPOINT)]
)
def test_training_cannot_start_from_other_weights(runs: dict[str, Path], network: str, file: str) -> None:
    folder = runs[network] / ("onnx" if file.endswith(".onnx") else "")
    with pytest.raises(ValueError, match=re.escape(str(folder / file))):
        load_weights(build_generator("swift"), folder / file)
    with pytest.raises(ValueError, match="checkpoint"):
        load_weights(build_generator("johnson"), runs["swift"] / "onnx" / "float32.onnx")


@pytest.mark.parametrize("file", sorted(MODELS.glob("*/float*.onnx")), ids=lambda file: file.parent.name)
def test_nothing_of_a_model_for_gpus_is_left_to_the_cpu(file: Path) -> None:
    """Bytes are padded there, and where a layer is on the CPU, CUDA captures no graph."""
    graph = onnx.load(file).graph
    bytes_ = [each.name for each in graph.input if each.type.tensor_type.elem_type == onnx.TensorProto.UINT8]
    assert bytes_
    assert not [node.name for node in graph.node if node.op_type == "Pad" and node.input[0] in bytes_]
