"""Styles of images: predicted, folded and quantized once, then kept in the user's data folder."""

import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidgan.errors import InputError, ModelError
from vidgan.models.names import check_new_name
from vidgan.models.registry import ModelSpec, Precision, folder_of_model, model_in
from vidgan.models.store import install, name_for, user_data
from vidgan.models.universal.folding import (
    VECTOR,
    VERSION,
    Vector,
    is_complete,
    keep_style,
    read_vector,
    write_style,
)
from vidgan.models.universal.generator import PREDICTOR
from vidgan.models.universal.installation import find_universal, universal_folder, version_of
from vidgan.models.universal.named_styles import named_styles, named_vector
from vidgan.session.style_predictor import predict_style
from vidgan.sources import READABLE_SUFFIXES
from vidgan.tasks.style.painting import check_painting, read_painting

FIDELITY = 0.5
"""How much of photos is kept, 0 to 1; what the universal model is measured with."""

_FORMAT = 1
"""Changes where the files of a kept style change for another reason than their contents."""

_MODELS = ".onnx", ".pth", ".pt", ".ckpt", ".safetensors"
_MOVING = ".gif", ".apng"

StyleShare = tuple[str, float]
"""An image, or the name of a style with a vector, and its share."""


@dataclass(frozen=True)
class MadeStyle:
    """A style made of images.

    Attributes:
        folder: its files, as those of a bundled style.
        warnings: what was done, where something was, and remarks about the images then.
    """

    folder: Path
    warnings: tuple[str, ...]

    def spec(self, precision: Precision) -> ModelSpec:
        """One of its variants."""
        return replace(model_in(self.folder, precision), warnings=self.warnings)


def is_image(style: str) -> bool:
    """Whether the text stands for an image rather than a model's name or file."""
    path = Path(style)
    if path.suffix.lower() in _MODELS or folder_of_model(style) is not None or style in named_styles():
        return False
    return path.suffix.lower() in READABLE_SUFFIXES.union(_MOVING) or path.is_file()


def is_made(style: str) -> bool:
    """Whether the text stands for a style that has to be made: of an image, or of a style vector with a name."""
    return is_image(style) or style in named_styles()


def has_vector(style: str) -> bool:
    """Whether a style can be mixed with others before it is folded."""
    return is_image(style) or _vector_of(style) is not None


def style_of(parts: Sequence[StyleShare], *, stroke: float = 1.0, root: Path | None = None) -> MadeStyle:
    """The style of an image, or of several whose style vectors are mixed.

    Args:
        parts: shares add up to 1.
        stroke: size of strokes, 1 for the usual.
        root: folder of kept styles; None for that in the user's data folder.

    Raises:
        InputError: an image cannot be read.
        ModelError: the universal style model is not installed, or damaged.
        OutputError: the style cannot be kept.
    """
    for style, _ in parts:
        if is_image(style):
            check_painting(Path(style))
    universal = find_universal(parts[0][0])
    key = _key(universal, parts, stroke)
    folder = (user_data() / "styles" if root is None else root) / key
    if is_complete(folder):
        return MadeStyle(folder, ())
    started = time.perf_counter()
    vector, warnings = _vector(universal, parts, stroke)
    keep_style(universal, vector, _facts(parts, stroke), folder)
    seconds = time.perf_counter() - started
    return MadeStyle(folder, (*warnings, f"{_words(parts)}: style made in {seconds:.1f} s, kept as {folder}"))


def add_image(
    path: Path, name: str | None, *, title: str | None = None, stroke: float = 1.0, overwrite: bool = False
) -> MadeStyle:
    """Makes the style of an image one of the user's models, under a name.

    Raises:
        InputError, ModelError, OutputError: as of :func:`style_of`; the name is taken.
    """
    check_painting(path)
    name = check_new_name(name or name_for(path), overwrite=overwrite)
    universal, parts = find_universal(str(path)), [(str(path), 1.0)]
    vector, warnings = _vector(universal, parts, stroke)
    facts = _facts(parts, stroke) | {"name": name}
    with tempfile.TemporaryDirectory(prefix="vidgan-style-") as place:
        write_style(universal, vector, facts | ({"title": title} if title else {}), Path(place))
        return MadeStyle(install(Path(place), name, overwrite=overwrite), tuple(warnings))


def _vector(universal: Path, parts: Sequence[StyleShare], stroke: float) -> tuple[Vector, list[str]]:
    """The mixed style vector, and remarks about the images."""
    total: Vector | None = None
    warnings = []
    for style, share in parts:
        if is_image(style):
            painting, remarks = read_painting(Path(style), stroke=stroke)
            vector = predict_style(universal / PREDICTOR, painting, fidelity=FIDELITY)
            warnings += remarks
        else:
            found = _vector_of(style)
            if found is None:
                raise ModelError(f"{style}: has no style vector of the universal style model in use")
            vector = found
        if total is not None and total.shape != vector.shape:
            raise ModelError(f"{style}: its style vector is of another universal style model")
        total = np.float32(share) * vector if total is None else total + np.float32(share) * vector
    assert total is not None
    return total, warnings


def _vector_of(style: str) -> Vector | None:
    """The vector of an added style that the universal model in use has made, or that comes with that model."""
    universal = universal_folder()
    if universal is None:
        return None
    folder = folder_of_model(style)
    if folder is not None and (folder / VECTOR).is_file():
        same = model_in(folder, "int8").facts.get(VERSION) == version_of(universal)
        return read_vector(folder / VECTOR) if same else None
    return named_vector(universal, style)


def _key(universal: Path, parts: Sequence[StyleShare], stroke: float) -> str:
    """A checksum of everything that decides the style."""
    digest = hashlib.sha256(f"{_FORMAT} {version_of(universal)} {stroke:g} {FIDELITY:g}".encode())
    for content, share in sorted((_checksum(style), share) for style, share in parts):
        digest.update(f" {content} {share:.6g}".encode())
    return digest.hexdigest()[:32]


def _checksum(style: str) -> str:
    if not is_image(style):
        vector = _vector_of(style)
        return "" if vector is None else hashlib.sha256(vector.tobytes()).hexdigest()
    path = Path(style)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc.strerror or exc}") from exc


def _facts(parts: Sequence[StyleShare], stroke: float) -> dict[str, str]:
    names = [name_for(Path(style)) for style, _ in parts]
    named = named_styles().get(parts[0][0]) if len(parts) == 1 else None
    title = f"Style of {_words(parts)}" if named is None else named.line
    facts = {"name": "-".join(names)[:64], "title": title}
    return facts | ({} if stroke == 1 else {"stroke": f"{stroke:g}"})


def _words(parts: Sequence[StyleShare]) -> str:
    if len(parts) == 1:
        return Path(parts[0][0]).name
    return " and ".join(f"{Path(style).name} ({share:.0%})" for style, share in parts)
