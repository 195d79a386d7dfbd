"""Styles that come with the universal style model: a style vector and a few facts each, no weights of their own."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.models.registry import folder_of_model
from vidgan.models.universal.installation import FACTS, STYLES, universal_folder, version_of

Vector = NDArray[np.float32]

_UNIVERSAL = "universal"
_LISTED = "styles"


@dataclass(frozen=True, kw_only=True)
class NamedStyle:
    """The painting that a style vector was predicted from.

    Attributes:
        name: what ``--style`` takes.
        title: its title.
        artist: who made it.
        year: when, such as ``"1889"`` or ``"1884-1886"``.
        terms: of the painting.
        source: of the image of it.
        license: of the style vector.
    """

    name: str
    title: str
    artist: str
    year: str
    terms: str
    source: str
    license: str

    @property
    def line(self) -> str:
        """One line about it, for lists."""
        return f"{self.artist}, {self.title} ({self.year})"


def named_styles() -> dict[str, NamedStyle]:
    """The styles of the universal style model in use by their names, without names that models have.

    Raises:
        ModelError: its list is damaged.
    """
    universal = universal_folder()
    listed = () if universal is None else read_facts(universal)
    return {each.name: each for each in listed if folder_of_model(each.name) is None}


def named_vector(universal: Path, name: str) -> Vector | None:
    """The style vector of that name; None where the universal style model has none.

    Raises:
        ModelError: the vectors are damaged, or of another universal style model.
    """
    path = universal / STYLES
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as listed:
            if name not in listed.files:
                return None
            vector = np.asarray(listed[name], np.float32)
    except (OSError, ValueError, EOFError) as exc:
        raise ModelError(f"{path}: is damaged: {exc}") from exc
    if _facts(universal).get(_UNIVERSAL) != version_of(universal):
        raise ModelError(
            f"{path}: was made for another universal style model; 'python -m export.named_styles {universal}' "
            "makes it again"
        )
    return vector


def read_facts(universal: Path) -> tuple[NamedStyle, ...]:
    """The facts of all styles that a universal style model has vectors of, in their order.

    Raises:
        ModelError: they are damaged.
    """
    try:
        return tuple(NamedStyle(**each) for each in _facts(universal).get(_LISTED, ()))
    except TypeError as exc:
        raise ModelError(f"{universal / FACTS}: is damaged: {exc}") from exc


def write_named_styles(
    universal: Path, styles: Mapping[NamedStyle, Vector], others: Mapping[str, Vector]
) -> tuple[Path, Path]:
    """Writes style vectors and facts beside a universal style model.

    Args:
        universal: its folder.
        styles: what gets a name.
        others: vectors for blends, by the names of styles that have weights of their own.

    Returns:
        The files of the vectors and of the facts.
    """
    vectors, facts = universal / STYLES, universal / FACTS
    named = {each.name: vector for each, vector in styles.items()}
    np.savez_compressed(vectors, allow_pickle=False, **others, **named)
    listed = {_UNIVERSAL: version_of(universal), _LISTED: [asdict(each) for each in styles]}
    facts.write_text(json.dumps(listed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return vectors, facts


def card_of_named(style: NamedStyle) -> str:
    """A card, Markdown."""
    rows = "\n".join(f"| {each.name} | {getattr(style, each.name)} |" for each in fields(style)[1:])
    return (
        f"# {style.name}\n\n{style.line}.\n\nA style vector of the universal style model, without weights of its own: "
        "at its first use it is folded into the weights of a bundled style and kept in the user's data folder.\n\n"
        f"| | |\n|---|---|\n{rows}\n"
    )


def _facts(universal: Path) -> dict[str, Any]:
    path = universal / FACTS
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ModelError(f"{path}: is damaged: {exc}") from exc
    if not isinstance(facts, dict):
        raise ModelError(f"{path}: is damaged: holds no styles")
    return facts
