"""Where the universal generator is: among the user's models, or among those that came with vidgan."""

import hashlib
import shutil
import tempfile
from pathlib import Path

import numpy as np

from vidgan.errors import ModelError
from vidgan.models.registry import BUNDLED, UNIVERSAL
from vidgan.models.store import install, user_models
from vidgan.models.universal.generator import KERNELS, PREDICTOR, TEMPLATES, UniversalGenerator
from vidgan.models.universal.kernels import COLORS

STYLES = "styles.npz"
"""Style vectors by name, of paintings whose styles have weights of their own or none; may be missing."""
FACTS = "styles.json"
"""Facts of these styles, see :mod:`vidgan.models.universal.named_styles`."""

_FILES = KERNELS, PREDICTOR, *(f"{name}.onnx" for name in TEMPLATES)


def is_universal(folder: Path) -> bool:
    """Whether a folder has all files of a universal generator."""
    return all((folder / name).is_file() for name in _FILES)


def universal_folder() -> Path | None:
    """The folder of the universal generator; the user's comes first. None where there is none."""
    places = user_models() / UNIVERSAL, BUNDLED / UNIVERSAL
    return next((folder for folder in places if is_universal(folder)), None)


def universal_card() -> str | None:
    """The card of the universal generator, Markdown; None where there is no generator or no card."""
    folder = universal_folder()
    card = None if folder is None else folder / "card.md"
    return card.read_text(encoding="utf-8") if card is not None and card.is_file() else None


def find_universal(wanted_for: str) -> Path:
    """As :func:`universal_folder`.

    Args:
        wanted_for: begins the message.

    Raises:
        ModelError: there is none.
    """
    folder = universal_folder()
    if folder is None:
        raise ModelError(
            f"{wanted_for}: an image as style needs the universal style model, which is not part of this "
            "installation; 'vidgan models add FOLDER' adds an exported one, 'vidgan models' lists the styles"
        )
    return folder


def add_universal(folder: Path, *, overwrite: bool) -> Path:
    """Makes an exported universal generator the user's; returns where it is now.

    Args:
        folder: of the files, or a training run whose ``onnx`` has them.

    Raises:
        ModelError: it is none or damaged, or there is one and it was not to be replaced.
        OutputError: the user's data folder cannot be written.
    """
    source = next((each for each in (folder, folder / "onnx") if is_universal(each)), None)
    if source is None:
        missing = next(name for name in _FILES if not (folder / name).is_file())
        raise ModelError(f"{folder}: is a folder without {missing}, so no universal style model")
    if is_universal(user_models() / UNIVERSAL) and not overwrite:
        raise ModelError("you have added a universal style model already; `overwrite=True` replaces it")
    _check(UniversalGenerator(source))
    with tempfile.TemporaryDirectory(prefix="vidgan-add-") as place:
        for path in source.iterdir():
            if path.name in (*_FILES, STYLES, FACTS, "card.md"):
                shutil.copyfile(path, Path(place) / path.name)
        return install(Path(place), UNIVERSAL, overwrite=True)


def _check(generator: UniversalGenerator) -> None:
    """Makes a style that keeps colors, to see whether kernels and templates belong together."""
    vector = np.zeros(generator.kernels.size, np.float32)
    vector[-COLORS:-3] = np.eye(3).ravel()
    for name in TEMPLATES:
        generator.model(vector, name)


def version_of(folder: Path) -> str:
    """A checksum of all files that decide what a style vector becomes, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()[:16]
