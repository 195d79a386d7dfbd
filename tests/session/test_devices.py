"""Devices: each by its provider, strict, and bundled models the same wherever they run."""

import time
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from vidgan.cli.options import DEVICES
from vidgan.errors import DeviceError, ModelError
from vidgan.models.registry import BUNDLED, ModelSpec, Precision, bundled_names, read_model
from vidgan.session import Device, Session, devices, loading, missing_for, resolve_device
from vidgan.session.devices import DEVICES as REAL_DEVICES
from vidgan.session.runtime import ort

MODELS = [
    path
    for name in bundled_names()
    for path in sorted((BUNDLED / name).glob("*.onnx"))
    if path.stem in get_args(Precision)
]
"""Without the detectors of faces and poses, which run on the CPU, and the templates of the universal style model."""
STARRY_INT8 = BUNDLED / "starry" / "int8.onnx"


def test_the_command_line_knows_all_devices() -> None:
    assert ("auto", *REAL_DEVICES) == DEVICES


@pytest.mark.parametrize("device", [each for each in REAL_DEVICES if each != "cpu"])
def test_a_device_that_is_not_there_is_an_error_with_what_is_missing(device: Device) -> None:
    missing = missing_for(device)  # type: ignore[arg-type]
    if missing is None:
        pytest.skip(f"{device} is here")
    with pytest.raises(DeviceError) as caught:
        resolve_device(device)
    assert missing in str(caught.value)
    done = vidgan("stylize", SAMPLES / "bunny.jpg", "-o", "never.png", "-s", "starry", "--device", device)
    assert_one_clear_error(done, "is not usable here")


@pytest.mark.parametrize(
    ("installed", "words"),
    [
        ({"onnxruntime"}, "built without CUDA; pip uninstall onnxruntime, then pip install onnxruntime-gpu"),
        ({"onnxruntime", "onnxruntime-gpu"}, "are both installed"),
    ],
)
def test_an_install_for_the_cpu_says_how_to_get_cuda(
    monkeypatch: pytest.MonkeyPatch, installed: set[str], words: str
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    monkeypatch.setattr(devices, "_is_installed", lambda name: name in installed)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(DeviceError, match=words):
        resolve_device("cuda")


def images_for(spec: ModelSpec) -> NDArray[np.uint8]:
    photo = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB), (160, 96))
    if spec.task == "colorize":
        return cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[np.newaxis]
    if spec.classes and spec.task == "translate":
        rng = np.random.default_rng(0)
        return np.kron(rng.integers(0, len(spec.classes), (12, 20)), np.ones((8, 8), int)).astype(np.uint8)[
            np.newaxis
        ]
    return photo[np.newaxis]


@pytest.mark.skipif(missing_for("openvino") is not None, reason=f"no OpenVINO: {missing_for('openvino')}")
@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_bundled_models_agree_under_openvino(path: Path) -> None:
    """Prints the CPU time of a frame beside it, of all threads, which ``pytest -rP`` shows."""
    spec = read_model(path)
    if spec.precision == "int8" and devices.plugin_devices("openvino"):
        pytest.skip("the plug-in is not given int8 models")
    images = images_for(spec)
    (ours, ms), (theirs, other_ms) = (timed_run(spec, device, images) for device in ("cpu", "openvino"))
    error = float(((ours.astype(float) - theirs) ** 2).mean())
    db = float("inf") if error == 0 else 10 * np.log10(255**2 / error)
    print(f"{db:.1f} dB, {ms:.1f} ms by the CPU provider, {other_ms:.1f} ms by OpenVINO")
    assert db >= (40 if spec.precision == "int8" else 60)


def timed_run(spec: ModelSpec, device: Device, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    session = Session(spec, device=device)
    assert session.device == device
    least = float("inf")
    for _ in range(3):
        started = time.process_time()
        result = session.step(images, None)[0] if spec.state_channels else session.run(images)
        least = min(least, 1000 * (time.process_time() - started))
    return result, least


def test_int8_is_not_offered_with_the_plug_in_of_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "plugin_devices", lambda device: ("a CPU",))
    with pytest.raises(
        ModelError, match=r"starry/int8\.onnx: int8 models are not offered .* or `device='cpu'`"
    ):
        loading.load(read_model(STARRY_INT8), "openvino", threads=1)


def test_devices_with_openvino_take_float32_by_default() -> None:
    assert devices.preferred_precision("openvino") == "float32"
    assert all(
        BUNDLED.joinpath(path.parent.name, "float32.onnx").is_file() for path in MODELS if path.stem == "int8"
    )
