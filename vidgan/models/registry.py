"""Descriptions of model files, and finding a model by name.

A model is one ``.onnx`` file. Everything that the runtime must know stands in its metadata, under
keys that begin with ``vidgan.``, so that new weights for a known task need no code.
"""

import contextlib
import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from vidgan.errors import ModelError, ModelNotFoundError, ModelTaskError
from vidgan.media.label_map import RgbColor
from vidgan.models.onnx_file import OnnxFile, read_onnx
from vidgan.models.other_files import media_type, what_it_is
from vidgan.models.store import user_models

Precision = Literal["float32", "float16", "int8"]
TensorLayout = Literal["rgb", "yuv420"]

BUNDLED = Path(__file__).parent
UNIVERSAL = "any"
"""Name of the folder of the universal style model, whose files are templates and no models."""

_PREFIX = "vidgan."
_WEIGHTS = ".pth", ".pt", ".ckpt", ".safetensors"
_MOST_CLASSES = 255
_MOST_CHANNELS = 1024
_SCALED = re.compile(r"(.+)-x\d")
_NUMBER = re.compile(r"\d{1,6}")
_MAX_SCALE = 8
_MOST_SIDE = 8192


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
        layout: of the images that it takes and returns: RGB, or luma and chroma, see
            :class:`vidgan.media.image.YuvImage`.
        scale: how many times as long the sides of its images become.
        receptive_field: pixels round one that its output depends on; None if the file does not say.
        bytes_per_input_pixel: memory that a run takes; None likewise.
        planar: the same model for the other layout, if its file lies beside an RGB one.
        classes: names and colors of label maps, in the order of their indices; none where there are none.
        state_channels: channels of the recurrent state, ``(N, channels, H, W)`` with
            sides that are multiples of ``stride``; 0 for a stateless model.
        fixed_size: rows and columns of the only size that it takes; None for any.
        multiple: rows and columns that tiles of a larger image have to begin at multiples of.
        side: about how long the shorter side of images is that it was trained for; None for any.
        warnings: what the user should know of how it was made.
    """

    file: OnnxFile
    name: str
    task: str
    precision: Precision
    title: str
    license: str
    layout: TensorLayout = "rgb"
    scale: int = 1
    receptive_field: int | None = None
    bytes_per_input_pixel: int | None = None
    planar: "ModelSpec | None" = None
    classes: tuple[tuple[str, RgbColor], ...] = ()
    state_channels: int = 0
    stride: int = 1
    side: int | None = None
    fixed_size: tuple[int, int] | None = None
    multiple: tuple[int, int] = (1, 1)
    warnings: tuple[str, ...] = ()

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
        raise ModelError(
            f"{path}: the model does not say what it is for; if others made it, 'vidgan models add {path}' adds it"
        )
    task, precision = meta[f"{_PREFIX}task"], meta.get(f"{_PREFIX}precision", "float32")
    if precision not in get_args(Precision):
        raise ModelError(f"{path}: unknown precision {precision!r}")
    layout = meta.get(f"{_PREFIX}layout", "rgb")
    if layout not in get_args(TensorLayout):
        raise ModelError(f"{path}: unknown layout of images {layout!r}")
    scale = _number(file, "scale") or 1
    if (scale == 1) == (task == "upscale") or scale > _MAX_SCALE:
        raise ModelError(f"{path}: made for {task}, which does not go with a scale of {scale}")
    return ModelSpec(
        file=file,
        name=meta.get(f"{_PREFIX}name", path.stem),
        task=task,
        precision=precision,  # type: ignore[arg-type]
        title=meta.get(f"{_PREFIX}title", ""),
        license=meta.get(f"{_PREFIX}license", "unknown"),
        layout=layout,  # type: ignore[arg-type]
        scale=scale,
        receptive_field=_number(file, "receptive_field", "reach"),
        bytes_per_input_pixel=_number(file, "bytes_per_input_pixel", "memory"),
        classes=_classes(file),
        state_channels=_state_channels(file),
        stride=_number(file, "stride") or 1,
        side=_number(file, "side"),
        fixed_size=_pair(file, "fixed_size"),
        multiple=_pair(file, "multiple") or (1, 1),
    )


def bundled_models(task: str) -> list[str]:
    """Names of the models for that task that came with vidgan, sorted."""
    return [name for name in bundled_names() if read_model(_files(BUNDLED / name)[-1]).task == task]


def bundled_names() -> list[str]:
    """Names of all models that came with vidgan, sorted."""
    return _in(BUNDLED)


def added_models(task: str | None = None) -> list[str]:
    """Names of the user's own models for that task, or for any, sorted; those that can be read."""
    names = []
    for name in _in(user_models()):
        with contextlib.suppress(ModelError):
            if task in (None, read_model(_files(user_models() / name)[0]).task):
                names.append(name)
    return names


def bundled_upscalers() -> list[str]:
    """Names that :func:`find_upscalers` knows: ``swift`` for ``swift-x2`` and ``swift-x4``."""
    names = (_SCALED.fullmatch(name) for name in bundled_models("upscale"))
    return sorted({found[1] for found in names if found})


def members_of(name: str) -> list[str]:
    """The models that a name stands for: those of a family such as ``swift``, or the one of that name."""
    known = [*bundled_names(), *_in(user_models())]
    return [each for each in known if (found := _SCALED.fullmatch(each)) and found[1] == name] or [name]


def card_of(name: str) -> str:
    """The card of a model, or those of a family, Markdown.

    Args:
        name: of a bundled model or of one of the user's, of a family, or the path of an ``.onnx`` file.

    Raises:
        ModelNotFoundError: no such model.
        ModelError: the file says nothing of itself.
    """
    if _is_path(name):
        path = Path(name)
        spec = find_model(name, precision="float32")
        beside = path.with_name("card.md")
        return beside.read_text(encoding="utf-8") if beside.is_file() else short_card(spec)
    return "\n".join((_folder(each) / "card.md").read_text(encoding="utf-8") for each in members_of(name))


def short_card(spec: ModelSpec) -> str:
    """A card made from a file's metadata."""
    rows = "\n".join(f"| {key} | {value} |" for key, value in spec.facts.items())
    return f"# {spec.name}\n\n{spec.title}\n\n| | |\n|---|---|\n{rows}\n"


def find_model(
    name_or_path: str, *, precision: Precision, task: str | None = None, others: Sequence[str] = ()
) -> ModelSpec:
    """The model of that name, or in that file.

    Args:
        name_or_path: the name of a bundled model or of one of the user's, or the path of an ``.onnx`` file.
        precision: which variant of a bundled model is wanted; a file is taken as it is.
        task: what it has to be for; None for any.
        others: further names, of what is no model file; for the message where nothing is found.

    Raises:
        ModelNotFoundError: neither a name nor a file.
        ModelError: see :func:`read_model`, or it is for another task.
    """
    spec = _found(name_or_path, precision, task, others)
    if task is not None and spec.task != task:
        raise ModelTaskError(f"{name_or_path}: made for {spec.task}, not for {task}", spec.task)
    return spec


def find_upscalers(name_or_path: str, *, precision: Precision) -> list[ModelSpec]:
    """The upscalers of that name, the smallest scale first.

    Args:
        name_or_path: one of :func:`bundled_upscalers`, or one of its models (``swift-x2``), or the path of an
            ``.onnx`` file.
        precision: as in :func:`find_model`.

    Raises:
        ModelNotFoundError: neither a name nor a file.
        ModelError: see :func:`read_model`, or it does something else.
    """
    specs = [find_model(each, precision=precision, task="upscale") for each in members_of(name_or_path)]
    return sorted(specs, key=lambda spec: spec.scale)


def reaching(specs: Sequence[ModelSpec], factor: float) -> ModelSpec:
    """The first that makes sides so many times as long, or more.

    Args:
        specs: the smallest scale first.

    Raises:
        ModelError: there is none.
    """
    spec = next((each for each in specs if each.scale >= factor), None)
    if spec is None:
        most = specs[-1]
        raise ModelError(
            f"{most.file.path}: enlarges {most.scale} times, and {factor:.3g} are asked for; "
            "choose a smaller `scale` or `height`, or another `model`"
        )
    return spec


def _found(name_or_path: str, precision: Precision, task: str | None, others: Sequence[str]) -> ModelSpec:
    if _is_path(name_or_path):
        path = Path(name_or_path)
        if not path.is_file():
            raise ModelNotFoundError(f"{path}: no such model file")
        if path.suffix.lower() in _WEIGHTS:
            raise ModelError(
                f"{path}: holds PyTorch weights; 'vidgan models add {path}' makes a model of them"
            )
        return _with_planar(read_model(path))
    return model_in(_folder(name_or_path, task, others), precision)


def model_in(folder: Path, precision: Precision) -> ModelSpec:
    """The model whose variants are in a folder, in that precision or the most precise one that is there.

    Raises:
        ModelNotFoundError: there is none.
        ModelError: see :func:`read_model`.
    """
    files = _files(folder)
    if not files:
        raise ModelNotFoundError(f"{folder}: has no model files")
    return _with_planar(read_model(next((each for each in files if each.stem == precision), files[0])))


def folder_of_model(name: str) -> Path | None:
    """The folder of a model by its name, bundled or the user's; None where there is none of that name."""
    return next((place / name for place in (BUNDLED, user_models()) if name in _in(place)), None)


def _is_path(name_or_path: str) -> bool:
    return name_or_path.lower().endswith((".onnx", *_WEIGHTS))


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


def _in(place: Path) -> list[str]:
    """Names of the models whose folders are there, sorted."""
    with contextlib.suppress(OSError):
        return sorted(each.name for each in place.iterdir() if each.name != UNIVERSAL and _files(each))
    return []


def _files(folder: Path) -> list[Path]:
    """Files of a model for RGB, the most precise first."""
    return [path for precision in get_args(Precision) if (path := folder / f"{precision}.onnx").is_file()]


def _folder(name: str, task: str | None = None, others: Sequence[str] = ()) -> Path:
    folder = folder_of_model(name)
    if folder is not None:
        return folder
    if Path(name).exists():
        raise ModelNotFoundError(f"{name}: {what_it_is(Path(name))}")
    if media_type(name) is not None:
        raise ModelNotFoundError(f"{name}: no such file")
    if task not in (None, "upscale") and name in bundled_upscalers():
        raise ModelTaskError(f"{name}: made for upscale, not for {task}", "upscale")
    names = bundled_upscalers() if task == "upscale" else bundled_models(task) if task else bundled_names()
    names += [*added_models(task), *others]
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    what = {"style": "style", "upscale": "upscaler"}.get(task or "", "model")
    raise ModelNotFoundError(f"no {what} called {name!r}; {hint}there are {', '.join(names) or 'none'}")


def _number(file: OnnxFile, key: str, former: str | None = None) -> int | None:
    """A number of the metadata.

    Args:
        former: what older files call it.
    """
    text = file.metadata.get(f"{_PREFIX}{key}")
    if text is None:
        return None if former is None else _number(file, former)
    if not _NUMBER.fullmatch(text):
        raise ModelError(f"{file.path}: says {text!r} of its {key}, which is no whole number")
    return int(text)


def _pair(file: OnnxFile, key: str) -> tuple[int, int] | None:
    text = file.metadata.get(f"{_PREFIX}{key}")
    if text is None:
        return None
    try:
        rows, columns = json.loads(text)
        right = all(isinstance(each, int) and 0 < each <= _MOST_SIDE for each in (rows, columns))
    except (ValueError, TypeError, RecursionError):
        right = False
    if not right:
        raise ModelError(f"{file.path}: says {text[:40]!r} of its {key}, which is no pair of sizes")
    return rows, columns


def _classes(file: OnnxFile) -> tuple[tuple[str, RgbColor], ...]:
    text = file.metadata.get(f"{_PREFIX}classes")
    if text is None:
        return ()
    try:
        found = tuple((str(name), (int(r), int(g), int(b))) for name, (r, g, b) in json.loads(text))
    except (ValueError, TypeError, RecursionError):
        found = ()
    right = all(0 <= level < 256 for _, color in found for level in color)
    if not right or not 0 < len({color for _, color in found}) == len(found) <= _MOST_CLASSES:
        raise ModelError(f"{file.path}: what it says of its classes is no list of names and colors")
    return found


def _state_channels(file: OnnxFile) -> int:
    """Channels of the recurrent state; older files call it ``past``."""
    text = file.metadata.get(f"{_PREFIX}state")
    if text is None:
        return 0
    try:
        (name, (channels, divisor)), *others = json.loads(text).items()
        right = (
            name in ("past", "state") and divisor == 1 and not others and 0 < int(channels) <= _MOST_CHANNELS
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        right = False
    if not right:
        raise ModelError(
            f"{file.path}: says {text[:80]!r} of its recurrent state, which vidgan does not know"
        )
    return int(channels)


def _decoded(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return value
