"""Code and documents use the field's words (docs/glossary.md), not the ones that they replaced."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("*.py", "*.md", "*.toml", "*.js", "*.html", "*.css")

# Old word: the one that took its place. Words of style transfer's prose ("paint") are not on the list.
REPLACED = {
    "Painter": "ImageModel",
    "run_planes": "run_yuv",
    "run_next": "step",
    "takes_planes": "takes_yuv",
    "next_past": "next_state",
    "Relation": "MotionEstimate",
    "open_steadier": "temporal filter",
    "FlowSmoother": "FlowFilter",
    "unsteadiness": "temporal consistency loss",
    "steady_weight": "temporal_weight",
    "known_light": "given_stats",
    "even_lightness": "local contrast normalization",
    "fold_pixels": "pixel_unshuffle",
    "take_over": "load_folded_weights",
    "fooled": "generator_loss",
    "late_cycle": "cycle_weight_decay",
    "identity_share": "lambda_identity",
    "drawn_in": "output_palette",
    "palette_of": "input_palette",
    "misfit": "out_of_palette_fraction",
    "overheard": "stderr capture",
    "outlet": "SinkThread",
    "visitor": "client",
    "visitors": "clients",
    "wishes": "updates",
    "Shot": "FramePair",
    "Brush": "LiveStylizer",
    "EncodedPart": "EncodedSegment",
    "PartWriter": "SegmentEncoder",
    "PartFile": "AtomicFile",
    "PlanarFrame": "Frame(image=YuvImage)",
}
REPLACED_PATTERNS = {
    r"\bpictures?\b": "image",
    r"(?<!camvid-)(?<!coarse-)\bfilms?\b": "video",
    r"(?<!bench )\bfilm_|_films?\b|_pictures?\b|\bpicture_|Picture(?![a-z])": "image or video",
    r"(?<!have )(?<!stay )(?<!look )(?<!is )\bpainted\b": "output, processed, stylized",
    r"\bpaints\b": "processes",
    r"(?<!ground )\btruth\b": "target",
    # The fields of subtitle styles are called so.
    r"(?i)(?<!Primary)(?<!Secondary)(?<!Outline)(?<!Back)colour": "color",
    r"(?i)gr[e]y(?!er)|neighbour|\bcentr[e](d|s)?\b|licence|labelled": "gray, neighbor, center, license, labeled",
    # The folder of the test material's recognizers is called so.
    r"(?i)(normal|optim|recogn(?!isers[\"/])|quant|minim|parameter)is(e|ing|ation)": "-ize",
}
# Words that prose may use, and names may not.
REPLACED_NAMES = {
    "falling": "linear_decay",
    "game": "adversarial loss",
    "gate": "AuthMiddleware",
    "grain": "input_noise",
    "guard": "output check",
    "guards": "output check",
    "judge": "discriminator",
    "notice": "warning",
    "notices": "warnings",
    "outlet": "SinkThread",
    "overheard": "stderr capture",
    "pace": "AdaptiveResolution, or seconds of a step",
    "painter": "ImageModel",
    "relation": "MotionEstimate",
    "relate": "estimate_motion",
    "remembers": "stateful",
    "say": "notify",
    "shot": "FramePair",
    "silent": "video_only",
    "slot": "latest-value mailbox",
    "sparse": "subsample",
    "trouble": "failure kind",
    "truth": "target",
}
# These denote inputs, outputs and windows there; elsewhere they are participles of other things.
REPLACED_BY_FOLDER = {
    "given": "inputs",
    "made": "output",
    "seen": "window",
}
NUMERIC_FOLDERS = "training", "export", "vidgan/session", "vidgan/media", "vidgan/temporal"
# Each of these is one thing in vidgan, training and export: a class or function, or a module.
ONE_THING = (
    "Compositor", "JobState", "Layout", "Mask", "Palette", "Part", "Plane", "Room", "Run", "Shape",
    "Size", "Stage", "State", "Track", "best_precision", "kind_of",
)  # fmt: skip
ONE_MODULE = "clock.py", "flow.py", "labels.py", "memory.py", "painting.py"
# Modules that start other programs, or show their commands in the cards of models.
COMMAND_LINES = {
    "importer/card.py",
    "importer/exports.py",
    "jobs/speed.py",
    "tasks/style/refinement.py",
}
# Where the words may stand: this list, names of metadata in old files, the history.
ALLOWED = {
    "CHANGELOG.md",
    "docs/glossary.md",
    "tests/support/translators.py",
    "tests/test_words.py",
    "tests/training/core/test_compatibility.py",
    "training/core/compatibility.py",
    "vidgan/media/tiling.py",
}


@pytest.mark.parametrize("word", sorted(REPLACED))
def test_a_replaced_word_is_gone(word: str) -> None:
    lines = found("--word-regexp", "--fixed-strings", word)
    assert not lines, f"{REPLACED[word]} is the word: {lines[:3]}"


@pytest.mark.parametrize("pattern", sorted(REPLACED_PATTERNS))
def test_replaced_forms_are_gone(pattern: str) -> None:
    lines = found("--perl-regexp", pattern)
    assert not lines, f"{REPLACED_PATTERNS[pattern]} is the word: {lines[:3]}"


def names_in(path: Path) -> Iterator[str]:
    """Names of variables, parameters, attributes, functions and classes, without leading underscores."""
    kinds: dict[type[ast.AST], str] = {
        ast.Name: "id", ast.arg: "arg", ast.keyword: "arg", ast.Attribute: "attr",
        ast.FunctionDef: "name", ast.AsyncFunctionDef: "name", ast.ClassDef: "name",
    }  # fmt: skip
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(node, kinds.get(type(node), ""), None)
        if isinstance(name, str):
            yield name.strip("_")


def test_names_are_the_fields_own() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}: {REPLACED_NAMES[name]} is the word"
        for top in ("vidgan", "training", "export")
        for path in (ROOT / top).rglob("*.py")
        for name in set(names_in(path)) & REPLACED_NAMES.keys()
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("folder", NUMERIC_FOLDERS)
def test_inputs_and_outputs_are_called_so(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}: {REPLACED_BY_FOLDER[name]} is the word"
        for path in (ROOT / folder).rglob("*.py")
        for name in set(names_in(path)) & REPLACED_BY_FOLDER.keys()
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("name", ONE_THING)
def test_a_name_is_one_thing(name: str) -> None:
    places = [
        path
        for top in ("vidgan", "training", "export")
        for path in (ROOT / top).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if name
        in (
            getattr(node, "name", None),
            *(getattr(each, "id", None) for each in getattr(node, "targets", ())),
        )
    ]
    assert len(places) <= 1, places


@pytest.mark.parametrize("name", ONE_MODULE)
def test_a_module_is_one_thing(name: str) -> None:
    places = [path for top in ("vidgan", "training", "export") for path in (ROOT / top).rglob(name)]
    assert len(places) <= 1, places


def found(*how: str) -> list[str]:
    """Lines of the repository with a word; the test is skipped outside of a checkout."""
    done = subprocess.run(
        ["git", "grep", "-nI", *how[:-1], "-e", how[-1], "--", *FILES],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode > 1:
        pytest.skip(f"not a git checkout: {done.stderr}")
    return [line for line in done.stdout.splitlines() if line.partition(":")[0] not in ALLOWED]


def test_the_library_does_not_speak_command_line() -> None:
    """Its texts name settings as Python has them, such as `size=1080`; the command line words them as options."""
    flag = re.compile(r"(?<![\w-])--[a-z]")
    wrong = []
    for path in sorted((ROOT / "vidgan").rglob("*.py")):
        name = path.relative_to(ROOT / "vidgan").as_posix()
        if name.startswith("cli/") or name in COMMAND_LINES:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        allowed = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
        for keyword in ast.walk(tree):
            # The help of an option, and its second name.
            if isinstance(keyword, ast.keyword) and keyword.arg in ("help", "short"):
                allowed |= {id(each) for each in ast.walk(keyword.value)}
        wrong += [
            f"{name}:{node.lineno}: {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in allowed
            if flag.search(node.value)
        ]
    assert not wrong, wrong


def test_docstrings_are_sentences() -> None:
    """No docstring begins with a fragment such as "Of …" or "What …"."""
    fragment = re.compile(r'^\s*"""(Of|What)\b')
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for top in ("vidgan", "training", "export")
        for path in (ROOT / top).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if fragment.match(line)
    ]
    assert not found, found


def test_lines_are_short() -> None:
    """At most 120 characters in code and prose, apart from tables and addresses."""
    found = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > 120 and not line.startswith(("|", "    ")) and "](" not in line:
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found, found
