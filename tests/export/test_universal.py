"""From a run of ``any-style`` to the model of one painting, without torch in between."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.torch import save_file
from torchvision.models import squeezenet1_0

from export.graph import onnx_graph, yuv420_graph
from export.parity import check_parity, feed_of
from export.quantize import quantized
from export.universal import StylePredictor, write_universal
from training.core.run_folder import CHECKPOINT, CONFIG
from training.core.weights import load_weights
from training.losses.networks import LossNetworks
from training.networks.any_style import AnyStyle
from training.networks.colors import COLORS
from training.networks.exportable import RUNTIME_PARITY_DB
from training.networks.swift import Swift
from training.recipes.any_style import AnyStyleConfig
from training.recipes.runs import load_network, read_run
from vidgan.models.registry import BUNDLED
from vidgan.models.universal import PREDICTOR, TEMPLATES, UniversalGenerator
from vidgan.models.universal.painting_size import painting_size
from vidgan.models.universal.rounding import LARGEST
from vidgan.session.runtime import ort

CHANNELS = {f"squeezenet.{name}": count for name, count in (("conv1", 96), ("fire2", 128))}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """A run that has learned to mix two of the bundled styles."""
    folder = tmp_path_factory.mktemp("runs") / "universal"
    folder.mkdir()
    torch.manual_seed(0)
    weights = folder / "squeezenet.safetensors"
    save_file(squeezenet1_0(weights=None).features.state_dict(prefix="features."), weights)
    network = AnyStyle(CHANNELS, 2)
    styles = []
    for name in ("wave", "scream"):
        swift = Swift()
        load_weights(swift, BUNDLED / name / "float32.onnx")
        styles.append(swift)
    colors = 0.2 * torch.eye(3), torch.full((3,), 0.5)
    network.generator.start_from(styles, [colors, colors])
    config = AnyStyleConfig(
        paintings={str(folder): 1.0}, photos=[str(photos)], weights={"squeezenet": str(weights)}, experts=2,
        style_layers=list(CHANNELS),
    )  # fmt: skip
    (folder / CONFIG).write_text(json.dumps(config.as_dict()))
    torch.save({"generator": network.state_dict(), "step": 3}, folder / CHECKPOINT)
    return folder


def load_any_style(run: Path) -> AnyStyle:
    network = load_network(read_run(run))
    assert isinstance(network, AnyStyle)
    return network


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    write_universal(read_run(run), [], {"name": "any", "license": "CC0-1.0"}, run / "onnx")
    return run / "onnx"


@pytest.fixture(scope="module")
def vector(run: Path) -> NDArray[np.float32]:
    """A style between the two."""
    random = np.random.default_rng(5)
    generator = load_any_style(run).generator
    vector = random.normal(0, 0.1, generator.vector_size).astype(np.float32)
    for places in generator.slices.values():
        vector[places.experts] = 0.3, 0.0
    vector[-COLORS:-3] = (0.2 * np.eye(3) + 0.02).ravel()
    vector[-3:] = 0.45, 0.5, 0.55
    return vector


@pytest.fixture(scope="module")
def swift(run: Path, vector: NDArray[np.float32]) -> Swift:
    """The generator of that style, as torch has it."""
    return load_any_style(run).generator.for_style(torch.from_numpy(vector))


def images(photos: Path, swift: Swift) -> list[NDArray[np.uint8]]:
    found = [swift.read_input(path).numpy() for path in sorted(photos.iterdir())[:3]]
    return [found[0], found[1][:255, :253], found[2][:17, :31]]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_folded_style_runs_as_torch_does(
    name: str, exported: Path, vector: NDArray[np.float32], swift: Swift, photos: Path
) -> None:
    model = UniversalGenerator(exported).model(vector, name)
    onnx.checker.check_model(model, full_check=True)
    # Tiles are given the statistics of the whole image.
    assert "given_stats" in {each.name for each in model.graph.initializer}
    precision = name.removesuffix("-yuv420")
    worst = check_parity(model, swift, images(photos, swift), precision)
    assert worst >= RUNTIME_PARITY_DB[precision]


@pytest.mark.parametrize("name", ["int8", "int8-yuv420"])
def test_rounding_is_that_of_the_export(
    name: str, exported: Path, run: Path, vector: NDArray[np.float32], swift: Swift, photos: Path
) -> None:
    """Node by node and kernel by kernel; ranges of activations come from other images."""
    calibration = [swift.read_input(path).numpy() for path in sorted(photos.iterdir())[:2]]
    styled = load_any_style(run).generator.for_style(torch.from_numpy(vector))
    training = sorted(photos.iterdir())
    images = [styled.read_input(path) for path in training]
    styled.prepare_int8(images, levels=LARGEST if name == "int8" else None)
    graph = onnx_graph(styled) if name == "int8" else yuv420_graph(styled)
    wanted = quantized(graph, [feed_of(graph, each) for each in calibration], input_range=(-1.0, 1.0))
    ours = UniversalGenerator(exported).model(vector, name)
    assert [(each.op_type, *each.input, *each.output) for each in wanted.graph.node] == [
        (each.op_type, *each.input, *each.output) for each in ours.graph.node
    ]
    a, b = values_of(wanted), values_of(ours)
    assert a.keys() == b.keys()
    kernels = [each for each in a if each.endswith(".weight_quantized") and ".stem." not in each]
    assert len(kernels) == 10
    for each in kernels:
        # Kept as float16: a few weights lie at a border between steps.
        assert np.mean(a[each] != b[each]) < 0.01 and np.abs(a[each].astype(int) - b[each]).max() <= 1
    ends = [each for each in a if each.startswith(("pad_scale", "pad_zero_point", "conv2d_10_"))]
    assert len(ends) == 4 and all(np.allclose(a[each], b[each], rtol=1e-6) for each in ends)


def values_of(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    return {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}


def test_the_predictor_predicts_what_torch_does(exported: Path, run: Path) -> None:
    network = load_any_style(run)
    weights = {"squeezenet": run / "squeezenet.safetensors"}
    predictor = StylePredictor(LossNetworks(list(CHANNELS), weights), network.encoder)
    session = ort.InferenceSession((exported / PREDICTOR).read_bytes(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    for height, width in (painting_size(100, 90), painting_size(40, 90, stroke=0.5)):
        painting = random.integers(0, 256, (1, height, width, 3), dtype=np.uint8)
        fidelity = np.full((1, 1), 0.25, np.float32)
        (vector,) = session.run(None, {"painting": painting, "fidelity": fidelity})
        with torch.no_grad():
            wanted = predictor(torch.from_numpy(painting), torch.from_numpy(fidelity))
        assert vector.shape == (1, network.generator.vector_size)
        assert np.allclose(vector, wanted.numpy(), atol=3e-3)


def test_what_is_written_holds_no_paths_and_is_small(exported: Path, run: Path) -> None:
    files = {path.name: path.read_bytes() for path in exported.iterdir()}
    assert set(files) == {PREDICTOR, "kernels.npz", *(f"{name}.onnx" for name in TEMPLATES)}
    assert not any(str(run.parent).encode() in data for data in files.values())
    assert all(len(files[f"{name}.onnx"]) < 100_000 for name in TEMPLATES)
