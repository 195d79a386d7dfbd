"""A style vector becomes a folder like that of a bundled style."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError, OutputError
from vidgan.models.universal.generator import TEMPLATES, UniversalGenerator
from vidgan.models.universal.installation import version_of

VECTOR = "vector.npy"
VERSION = "universal"
"""Fact of a style's files: :func:`~vidgan.models.universal.installation.version_of` its generator."""

Vector = NDArray[np.float32]


def write_style(universal: Path, vector: Vector, facts: Mapping[str, str], folder: Path) -> None:
    """Writes the model files of a style, its vector and a card into a folder that exists.

    Args:
        universal: folder of the universal generator.
        facts: what the files say of themselves, ``name`` and ``title`` among them.

    Raises:
        ModelError: the universal generator is damaged, or the vector is of another one.
        OutputError: the folder cannot be written.
    """
    generator = UniversalGenerator(universal)
    told = dict(facts) | {VERSION: version_of(universal)}
    try:
        for name in TEMPLATES:
            (folder / f"{name}.onnx").write_bytes(_model(generator, vector, name, told))
        np.save(folder / VECTOR, np.asarray(vector, np.float32))
        (folder / "card.md").write_text(_card(told), encoding="utf-8")
    except OSError as exc:
        raise OutputError(f"{folder}: cannot keep the style there: {exc.strerror or exc}") from exc


def keep_style(universal: Path, vector: Vector, facts: Mapping[str, str], folder: Path) -> Path:
    """The same into a folder that appears when it is complete; one that is there already stays.

    Raises:
        ModelError, OutputError: as of :func:`write_style`.
    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        beside.mkdir(parents=True, exist_ok=True)
        write_style(universal, vector, facts, beside)
        if not is_complete(folder):
            shutil.rmtree(folder, ignore_errors=True)
            beside.rename(folder)
    except OSError as exc:
        # Another process may have kept the same style meanwhile.
        if not is_complete(folder):
            raise OutputError(f"{folder}: cannot keep the style there: {exc.strerror or exc}") from exc
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def is_complete(folder: Path) -> bool:
    """Whether a folder has all files of a style."""
    return all((folder / name).is_file() for name in (*(f"{each}.onnx" for each in TEMPLATES), VECTOR))


def read_vector(path: Path) -> Vector | None:
    """The style vector in a file; None where there is none that can be read."""
    try:
        vector = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    right = isinstance(vector, np.ndarray) and vector.dtype == np.float32 and vector.ndim == 1
    return vector if right else None


def _model(generator: UniversalGenerator, vector: Vector, name: str, facts: Mapping[str, str]) -> bytes:
    try:
        data: bytes = generator.model(vector, name, facts=facts).SerializeToString()
    except ValueError as exc:
        raise ModelError(f"{generator.folder}: {exc}") from exc
    return data


def _card(facts: Mapping[str, Any]) -> str:
    rows = "\n".join(f"| {key} | {value} |" for key, value in facts.items() if key not in ("name", "title"))
    return (
        f"# {facts['name']}\n\n{facts['title']}, made by the universal style model; the terms of the images "
        f"hold for it too.\n\n| | |\n|---|---|\n{rows}\n"
    )
