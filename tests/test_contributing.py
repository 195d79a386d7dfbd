"""CONTRIBUTING.md says what is: the files, names and commands in it exist, and adding costs as few files as it says.

The counts for a task and for a recipe are those of tests/tasks/test_toy_task.py and
tests/training/recipes/test_recipes.py.
"""

import re
from pathlib import Path

import pytest

import vidgan.models.registry
from tests.support.tiny_models import model_file
from vidgan.models.registry import bundled_models, card_of, find_model

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUOTED = set(re.findall(r"`([^`]+)`", TEXT)) | set(re.findall(r"\]\(([^)]+)\)", TEXT))
PRODUCT = [path for top in ("vidgan", "training", "export") for path in sorted((ROOT / top).rglob("*.py"))]
CODE = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PRODUCT}
PATHS = sorted(
    each for each in QUOTED if re.fullmatch(r"[\w./]+(\.(py|toml|md)|/)", each) and "NAME" not in each
)
CLASSES = sorted(each for each in QUOTED if re.fullmatch(r"([A-Z][a-z]+)+", each))
MODULES = sorted(set(re.findall(r"(?:-m |`)((?:training|export)(?:\.\w+)*)(?![\w./])", TEXT)))


@pytest.mark.parametrize("name", PATHS)
def test_a_file_that_it_names_exists(name: str) -> None:
    if name == "card.md":
        return  # One is written with each model.
    assert (ROOT / name).exists() or [*ROOT.glob(f"*/{name}"), *ROOT.glob(f"*/*/{name}")]


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_that_it_names_exists(name: str) -> None:
    assert any(re.search(rf"^class {name}\b", text, re.MULTILINE) for text in CODE.values())


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_it_names_can_be_run(name: str) -> None:
    place = ROOT / name.replace(".", "/")
    assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()


@pytest.mark.parametrize("target", re.findall(r"^ +make (\w+)", TEXT, re.MULTILINE))
def test_a_command_that_it_names_is_in_the_makefile(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_it_names_some_of_each() -> None:
    assert min(map(len, (PATHS, CLASSES, MODULES))) > 3


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("StdoutSink", "sinks"), ("ImageSequenceSink", "sinks"), ("AnimatedImageSource", "sources"),
        ("LabelSource", "sources"),
    ],
)  # fmt: skip
def test_a_sink_or_source_is_a_module_and_a_line(name: str, package: str) -> None:
    users = {path: text for path, text in CODE.items() if re.search(rf"\b{name}\b", text)}
    (module,) = users.keys() - {f"vidgan/{package}/__init__.py"}
    assert module.startswith(f"vidgan/{package}/")
    opening = users[f"vidgan/{package}/__init__.py"]
    assert len(re.findall(rf"return {name}\(", opening)) <= 2


@pytest.mark.parametrize("command", ["check", "doctor", "measure"])
def test_a_command_is_a_module_and_its_line(command: str) -> None:
    line = re.compile(rf"^\s*from vidgan\.cli\.{command} import", re.MULTILINE)
    assert [path for path, text in CODE.items() if line.search(text)] == ["vidgan/cli/__init__.py"]


def test_a_bundled_style_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vidgan.models.registry, "BUNDLED", tmp_path)
    model_file(tmp_path / "dots" / "float32.onnx", "style")
    (tmp_path / "dots" / "card.md").write_text("# dots\n")
    assert bundled_models("style") == ["dots"]
    assert find_model("dots", precision="int8", task="style").file.path.is_relative_to(tmp_path)
    assert "dots" in card_of("dots")
