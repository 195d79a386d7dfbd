"""``vidgan doctor``, and devices that do not come up."""

import json
from pathlib import Path

import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from vidgan.session import missing_for_cuda

without_cuda = pytest.mark.skipif(missing_for_cuda() is None, reason="CUDA works here")


def test_doctor_tries_devices_and_encoders() -> None:
    done = vidgan("doctor", "--json")
    assert done.returncode == 0, done.stderr
    findings = {each["what"]: each for each in json.loads(done.stdout)}
    for what in ("onnxruntime", "PyAV", "OpenCV", "device cpu", "encoder libx264", "encoder libvpx-vp9"):
        assert findings[what]["ok"], findings[what]
    assert "processed an image" in findings["device cpu"]["detail"]
    assert findings["device cuda"]["ok"] == (missing_for_cuda() is None)


@without_cuda
def test_doctor_says_what_cuda_lacks() -> None:
    done = vidgan("doctor")
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if "device cuda" in line]
    assert line.startswith("--") and str(missing_for_cuda()) in line


@without_cuda
def test_cuda_that_does_not_come_up_is_an_error_and_not_a_slow_success(tmp_path: Path) -> None:
    output = tmp_path / "out.jpg"
    done = vidgan("stylize", SAMPLES / "bunny.jpg", "-o", output, "--style", "starry", "--device", "cuda")
    assert_one_clear_error(done, "CUDA", str(missing_for_cuda()))
    assert not list(tmp_path.iterdir())


@without_cuda
def test_auto_says_which_device_ran(tmp_path: Path) -> None:
    arguments = ["stylize", SAMPLES / "bunny.jpg", "-o", tmp_path / "out.jpg", "--style", "starry"]
    done = vidgan(*arguments, "--device", "auto", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["device"], result["precision"]) == ("cpu", "int8")
