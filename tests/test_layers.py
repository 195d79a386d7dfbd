"""The structure of the code: layers without a cycle, small functions, small modules, tests beside them."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = [path for top in ("vidgan", "training", "export") for path in sorted((ROOT / top).rglob("*.py"))]
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_ROOT_ENTRIES = 14
DUPLICATE_LINES = 6
TESTS = ROOT / "tests"
OF_THE_WHOLE = {"contributing", "layers", "package", "python_guide", "readme", "words"}
"""Tests of the repository and its documents; all others have a package."""
OF_CONTRACTS = {"conformance", "matrix"}
"""Suites that every implementation of a contract goes through, and the table of what a run keeps."""


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in PRODUCT}


def imports(path: Path) -> set[str]:
    """Modules of ours that a module imports, also within functions and for types alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{each.name}" for each in node.names] + [node.module]
        for name in names:
            while name and name not in MODULES:
                name = name.rpartition(".")[0]
            if name:
                found.add(name)
    return found - {module_of(path)}


def cycle_in(edges: dict[str, set[str]]) -> list[str] | None:
    """A cycle of the graph, if there is one."""
    done: set[str] = set()
    path: list[str] = []

    def visit(node: str) -> list[str] | None:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return None
        path.append(node)
        for other in sorted(edges.get(node, ())):
            if (found := visit(other)) is not None:
                return found
        path.pop()
        done.add(node)
        return None

    for node in sorted(edges):
        if (found := visit(node)) is not None:
            return found
    return None


def test_modules_import_each_other_in_one_direction() -> None:
    # The package itself only forwards names, and only when they are asked for.
    edges = {name: imports(path) - {"vidgan"} for name, path in MODULES.items() if name != "vidgan"}
    assert cycle_in(edges) is None


def test_folders_import_each_other_in_one_direction() -> None:
    edges: defaultdict[str, set[str]] = defaultdict(set)
    for name, path in MODULES.items():
        folder = folder_of(name)
        if folder is None:
            continue
        for other in imports(path):
            target = folder_of(other)
            if target not in (None, folder):
                edges[folder].add(str(target))
    assert cycle_in(edges) is None


def folder_of(module: str) -> str | None:
    """The package below the top that a module is in, e.g. ``vidgan.jobs``; None for the top itself."""
    parts = module.split(".")
    below = parts[:2] if len(parts) > 1 and (ROOT / Path(*parts[:2])).is_dir() else None
    return None if below is None else ".".join(below)


def significant_lines(path: Path) -> list[tuple[int, str]]:
    """Lines with their numbers, white space folded: no imports, no comments, no punctuation alone."""
    source = path.read_text(encoding="utf-8")
    imported: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate((" ".join(line.split()) for line in source.splitlines()), 1)
    return [
        (number, line)
        for number, line in lines
        if number not in imported and re.search(r"\w", line) and not line.startswith("#")
    ]


def test_no_six_lines_stand_twice() -> None:
    """Boilerplate of the same shape, such as declarations of options, has other names and texts."""
    places: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in PRODUCT:
        lines = significant_lines(path)
        for start in range(len(lines) - DUPLICATE_LINES + 1):
            run = lines[start : start + DUPLICATE_LINES]
            places[tuple(text for _, text in run)].append(f"{path.relative_to(ROOT)}:{run[0][0]}")
    assert [each for each in places.values() if len(each) > 1] == []


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_and_functions_are_small(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= MAX_MODULE_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= MAX_FUNCTION_LINES, node.name


def test_the_root_of_the_package_is_short() -> None:
    entries = {
        path.name
        for path in (ROOT / "vidgan").iterdir()
        if not path.name.startswith(("__", ".")) and path.name != "py.typed"
    }
    assert len(entries) <= MAX_ROOT_ENTRIES, entries


def test_tests_mirror_the_packages() -> None:
    assert {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")} == OF_THE_WHOLE
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")} - {Path()}
    mirrored = {each for each in folders if each.parts[0] not in OF_CONTRACTS}
    assert [
        each for each in mirrored if not any((top / each).is_dir() for top in (ROOT / "vidgan", ROOT))
    ] == []
    packages = [
        *(path.parent for path in (ROOT / "vidgan").glob("*/__init__.py")),
        ROOT / "training",
        ROOT / "export",
    ]
    assert [
        each for each in packages if Path(each.name) not in {Path(path.parts[0]) for path in mirrored}
    ] == []


def test_tests_that_documents_name_exist() -> None:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *TESTS.rglob("*.py")]
    names = {
        (path.relative_to(ROOT), name)
        for path in texts
        for name in re.findall(r"tests/[\w/]+\.py", path.read_text(encoding="utf-8"))
    }
    assert len(names) > 5 and [each for each in names if not (ROOT / each[1]).is_file()] == []


def test_nothing_imports_tests() -> None:
    for path in [*TESTS.rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            assert not (module or "").rpartition(".")[2].startswith("test_"), (path, module)
