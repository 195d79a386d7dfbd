"""``vidgan models add``: a foreign file becomes one of the user's models."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vidgan.errors import ModelError, ModelNotFoundError
from vidgan.importer.card import Findings
from vidgan.importer.convention import Hints
from vidgan.importer.examination import SHEET, Request
from vidgan.importer.process import as_entries, run_child
from vidgan.models.names import check_new_name
from vidgan.models.store import install, name_for

WEIGHTS = ".pth", ".pt", ".ckpt", ".safetensors"
"""Suffixes of PyTorch's weights, which become ONNX first."""

_CHILD = "vidgan.importer.child"
_CONVERTER = "vidgan.importer.torch_weights"


class UnclearConventionError(ModelError):
    """More than one convention makes an image of what the model returns.

    Attributes:
        choices: the conventions, the likeliest first.
        sheet: an image with what each of them makes of a photo.
    """

    def __init__(self, message: str, choices: list[str], sheet: Path) -> None:
        super().__init__(message)
        self.choices, self.sheet = choices, sheet


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a model that is added; see :class:`~vidgan.importer.examination.Request`."""

    name: str | None = None
    task: str | None = None
    title: str | None = None
    license: str | None = None
    hints: Hints = field(default_factory=Hints)
    settings: Mapping[str, str] = field(default_factory=dict)
    choose: int | None = None
    best: bool = False
    look: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Added:
    """A model that was added.

    Attributes:
        folder: where it is.
        findings: what was found out of it.
        warnings: what else the user should know.
    """

    folder: Path
    findings: Findings
    warnings: list[str]


def add_model(file: Path, options: Options, *, on_step: Callable[[str], None] = lambda _: None) -> Added:
    """Examines a model file, wraps it into vidgan's contract and keeps it in the user's data folder.

    Whatever parses or runs the file does so in a process of its own, with limits on its CPU time and memory.

    Args:
        file: ONNX, or PyTorch weights of an architecture that spandrel knows.
        options: what is known of it.
        on_step: called with each step of the examination, before it begins.

    Raises:
        ModelNotFoundError: there is no such file.
        UnclearConventionError: the user has to choose a convention.
        ModelError: the file cannot be used, with the reason, or the name is taken.
        OutputError: the user's data folder cannot be written.
    """
    if not file.is_file():
        raise ModelNotFoundError(f"{file}: no such model file")
    name = check_new_name(options.name or name_for(file), overwrite=options.overwrite)
    try:
        with tempfile.TemporaryDirectory(prefix="vidgan-add-") as place:
            return _added(file, name, options, Path(place), on_step)
    except UnclearConventionError:
        raise
    except ModelError as exc:
        text = str(exc).removeprefix(f"{file.absolute()}: ")
        raise ModelError(text if text.startswith(str(file)) else f"{file}: {text}") from exc


def _added(file: Path, name: str, options: Options, place: Path, on_step: Callable[[str], None]) -> Added:
    request = Request(
        file=str(file.absolute()),
        name=name,
        task=options.task,
        title=options.title,
        license=options.license,
        hints=options.hints,
        settings=dict(options.settings),
        choose=options.choose,
        best=options.best,
        look=options.look,
    )
    warnings: list[str] = []
    entries = as_entries(request)
    if file.suffix.lower() in WEIGHTS:
        entries, warnings = _converted(file, entries, place / "converted", on_step)
    folder = place / "model"
    folder.mkdir()
    answer = run_child(_CHILD, folder, entries, on_step)
    if "ask" in answer:
        raise _unclear(file, name, answer["ask"], folder)
    found = Findings(**{key: _tuple(value) for key, value in answer["findings"].items()})
    return Added(install(folder, name, overwrite=options.overwrite), found, warnings)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _converted(
    file: Path, entries: dict[str, Any], folder: Path, on_step: Callable[[str], None]
) -> tuple[dict[str, Any], list[str]]:
    """The request for the ONNX form of PyTorch weights; their convention is spandrel's, RGB from 0 to 1."""
    folder.mkdir()
    answer = run_child(_CONVERTER, folder, {"file": entries["file"]}, on_step)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    hints = {"range_in": "0..1", "range_out": "0..1", "order_in": "rgb", "order_out": "rgb"}
    given = {key: value for key, value in entries["hints"].items() if value is not None}
    changed = {
        "file": str(folder / answer["onnx"]),
        "origin": (file.name, digest),
        "hints": hints | given,
        "task": entries["task"] or answer["task"],
    }
    words = f"{answer['architecture']}, converted from PyTorch: {answer['parity']}"
    return entries | changed, [words]


def _unclear(file: Path, name: str, choices: list[str], folder: Path) -> UnclearConventionError:
    import platformdirs

    kept = platformdirs.user_cache_path("vidgan", appauthor=False) / "conventions" / f"{name}.png"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes((folder / SHEET).read_bytes())
    message = (
        f"{file}: {len(choices)} conventions come into question, see {kept}; "
        f"`choose` takes the number of the right one, 1 to {len(choices)}"
    )
    return UnclearConventionError(message, choices, kept)
