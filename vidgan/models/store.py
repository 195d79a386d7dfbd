"""The user's own models: one folder a model, under the user's data folder."""

import os
import re
import shutil
from pathlib import Path

from vidgan.errors import ModelError, ModelNotFoundError, OutputError

FOLDER_VARIABLE = "VIDGAN_MODELS"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def user_data() -> Path:
    """The user's data folder, which may not exist yet."""
    import platformdirs

    return platformdirs.user_data_path("vidgan", appauthor=False)


def user_models() -> Path:
    """Where the user's models are: ``models`` in the user's data folder, or what ``VIDGAN_MODELS`` says."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) if folder else user_data() / "models"


def name_for(path: Path) -> str:
    """A name for the model in a file: the file's, in letters, digits, dots, hyphens and underscores."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._")[:64]
    return name or "model"


def check_name(name: str) -> str:
    """The name, if a model may be called so.

    Raises:
        ModelError: it may not.
    """
    if not _NAME.fullmatch(name) or name.lower().endswith((".onnx", ".pth", ".safetensors")):
        raise ModelError(f"{name!r} is no name for a model: letters, digits, dots, hyphens, underscores")
    return name


def install(folder: Path, name: str, *, overwrite: bool) -> Path:
    """Moves a finished model's folder to its place.

    Raises:
        ModelError: there is a model of that name.
        OutputError: the user's data folder cannot be written.
    """
    target = user_models() / name
    if target.exists() and not overwrite:
        raise ModelError(f"there is a model called {name!r} already; give another `name`, or remove it first")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{name}.{os.getpid()}")
        shutil.copytree(folder, beside)
        if target.exists():
            shutil.rmtree(target)
        beside.rename(target)
    except OSError as exc:
        raise OutputError(f"{target}: cannot keep the model there: {exc.strerror or exc}") from exc
    return target


def remove(name: str) -> Path:
    """Deletes one of the user's models.

    Raises:
        ModelNotFoundError: the user has none of that name.
        OutputError: it cannot be deleted.
    """
    target = user_models() / name
    if not _NAME.fullmatch(name) or not target.is_dir():
        raise ModelNotFoundError(
            f"you have added no model called {name!r}; 'vidgan models' lists those that you have"
        )
    try:
        shutil.rmtree(target)
    except OSError as exc:
        raise OutputError(f"{target}: cannot be removed: {exc.strerror or exc}") from exc
    return target
