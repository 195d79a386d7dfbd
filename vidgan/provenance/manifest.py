"""The contents of a manifest: who made a file, with which model, from what, and with whose leave."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from vidgan import __version__
from vidgan.errors import CredentialsError

GENERATION = "org.vidgan.generation"
"""Label of the assertion on task, model, settings and input."""
CONSENT = "org.vidgan.consent"
SOFT_BINDING = "c2pa.soft-binding"
"""C2PA's own label for what ties a manifest to pixels instead of bytes: here, the mark in them."""
MARK_ALGORITHM = "org.vidgan.pixel-mark.1"

PARENT = "parent"
"""The name that actions have for the input."""

_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_LONGEST_STATEMENT = 4000
_RATIO = re.compile(r"\d+/\d+")


class SourceType(StrEnum):
    """IPTC's terms for how much of an image is made by a model."""

    COMPOSITE = f"{_IPTC}compositeWithTrainedAlgorithmicMedia"
    """A recording that a model has repainted, enlarged or colored."""
    TRAINED = f"{_IPTC}trainedAlgorithmicMedia"
    """An image that a model has made, such as that of a label map."""


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """The model that made the output.

    Attributes:
        name: e.g. ``"starry"``.
        sha256: of its file.
        license: terms of its weights.
        precision: of its arithmetic.
    """

    name: str
    sha256: str
    license: str
    precision: str


@dataclass(frozen=True, kw_only=True)
class StepFacts:
    """One thing that was done.

    Attributes:
        task: e.g. ``"style"``.
        settings: what decided how it was done. Folders are taken out of paths.
        models: what did it.
    """

    task: str
    settings: Mapping[str, Any]
    models: Sequence[ModelFacts]


@dataclass(frozen=True, kw_only=True)
class MarkFacts:
    """The mark in the pixels, see :class:`vidgan.provenance.PixelMark`."""

    kind: str
    id: int


@dataclass(frozen=True, kw_only=True)
class Consent:
    """The statement of who lets a person's face or body be used, in their or the user's own words.

    Attributes:
        statement: e.g. ``"It is me"`` or ``"I have leave"``.
        who: who says so; None if the statement does not name them apart.
        when: when it was said, or when it was put down here.
    """

    statement: str
    who: str | None
    when: str

    @classmethod
    def parse(cls, text: str, *, today: datetime.date | None = None) -> Consent:
        """Parses the text of a consent: lines ``who: …`` and ``when: …``, and the statement.

        Raises:
            CredentialsError: there is no statement, or it is too long.
        """
        fields: dict[str, str] = {}
        statement = []
        for line in text.strip().splitlines():
            name, colon, value = line.partition(":")
            if colon and name.strip().lower() in ("who", "when", "statement") and value.strip():
                fields[name.strip().lower()] = value.strip()
            else:
                statement.append(line)
        said = "\n".join([*([fields["statement"]] if "statement" in fields else []), *statement]).strip()
        if not said:
            raise CredentialsError(
                "`consent`: says nothing; state who agrees, and that it is you or you have leave"
            )
        if len(said) > _LONGEST_STATEMENT:
            raise CredentialsError(f"`consent`: is longer than {_LONGEST_STATEMENT} characters")
        day = today or datetime.datetime.now(datetime.UTC).date()
        return cls(statement=said, who=fields.get("who"), when=fields.get("when", day.isoformat()))

    @classmethod
    def read(cls, text_or_file: str) -> Consent:
        """Reads a consent from a text or a file: the text where there is such a file.

        Raises:
            CredentialsError: as :meth:`parse`, or the file cannot be read as text.
        """
        try:
            path = Path(text_or_file)
            is_file = len(text_or_file) < 1024 and "\n" not in text_or_file and path.is_file()
        except (OSError, ValueError):
            is_file = False
        if not is_file:
            return cls.parse(text_or_file)
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as exc:
            raise CredentialsError(f"{path}: the consent cannot be read as UTF-8 text") from exc


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about a job's outputs.

    Attributes:
        description: one sentence on what was done, for people.
        source_type: how much of the image a model made.
        steps: what was done, in order.
        input: the file or folder that it was made from; None for a camera or stream.
        settings: of the whole, as those of a step.
        mark: the mark in the pixels, if there is one.
        consent: see there.
        hides_faces: whether the input shows faces that the output hides. Of its manifests only those without images
            are carried then.
    """

    description: str
    source_type: SourceType
    steps: Sequence[StepFacts]
    input: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    mark: MarkFacts | None = None
    consent: Consent | None = None
    hides_faces: bool = False


def manifest_of(facts: Facts, name: Path, media_type: str, input_facts: Mapping[str, Any]) -> dict[str, Any]:
    """The definition that c2pa takes.

    Args:
        name: of the output.
        input_facts: what is known of the input beside its own manifest.
    """
    assertions = [
        {"label": "c2pa.actions.v2", "data": {"actions": _actions(facts)}},
        {"label": GENERATION, "kind": "Json", "data": _generation(facts, input_facts)},
    ]
    if facts.mark is not None:
        block = {"scope": {}, "value": f"{facts.mark.kind}:{facts.mark.id:08x}"}
        assertions.append({"label": SOFT_BINDING, "data": {"alg": MARK_ALGORITHM, "blocks": [block]}})
    if facts.consent is not None:
        consent = {"statement": facts.consent.statement, "when": facts.consent.when}
        if facts.consent.who:
            consent["who"] = facts.consent.who
        assertions.append({"label": CONSENT, "kind": "Json", "data": consent})
    return {
        "claim_generator_info": [{"name": "vidgan", "version": __version__}],
        "title": name.name,
        "format": media_type,
        "assertions": assertions,
    }


def container_tags(facts: Facts) -> dict[str, str]:
    """Tags for containers that cannot hold a manifest, so that a copy without its sidecar still says something."""
    steps = "; ".join(
        f"{each.task} by {', '.join(model.name for model in each.models)}" for each in facts.steps
    )
    return {
        "DIGITAL_SOURCE_TYPE": str(facts.source_type),
        "PROVENANCE": f"vidgan {__version__}: {steps}; its Content Credentials are in a .c2pa file",
    }


def _actions(facts: Facts) -> list[dict[str, Any]]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    made: dict[str, Any] = {
        "action": "c2pa.created" if facts.input is None else "c2pa.edited",
        "when": now,
        "softwareAgent": {"name": "vidgan", "version": __version__},
        "digitalSourceType": str(facts.source_type),
        "description": facts.description,
    }
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT]}}
    actions = [made] if facts.input is None else [opened, made]
    if facts.mark is not None:
        actions.append({"action": "c2pa.watermarked", "when": now})
    return actions


def _generation(facts: Facts, input_facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "steps": [
            {
                "task": each.task,
                "settings": _public(each.settings),
                "models": [asdict(model) for model in each.models],
            }
            for each in facts.steps
        ],
        "settings": _public(facts.settings),
        **({"input": dict(input_facts)} if input_facts else {}),
    }


def _public(value: Any) -> Any:
    """Without what nobody else needs to know: the folders of paths, and what was left unset."""
    if isinstance(value, Mapping):
        return {str(key): _public(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        # c2pa writes lists of small numbers as bytes.
        return ", ".join(str(_public(each)) for each in value)
    if isinstance(value, bool | int | float):
        return value
    return _without_folders(value if isinstance(value, PurePath) else str(value))


def _without_folders(value: str | PurePath) -> str:
    text = str(value)
    if _RATIO.fullmatch(text) or not re.search(r"[\\/]", text):
        return text
    return PurePosixPath(text).name if "\\" not in text else PureWindowsPath(text).name
