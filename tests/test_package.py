"""What is shipped, and what the runtime stands on."""

import ast
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import vidgan

ROOT = Path(__file__).parents[1]
RUNTIME = sorted((ROOT / "vidgan").rglob("*.py"))


MAX_WHEEL_BYTES = 75_000_000
COLLECTED_FROM_SDIST = "conformance", "tasks", "temporal"


def built(kind: str, folder: Path) -> Path:
    """What the build backend makes: a ``wheel`` or an ``sdist``."""
    pytest.importorskip("hatchling", reason="hatchling, the build backend, is not installed")
    code = f"import sys; from hatchling.build import build_{kind}; build_{kind}(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(built("wheel", tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built("sdist", tmp_path_factory.mktemp("archive"))) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    return unpacked


def tracked(*folders: str) -> set[str]:
    """Files of the repository; the test is skipped where there is none."""
    done = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return set(done.stdout.split())


def test_wheel_ships_the_runtime_its_models_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == tracked("vidgan")
    for style in ("starry", "wave", "scream"):
        assert {f"vidgan/models/{style}/{each}" for each in ("card.md", "int8.onnx", "float16.onnx")} <= names


def test_wheel_is_small_enough_for_an_index(wheel: zipfile.ZipFile) -> None:
    sizes: Counter[str] = Counter()
    for each in wheel.infolist():
        model = re.match("vidgan/models/[^/]+(?=/)", each.filename)
        sizes[model[0] if model else "everything else"] += each.compress_size
    total = Path(str(wheel.filename)).stat().st_size
    largest = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in sizes.most_common(6))
    assert total <= MAX_WHEEL_BYTES, f"{total / 1e6:.1f} MB of {MAX_WHEEL_BYTES / 1e6:.0f}: {largest}, ..."


def test_wheel_is_typed(wheel: zipfile.ZipFile) -> None:
    assert "vidgan/py.typed" in wheel.namelist()


def test_the_version_has_one_source(wheel: zipfile.ZipFile, sdist: Path) -> None:
    (name,) = [each for each in wheel.namelist() if each.endswith(".dist-info/METADATA")]
    version = Parser().parsestr(wheel.read(name).decode())["Version"]
    assert version == vidgan.__version__ and sdist.name == f"vidgan-{version}"
    sources = [*RUNTIME, ROOT / "pyproject.toml", ROOT / "Dockerfile"]
    places = [path for path in sources if version in path.read_text(encoding="utf-8")]
    assert places == [ROOT / "vidgan" / "__init__.py"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None and newest[1] in (version, "Unreleased")


def test_sdist_has_what_is_tracked(sdist: Path) -> None:
    found = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*") if path.is_file()}
    missing = {name for name in tracked() if not name.startswith(".")} - found
    assert not missing
    # Beside them, its metadata and what hatchling reads.
    assert found - tracked() == {"PKG-INFO"}


def test_tests_can_be_collected_from_the_sdist(sdist: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider",
         *(f"tests/{each}" for each in COLLECTED_FROM_SDIST)],
        cwd=sdist, env=os.environ | {"PYTHONPATH": str(sdist)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    for folder in COLLECTED_FROM_SDIST:
        assert f"tests/{folder}/" in done.stdout


def test_metadata_names_licenses_and_no_training_packages(wheel: zipfile.ZipFile) -> None:
    (metadata,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    message = Parser().parsestr(wheel.read(metadata).decode())
    assert message["License-Expression"] == "MIT"
    licenses = {"LICENSE", "vidgan/models/LICENSE", "vidgan/live/web/static/LICENSE"}
    assert set(message.get_all("License-File") or []) == licenses
    needed = [each for each in message.get_all("Requires-Dist") or [] if "extra ==" not in each]
    names = {each.partition(";")[0].split(">")[0].strip() for each in needed}
    assert names == {
        "av", "c2pa-python", "click", "cryptography", "filelock", "numpy", "onnx", "onnxruntime", "onnxruntime-gpu",
        "opencv-python", "platformdirs", "rich",
    }  # fmt: skip
    extras = set(message.get_all("Provides-Extra") or [])
    assert extras == {
        "cluster", "control", "convert", "cuda", "dev", "images", "openvino", "plot", "tensorrt", "train", "vcam",
        "web", "webgpu",
    }  # fmt: skip


def test_each_platform_gets_one_runtime(wheel: zipfile.ZipFile) -> None:
    """The one with CUDA runs on processors too; the one without has the same files, so never both."""
    (metadata,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    needed = Parser().parsestr(wheel.read(metadata).decode()).get_all("Requires-Dist") or []
    runtimes = [Requirement(each) for each in needed if re.match("onnxruntime(-gpu)?[^a-z-]", each)]
    for platform, expected in (("linux", "-gpu"), ("win32", "-gpu"), ("darwin", "")):
        for extra in ("", "cuda", "tensorrt", "openvino"):
            places = [{"sys_platform": platform, "extra": each} for each in ("", extra)]
            found = {
                each.name
                for each in runtimes
                if each.marker is None or any(each.marker.evaluate(place) for place in places)
            }
            assert found == {f"onnxruntime{expected}"}


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
    assert not imports(path) & {"torchvision", "training", "export"}


@pytest.mark.parametrize(
    ("dependency", "packages"),
    [("onnxruntime", ["session/"]), ("ray", ["jobs/cluster.py"]), ("onnx", ["importer/", "models/universal/"]),
     ("torch", ["importer/torch_weights.py"]), ("spandrel", ["importer/torch_weights.py"])],
)  # fmt: skip
def test_few_packages_import(dependency: str, packages: list[str]) -> None:
    users = {path.relative_to(ROOT).as_posix() for path in RUNTIME if dependency in imports(path)}
    assert users and all(user.startswith(tuple(f"vidgan/{each}" for each in packages)) for user in users)


def test_training_knows_no_onnxruntime() -> None:
    assert not [path for path in (ROOT / "training").rglob("*.py") if "onnxruntime" in imports(path)]
