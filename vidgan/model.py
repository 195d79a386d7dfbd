"""What a model file says of itself, and finding a model by name.

A model is one ``.onnx`` file. Everything that the runtime must know stands in its metadata, under
keys that begin with ``vidgan.``, so that new weights for a known task need no code.
"""

import difflib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from vidgan.errors import ModelError, ModelNotFoundError
from vidgan.onnx_file import OnnxFile, read_onnx

Task = Literal["style"]
Precision = Literal["float32", "float16", "int8"]
Layout = Literal["rgb", "yuv420"]

BUNDLED = Path(__file__).parent / "models"
_PREFIX = "vidgan."


@dataclass(frozen=True)
class ModelSpec:
    """A model's description of itself.

    Attributes:
        file: the file's bytes and raw metadata.
        name: what to call it, e.g. ``"starry"``.
        task: what it does to a frame.
        precision: of its weights and arithmetic.
        title: one line about it, for lists.
        license: terms of the weights.
        layout: of the pictures that it takes and returns: RGB, or luma and chroma, see
            :class:`vidgan.planes.Planes`.
        planar: the same model for the other layout, if its file lies beside an RGB one.
    """

    file: OnnxFile
    name: str
    task: Task
    precision: Precision
    title: str
    license: str
    layout: Layout = "rgb"
    planar: "ModelSpec | None" = None

    @cached_property
    def facts(self) -> dict[str, object]:
        """All metadata of vidgan's, without the prefix; values that are JSON are decoded."""
        return {
            key.removeprefix(_PREFIX): _decoded(value)
            for key, value in sorted(self.file.metadata.items())
            if key.startswith(_PREFIX)
        }


def read_model(path: Path) -> ModelSpec:
    """Reads a model file's description.

    Raises:
        ModelError: unreadable, damaged, unsafe, or without vidgan's metadata.
    """
    file = read_onnx(path)
    meta = file.metadata
    if f"{_PREFIX}task" not in meta:
        raise ModelError(f"{path}: the model does not say what it is for; export it with 'python -m export'")
    task, precision = meta[f"{_PREFIX}task"], meta.get(f"{_PREFIX}precision", "float32")
    if task not in get_args(Task):
        raise ModelError(f"{path}: made for the task {task!r}, which this version of vidgan does not know")
    if precision not in get_args(Precision):
        raise ModelError(f"{path}: unknown precision {precision!r}")
    layout = meta.get(f"{_PREFIX}layout", "rgb")
    if layout not in get_args(Layout):
        raise ModelError(f"{path}: unknown layout of pictures {layout!r}")
    return ModelSpec(
        file=file,
        name=meta.get(f"{_PREFIX}name", path.stem),
        task=task,  # type: ignore[arg-type]
        precision=precision,  # type: ignore[arg-type]
        title=meta.get(f"{_PREFIX}title", ""),
        license=meta.get(f"{_PREFIX}license", "unknown"),
        layout=layout,  # type: ignore[arg-type]
    )


def bundled_models() -> list[str]:
    """Names of the models that came with vidgan, sorted."""
    return sorted(folder.name for folder in BUNDLED.iterdir() if any(folder.glob("*.onnx")))


def card_of(name: str) -> str:
    """The card of a bundled model, Markdown.

    Raises:
        ModelNotFoundError: no such model.
    """
    return (_folder(name) / "card.md").read_text(encoding="utf-8")


def find_model(name_or_path: str, *, precision: Precision) -> ModelSpec:
    """The model of that name, or in that file.

    Args:
        name_or_path: a bundled model's name, or the path of an ``.onnx`` file.
        precision: which variant of a bundled model is wanted; a file is taken as it is.

    Raises:
        ModelNotFoundError: neither a name nor a file.
        ModelError: see :func:`read_model`.
    """
    if name_or_path.lower().endswith(".onnx"):
        path = Path(name_or_path)
        if not path.is_file():
            raise ModelNotFoundError(f"{path}: no such model file")
        return _with_planar(read_model(path))
    folder = _folder(name_or_path)
    wanted = folder / f"{precision}.onnx"
    return _with_planar(read_model(wanted if wanted.is_file() else min(folder.glob("*.onnx"))))


def _with_planar(spec: ModelSpec) -> ModelSpec:
    path = spec.file.path
    if spec.layout != "rgb":
        raise ModelError(f"{path}: is the variant for luma and chroma; give the RGB one beside it")
    beside = path.with_name(f"{path.stem}-yuv420.onnx")
    if not beside.is_file():
        return spec
    planar = read_model(beside)
    same = (planar.name, planar.task, planar.precision) == (spec.name, spec.task, spec.precision)
    return replace(spec, planar=planar) if same and planar.layout == "yuv420" else spec


def precise_variant(spec: ModelSpec) -> ModelSpec | None:
    """The same model in float32, where its file lies beside; None if it does not, or is that one."""
    path = spec.file.path.with_name("float32.onnx")
    if spec.precision == "float32" or not path.is_file():
        return None
    variant = read_model(path)
    return variant if (variant.name, variant.task) == (spec.name, spec.task) else None


def _folder(name: str) -> Path:
    names = bundled_models()
    if name in names:
        return BUNDLED / name
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ModelNotFoundError(f"no style called {name!r}; {hint}there are {', '.join(names) or 'none'}")


def _decoded(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value
