"""Exports of vidgan's own, which ``vidgan models add`` keeps as they are.

``python -m vidgan.importer.exports FOLDER`` is the process that runs them, with the protocol of
:mod:`vidgan.importer.child`.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import onnx

from vidgan.errors import ModelError, VidganError
from vidgan.importer.child import messages
from vidgan.importer.process import run_child
from vidgan.importer.trial_run import run_once
from vidgan.models.names import check_new_name
from vidgan.models.onnx_file import read_onnx
from vidgan.models.registry import ModelSpec, Precision, find_model, read_model, short_card
from vidgan.models.store import install
from vidgan.session.limits import set_limits

_CHILD = "vidgan.importer.exports"
_MOST_CARD_BYTES = 1 << 16


def is_export(file: Path) -> bool:
    """Whether a file has vidgan's metadata, whatever else may be wrong with it."""
    try:
        return "vidgan.task" in read_onnx(file).metadata
    except ModelError:
        return False


@dataclass(frozen=True)
class AddedExport:
    """An export that was added.

    Attributes:
        folder: where it is.
        name: to call it by.
        task: what it is for.
        title, license: as its card has them.
        files: names of its variants' files.
        command: one that uses it.
    """

    folder: Path
    name: str
    task: str
    title: str
    license: str
    files: list[str]
    command: str


def add_export(
    file: Path,
    name: str | None = None,
    *,
    title: str | None = None,
    license: str | None = None,
    overwrite: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> AddedExport:
    """Keeps a model of ``python -m export`` in the user's data folder, as it is but for its name.

    The variants beside the file come along: other precisions, where the file is named by its own, and the one for
    luma and chroma. A process of its own runs all of them first, with limits on its CPU time and memory.

    Args:
        file: a model file with vidgan's metadata.
        name: to call it by; None for the one that the file has.
        title, license: instead of those in the file.
        on_step: called with each step, before it begins.

    Raises:
        ModelError: a file cannot be used, with the reason, or the name is taken.
        OutputError: the user's data folder cannot be written.
    """
    if not is_export(file):
        raise ModelError(f"{file}: has no metadata of vidgan's")
    name = check_new_name(name or read_model(file).name, overwrite=overwrite)
    given = {"name": name, "title": title, "license": license}
    try:
        with tempfile.TemporaryDirectory(prefix="vidgan-add-") as place:
            request = {"file": str(file.absolute()), **given}
            answer = run_child(_CHILD, Path(place), request, on_step)
            return AddedExport(install(Path(place), name, overwrite=overwrite), name, **answer)
    except ModelError as exc:
        text = str(exc)
        raise ModelError(text if text.startswith(str(file.parent)) else f"{file}: {text}") from exc


def main() -> None:
    folder, entries = Path(sys.argv[1]), json.loads(sys.stdin.readline())
    send = messages()
    file = Path(entries.pop("file"))
    send({"step": "reading"})
    try:
        variants = _variants(file)
        set_limits(max(len(spec.file.data) for spec in variants))
        send(_kept(file, variants, folder, entries, lambda step: send({"step": step})))
    except VidganError as exc:
        send({"error": str(exc)})
    except Exception as exc:  # As of foreign files.
        send({"error": f"cannot be added: {type(exc).__name__}: {' '.join(str(exc).split())[:200]}"})


def _variants(file: Path) -> list[ModelSpec]:
    """The model in a file, and the same one in other precisions beside it."""
    given = find_model(str(file), precision="float32")
    precisions = get_args(Precision)
    if file.stem not in precisions:
        return [given]
    others = [file.with_name(f"{each}.onnx") for each in precisions if each != file.stem]
    beside = [find_model(str(each), precision="float32") for each in others if is_export(each)]
    return [given, *(each for each in beside if _is_same(each, given))]


def _is_same(one: ModelSpec, other: ModelSpec) -> bool:
    same_model = (one.name, one.task, one.scale, one.classes) == (
        other.name,
        other.task,
        other.scale,
        other.classes,
    )
    return same_model and one.precision != other.precision


def _kept(
    file: Path,
    variants: list[ModelSpec],
    folder: Path,
    given: dict[str, str | None],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Runs the variants on a small image and writes them into a folder."""
    from vidgan.session import Session
    from vidgan.tasks import task_named

    task = task_named(variants[0].task)
    entries = {f"vidgan.{key}": value for key, value in given.items() if value is not None}
    for spec in variants:
        tell(f"running {spec.file.path.name}")
        task.check_model(Session(spec, device="cpu"))
        run_once(spec.file.data)
        _write(spec, folder / f"{spec.precision}.onnx", entries)
        if spec.planar is not None:
            run_once(spec.planar.file.data)
            _write(spec.planar, folder / f"{spec.precision}-yuv420.onnx", entries)
    files = sorted(path.name for path in folder.iterdir())
    added = read_model(folder / f"{variants[0].precision}.onnx")
    (folder / "card.md").write_text(_card(file.with_name("card.md"), added), encoding="utf-8")
    option = "--style" if task.model_field == "style" else "--model"
    return {
        "task": task.name,
        "title": added.title,
        "license": added.license,
        "files": files,
        "command": f"vidgan {task.verb} in.mp4 {option} {added.name}",
    }


def _write(spec: ModelSpec, path: Path, entries: dict[str, str]) -> None:
    """The file to the byte, unless an entry of its metadata changes."""
    data = spec.file.data
    if any(spec.file.metadata.get(key) != value for key, value in entries.items()):
        model = onnx.load_from_string(data)
        onnx.helper.set_model_props(model, {**spec.file.metadata, **entries})
        data = model.SerializeToString()
    path.write_bytes(data)
    read_onnx(path)


def _card(beside: Path, added: ModelSpec) -> str:
    """The card that lies beside the file, under the name that the model has now; else its metadata."""
    try:
        with beside.open("rb") as file:
            text = file.read(_MOST_CARD_BYTES).decode(errors="replace")
    except OSError:
        return short_card(added)
    plain = "".join(each if each.isprintable() or each == "\n" else " " for each in text)
    heading, _, rest = plain.partition("\n")
    return f"# {added.name}\n{rest}" if heading.startswith("# ") else plain


if __name__ == "__main__":
    main()
