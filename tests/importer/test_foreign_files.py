"""Real files of other people, added and run: what comes out is what their authors get."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.foreign import expected, foreign, psnr
from vidgan.errors import ModelError
from vidgan.importer.adding import Added, Options, add_model
from vidgan.models.registry import find_model
from vidgan.session import Session


def added(name: str, **options: object) -> tuple[Added, Session]:
    result = add_model(foreign(name), Options(name="other", **options))  # type: ignore[arg-type]
    return result, Session(find_model("other", precision="int8"), device="cpu", threads=2)


def run(session: Session, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return session.run(image[np.newaxis])[0]


def test_waifu2x_gives_what_its_author_gets() -> None:
    result, session = added("waifu2x_upconv7_scale2.0x.onnx")
    found = result.findings
    assert (found.scale, found.border, found.multiple, found.receptive_field) == (2, (28, 28), (1, 1), 7)
    assert found.task == "upscale" and found.opset == 6 and found.parity == "equal to the byte"
    ours, theirs = run(session, expected("in_171x97")), expected("waifu2x_upconv7_scale2.0x_171x97")
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).max() <= 1 and (ours != theirs).mean() < 1e-3


@pytest.mark.parametrize("name", ["animejanai_perf_fp16", "animejanai_sd_compact_fp16_op23"])
def test_half_precision_models_run_in_float32(name: str, own_models: Path) -> None:
    result, session = added(f"{name}.onnx")
    assert result.findings.half and result.findings.scale == 2
    assert {each.name for each in (own_models / "other").iterdir()} == {
        "card.md", "float16.onnx", "float32.onnx",
    }  # fmt: skip
    theirs = expected(f"{name}_171x97")
    assert psnr(run(session, expected("in_171x97")), theirs) >= 60
    half = Session(find_model("other", precision="float16"), device="cpu", threads=2)
    assert psnr(run(half, expected("in_171x97")), theirs) >= 60


def test_a_luma_model_of_one_size_is_tiled_without_seams() -> None:
    result, session = added("subpixel_x3_y.onnx")
    found = result.findings
    assert found.fixed == (224, 224) and found.scale == 3 and found.convention.startswith("luma")
    assert found.receptive_field is not None and 5 <= found.receptive_field <= 8
    assert psnr(run(session, expected("in_224x224")), expected("subpixel_x3_y_224x224")) >= 60


def test_tiles_of_one_size_are_the_whole(tmp_path: Path) -> None:
    """Against the same network without its size: its reshapes are given for 640x360 instead."""
    import cv2
    import onnx
    from onnx import numpy_helper

    from vidgan.importer.convention import Convention
    from vidgan.importer.geometry import Geometry, Probe
    from vidgan.importer.graph import read_graph
    from vidgan.importer.measuring import reference
    from vidgan.importer.wrapping import Wrapping
    from vidgan.session.graph_runner import GraphRunner

    _, session = added("subpixel_x3_y.onnx")
    model = onnx.load(foreign("subpixel_x3_y.onnx"))
    swapped = {224: None, 672: None}
    assert swapped

    def resized(values: NDArray[np.int64]) -> NDArray[np.int64]:
        result = values.copy()
        sides = iter((360, 640, 360, 640))
        big = iter((1080, 1920))
        for index, value in enumerate(result):
            if value == 224:
                result[index] = next(sides)
            elif value == 672:
                result[index] = next(big)
        return result

    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_type == onnx.TensorProto.INT64:
                values = numpy_helper.to_array(attribute.t)
                if values.ndim == 1:
                    attribute.t.CopyFrom(numpy_helper.from_array(resized(values)))
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.INT64:
            tensor.CopyFrom(numpy_helper.from_array(resized(numpy_helper.to_array(tensor)), tensor.name))
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_value, dims[3].dim_value = 360, 640
    model.graph.output[0].type.tensor_type.ClearField("shape")
    graph = read_graph(model.SerializeToString(), {})
    runner = GraphRunner(model.SerializeToString(), seconds=120)
    geometry = Geometry(
        "NCHW", "NCHW", 1, 1, graph.outputs[0].name, 3, (0, 0), (1, 1), (0, 0), (360, 640), True
    )
    probe = Probe(runner, graph.image, "NCHW", "NCHW", geometry.output)
    wrapping = Wrapping(
        geometry, Convention("0..1", "0..1", "rgb", "rgb"), graph.image.name, (16, 16), 1, 1, False
    )
    photo = cv2.resize(expected("in_224x224"), (640, 360), interpolation=cv2.INTER_CUBIC)
    whole, tiles = reference(probe, wrapping, photo), run(session, photo)
    assert psnr(tiles[24:-24, 24:-24], whole[24:-24, 24:-24]) >= 60
    seams = np.abs(tiles.astype(int) - whole)[24:-24, 24:-24]
    assert seams.max() <= 1
    assert any("224x224" in each for each in session.warnings)


@pytest.mark.parametrize(
    ("name", "task", "scale"), [("realesr-animevideov3", "upscale", 4), ("dncnn_25", "restore", 1)]
)
def test_pytorch_weights_are_converted(name: str, task: str, scale: int) -> None:
    pytest.importorskip("spandrel", reason="needs the extra 'convert'")
    result, session = added(f"{name}.pth")
    assert (result.findings.task, result.findings.scale) == (task, scale)
    assert result.findings.source == f"{name}.pth"
    (warning,) = result.warnings
    assert "dB" in warning or "equal" in warning
    assert psnr(run(session, expected("in_171x97")), expected(f"{name}_171x97")) >= 60


def test_an_input_that_is_no_image_has_to_be_set(own_models: Path) -> None:
    with pytest.raises(ModelError, match=r"`settings={'gain': 'VALUE'}`"):
        add_model(foreign("synthetic_gain.onnx"), Options(name="other"))
    assert not own_models.exists()
    _, session = added("synthetic_gain.onnx", settings={"gain": "1.5"})
    ours, theirs = run(session, expected("in_171x97")), expected("synthetic_gain_171x97")
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("obs_selfie_segmentation.onnx", "returns 1 channel: a mask or a depth map, not an image"),
        ("bicubic_pp_x3.pth", "spandrel knows no such architecture"),
    ],
)
def test_what_is_no_image_model_is_refused_in_one_line(name: str, words: str, own_models: Path) -> None:
    if name.endswith(".pth"):
        pytest.importorskip("spandrel", reason="needs the extra 'convert'")
    with pytest.raises(ModelError) as caught:
        add_model(foreign(name), Options())
    assert (
        words in str(caught.value)
        and "\n" not in str(caught.value)
        and str(foreign(name)) in str(caught.value)
    )
    assert not own_models.exists()


def hostile_files() -> list[str]:
    from tests.support.foreign import FOREIGN

    folder = FOREIGN / "hostile"
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else ["v_loop_endless.onnx"]


MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Runs a command and prints its largest memory in KiB. A process between it and the tests, whose own memory Linux
would count as that of the command."""


@pytest.mark.parametrize("name", hostile_files())
def test_hostile_files_are_refused_in_one_line_and_bounded_memory(name: str, own_models: Path) -> None:
    command = [sys.executable, "-m", "vidgan", "models", "add", str(foreign(f"hostile/{name}"))]
    done = subprocess.run([sys.executable, "-c", MEASURED, *command], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert len([each for each in done.stderr.splitlines() if each.startswith("error: ")]) == 1
    assert "Traceback" not in done.stderr and "\x1b" not in done.stderr
    assert not own_models.exists()
    assert int(done.stdout.split()[-1]) < 2 << 20
