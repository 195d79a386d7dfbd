"""vidgan sends nothing, and writes nothing about its user."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import ROOT

SAMPLE = ROOT / "samples" / "bunny.jpg"
IMPORTS = ("vidgan.session", "export", "benchmarks.loop")


def clean_environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    return {**kept, "HOME": str(home)}


def stylize(folder: Path, *before: str) -> None:
    subprocess.run(
        [*before, sys.executable, "-m", "vidgan", "stylize", str(SAMPLE), "-o", str(folder / "out.png"),
         "--style", "starry"],
        env=clean_environment(folder), check=True, capture_output=True, timeout=240,
    )  # fmt: skip


def test_stylize_writes_nothing_to_the_home_folder(tmp_path: Path) -> None:
    stylize(tmp_path)
    keys = tmp_path / ".local" / "share" / "vidgan" / "credentials"
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - {tmp_path / "out.png"}
    assert written and {path.parent for path in written} == {keys}, written


LIVE = "-m vidgan live {video} --no-window --size 64x36 --record out.mkv"
BATCH = "-m vidgan batch {image} -o out --style starry --workers 2"
ADD = "-m vidgan models add {model} --name mine"


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("words", [LIVE, BATCH, ADD], ids=["live", "batch", "add"])
def test_commands_write_nothing_about_their_user_and_open_no_network_socket(
    words: str, tmp_path: Path
) -> None:
    """Also in the processes that they start."""
    home, trace = tmp_path / "home", tmp_path / "trace"
    home.mkdir()
    places = {"video": SAMPLE.with_name("street.mkv"), "image": SAMPLE, "model": a_model()}
    command = words.format(**places).split()
    environment = clean_environment(home) | {"PYTHONPATH": str(SAMPLE.parents[1])}
    subprocess.run(
        ["strace", "-f", "-e", "trace=network", "-o", str(trace), sys.executable, *command],
        cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=280,
    )  # fmt: skip
    assert "exited with 0" in trace.read_text() and "AF_INET" not in trace.read_text()
    own = home / ".local" / "share" / "vidgan"
    assert all(own in path.parents for path in home.rglob("*") if path.is_file())
    assert not list(home.rglob("*onnxruntime*"))


def test_stylize_opens_no_network_socket(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    stylize(tmp_path, "strace", "-f", "-e", "trace=network", "-o", str(trace))
    opened = trace.read_text()
    assert "exited with 0" in opened
    assert "AF_INET" not in opened


@pytest.mark.parametrize("module", IMPORTS)
def test_telemetry_is_off_and_the_environment_is_left_alone(module: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx" if module == "export" else "cv2")
    code = (
        f"import os, cv2; before = dict(os.environ); import {module}; import onnxruntime as ort\n"
        f"ort.InferenceSession({str(a_model())!r}, providers=['CPUExecutionProvider'])\n"
        "assert dict(os.environ) == before"
    )
    subprocess.run([sys.executable, "-c", code], env=clean_environment(tmp_path), cwd=ROOT, check=True)
    assert not list(tmp_path.iterdir())


def test_a_choice_of_the_user_is_kept(tmp_path: Path) -> None:
    code = "import os; import vidgan.session; assert os.environ['ORT_DISABLE_TELEMETRY'] == '0'"
    environment = {**clean_environment(tmp_path), "ORT_DISABLE_TELEMETRY": "0"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def a_model() -> Path:
    import vidgan.models.registry

    return Path(vidgan.models.registry.__file__).parent / "swift-x2" / "int8.onnx"
