"""An added model in use: videos, tiles, commands, and the way out."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan as package
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.foreign_nets import valid_upscaler
from tests.support.images import read_pixels
from vidgan.errors import ModelError, ModelNotFoundError
from vidgan.importer.adding import Options, add_model
from vidgan.importer.convention import Convention, Hints
from vidgan.importer.geometry import Probe, examine_geometry
from vidgan.importer.graph import read_graph
from vidgan.importer.measuring import reference
from vidgan.importer.wrapping import Wrapping
from vidgan.models.registry import added_models, card_of, find_model
from vidgan.session import Session
from vidgan.sources import open_source

LEVELS = Hints("0..1", "0..1", "rgb", "rgb")


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return valid_upscaler(tmp_path / "net.onnx")


def untouched(net: Path, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the file itself makes of an image, called from NumPy."""
    graph = read_graph(net.read_bytes(), {})
    geometry, probe = examine_geometry(graph, seconds=60)
    assert isinstance(probe, Probe) and geometry.border == (12, 12)
    wrapping = Wrapping(geometry, Convention("0..1", "0..1", "rgb", "rgb"), "x", (16, 16), 1, 1, True)
    return reference(probe, wrapping, pixels)


def test_a_video_is_what_the_untouched_file_makes_of_its_frames(net: Path, tmp_path: Path) -> None:
    add_model(net, Options(hints=LEVELS))
    video = SAMPLES / "bunny.mp4"
    package.upscale(
        video, tmp_path / "out" / "%06d.png", model="net", size="160x90", trim=package.Trim(frames=3)
    )
    with open_source(video, size="160x90") as source:
        frames = [frame.pixels for _, frame in zip(range(3), source, strict=False)]
    for number, pixels in enumerate(frames, 1):
        ours = read_pixels(tmp_path / "out" / f"{number:06d}.png", cv2.IMREAD_COLOR_RGB)
        assert ours.shape == (180, 320, 3)
        assert np.abs(ours.astype(int) - untouched(net, pixels)).max() <= 1


def test_small_tiles_are_the_whole_to_the_byte(net: Path) -> None:
    found = add_model(net, Options(hints=LEVELS)).findings
    assert found.receptive_field is not None and 3 <= found.receptive_field <= 4
    spec = find_model("net", precision="float32")
    photo = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB), (720, 500))[np.newaxis]
    whole = Session(spec, device="cpu").run(photo)
    session = Session(spec, device="cpu", tile_pixels=90_000)
    tiled = session.run(photo)
    assert any("tiles" in each for each in session.warnings)
    assert np.array_equal(whole, tiled)


def test_added_models_are_listed_shown_and_removed(net: Path, own_models: Path) -> None:
    done = vidgan("models", "add", net, "--name", "mine", "--license", "CC0", "--title", "A test",
                  "--range-in", "0..1", "--range-out", "0..1", "--order", "rgb")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "vidgan upscale in.mp4 --model mine" in done.stdout and "equal to the byte" in done.stdout
    assert "mine" in vidgan("models").stdout
    described = json.loads(vidgan("models", "mine", "--json").stdout)[0]
    assert described["license"] == "CC0" and described["source"]["file"] == "net.onnx"
    assert vidgan("models", "mine").stdout.rstrip() == card_of("mine").rstrip()
    file = own_models / "mine" / "float32.onnx"
    assert "A test" in vidgan("models", file).stdout
    done = vidgan(
        "upscale", SAMPLES / "bunny.jpg", "-o", own_models / "out.png", "-m", "mine", "--size", "64x36"
    )
    assert done.returncode == 0, done.stderr
    assert read_pixels(own_models / "out.png").shape == (72, 128, 3)
    assert vidgan("models", "remove", "mine").returncode == 0
    assert not file.exists() and added_models() == []
    assert_one_clear_error(vidgan("models", "remove", "mine"), "no model called 'mine'")


def test_foreign_files_are_refused_with_the_command_that_adds_them(net: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="vidgan models add"):
        find_model(str(net), precision="float32")
    weights = tmp_path / "net.pth"
    weights.write_bytes(b"PK")
    with pytest.raises(ModelError, match="vidgan models add"):
        find_model(str(weights), precision="float32")
    with pytest.raises(ModelNotFoundError):
        find_model(str(tmp_path / "missing.pth"), precision="float32")


def test_an_unclear_convention_is_asked_for(tmp_path: Path, own_models: Path) -> None:
    """Without a terminal that is wrong usage, and a contact sheet shows what there is to choose from."""
    from vidgan.models.registry import BUNDLED

    path = tmp_path / "stylizer.onnx"
    path.write_bytes(floats_of(BUNDLED / "starry" / "float32.onnx"))
    done = vidgan("models", "add", path)
    assert done.returncode == 2, done.stderr
    assert "--choose" in done.stderr and "stylizer.png" in done.stderr
    sheet = next((tmp_path / "cache").rglob("stylizer.png"))
    assert cv2.imread(str(sheet)) is not None and not own_models.exists()
    assert vidgan("models", "add", path, "--choose", "1").returncode == 0
    assert added_models("style") == ["stylizer"]


def floats_of(path: Path) -> bytes:
    """A bundled style for float32 images from 0 to 255, without vidgan's metadata."""
    import onnx
    import onnx.helper

    model = onnx.load(path)
    del model.metadata_props[:]
    taken, given = model.graph.input[0].name, model.graph.output[0].name
    for node in model.graph.node:
        node.input[:] = ["bytes_in" if each == taken else each for each in node.input]
        node.output[:] = ["bytes_out" if each == given else each for each in node.output]
    first = onnx.helper.make_node("Cast", [taken], ["bytes_in"], to=onnx.TensorProto.UINT8)
    last = onnx.helper.make_node("Cast", ["bytes_out"], [given], to=onnx.TensorProto.FLOAT)
    nodes = [onnx.NodeProto.FromString(each.SerializeToString()) for each in (first, *model.graph.node, last)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    keep = onnx.ValueInfoProto.FromString(model.graph.output[0].SerializeToString())
    del model.graph.output[:]
    model.graph.output.append(keep)
    return model.SerializeToString()
