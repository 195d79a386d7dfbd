"""What is shipped, and what the runtime stands on."""

import ast
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNTIME = sorted((ROOT / "vidgan").rglob("*.py"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    pytest.importorskip("hatchling", reason="hatchling, the build backend, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("vidgan-*-py3-none-any.whl")
    return zipfile.ZipFile(path)


def test_wheel_ships_the_runtime_its_models_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(["git", "ls-files", "vidgan"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    assert names == set(tracked.stdout.split())
    for style in ("starry", "wave", "scream"):
        assert {f"vidgan/models/{style}/{each}" for each in ("card.md", "int8.onnx", "float16.onnx")} <= names


def test_metadata_names_licences_and_no_training_packages(wheel: zipfile.ZipFile) -> None:
    (metadata,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    message = Parser().parsestr(wheel.read(metadata).decode())
    assert message["License-Expression"] == "MIT"
    licences = {"LICENSE", "vidgan/models/LICENSE", "vidgan/live/web/static/LICENSE"}
    assert set(message.get_all("License-File") or []) == licences
    needed = [each for each in message.get_all("Requires-Dist") or [] if "extra ==" not in each]
    names = {each.partition(";")[0].split(">")[0].strip() for each in needed}
    assert names == {
        "av", "click", "filelock", "numpy", "onnx", "onnxruntime", "onnxruntime-gpu", "opencv-python",
        "platformdirs", "rich",
    }  # fmt: skip
    extras = set(message.get_all("Provides-Extra") or [])
    assert extras == {"cluster", "cuda", "tensorrt", "plot", "train", "vcam", "web", "dev"}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", RUNTIME, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_runtime_never_imports_training(path: Path) -> None:
    assert not imports(path) & {"torch", "torchvision", "training", "export"}


@pytest.mark.parametrize(
    ("package", "room"), [("onnxruntime", "session/"), ("onnx", "universal/"), ("ray", "cluster.py")]
)
def test_only_one_room_knows(package: str, room: str) -> None:
    users = {path.relative_to(ROOT).as_posix() for path in RUNTIME if package in imports(path)}
    assert users and all(user.startswith(f"vidgan/{room}") for user in users)


def test_training_knows_no_onnxruntime() -> None:
    assert not [path for path in (ROOT / "training").rglob("*.py") if "onnxruntime" in imports(path)]
