"""The provenance of a live session: credentials of its files, and the mark in its frames."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from vidgan.errors import CredentialsError
from vidgan.jobs.credentials import given_settings, model_facts
from vidgan.jobs.provenance import ProvenanceSettings, check_credentials, job_mark
from vidgan.live.settings import LiveSettings
from vidgan.models.registry import ModelSpec
from vidgan.provenance.credentials import Credentials
from vidgan.provenance.manifest import Consent, Facts, MarkFacts, SourceType, StepFacts, container_tags
from vidgan.provenance.media_types import is_embedded
from vidgan.provenance.pixel_mark import PixelMark
from vidgan.provenance.sidecar import place_sidecar
from vidgan.tasks import task_named, task_of_settings
from vidgan.tasks.deidentify import DeidentifySettings

_TASK = "style"
"""The task of the live path."""

_NAMED_APART = "style", "second_style", "hide_faces"
"""Settings that manifests name as models, or as a step of their own."""


@dataclass(frozen=True, kw_only=True)
class LiveProvenance:
    """Statements of one session's outputs on themselves; :func:`open_provenance` makes them.

    Attributes:
        settings: options of the credentials.
        mark: the mark that all frames of the session get; None for none.
        faces: how faces are hidden or replaced before the style; None where they are shown.
        consent: the statement of ``settings``.
        input: file that the frames come from; None for a camera, the screen or a stream.
    """

    settings: ProvenanceSettings = field(default_factory=ProvenanceSettings)
    mark: MarkFacts | None = None
    faces: DeidentifySettings | None = None
    consent: Consent | None = None
    input: Path | None = None

    @property
    def pixel_mark(self) -> PixelMark | None:
        return None if self.mark is None else PixelMark(self.mark.kind, self.mark.id)

    def of_clients(self) -> LiveProvenance:
        """That of what clients of the page send, of which the user's consent and input file say nothing."""
        return replace(self, settings=replace(self.settings, consent=None), consent=None, input=None)

    def signer(self, model_of: Callable[[str], ModelSpec]) -> LiveSigner | None:
        """The signer of a pipeline's files; None where credentials are left out.

        Args:
            model_of: returns the model of a style that the pipeline has used.
        """
        return LiveSigner(self, model_of) if self.settings.credentials else None

    def check(self) -> None:
        """Tries to sign, so that what prevents it is known before a recording instead of after.

        Raises:
            CredentialsError: nothing can be signed.
        """
        if self.settings.credentials:
            Credentials(_facts(self, RecordedSettings(), lambda _: []), self.settings.identity())


def open_provenance(
    settings: ProvenanceSettings,
    *,
    mark: bool,
    input: Path | None,
    faces: DeidentifySettings | None = None,
) -> LiveProvenance:
    """Makes the provenance of a session, with a mark of its own.

    Args:
        settings: options of the credentials.
        mark: whether frames get a mark; those with faces of nobody always do.
        input, faces: see :class:`LiveProvenance`.

    Raises:
        InputError: credentials were to be left out that cannot be.
        CredentialsError: the consent cannot be read, or there is no key that the mark could be made with.
    """
    tasks = [task_named(_TASK)]
    shows_people = False
    if faces is not None:
        tasks.insert(0, task_of_settings(faces))
        shows_people = tasks[0].shows_people(faces)
    check_credentials(settings, shows_people=shows_people)
    session = {"live": secrets.token_hex(16)}
    return LiveProvenance(
        settings=settings,
        mark=job_mark(tasks, lambda: session, settings, wanted=mark or shows_people, label_maps=False),
        faces=faces,
        consent=settings.read_consent(),
        input=input,
    )


class RecordedSettings:
    """Settings that the frames of one file were processed with; its size is constant however many there are."""

    def __init__(self) -> None:
        self._styles: dict[str, None] = {}
        self._first: dict[str, Any] = {}
        self._changed: dict[str, None] = {}
        self._last: LiveSettings | None = None

    @property
    def styles(self) -> list[str]:
        """All styles that contributed, in the order of their first use."""
        return list(self._styles)

    def add(self, settings: LiveSettings) -> None:
        """Adds the settings of one more frame."""
        if settings == self._last:
            return
        self._last = settings
        self._styles.update(dict.fromkeys(settings.weights))
        values = {name: value for name, value in asdict(settings).items() if name not in _NAMED_APART}
        self._first = self._first or values
        self._changed.update((name, None) for name in values if values[name] != self._first[name])

    def as_facts(self) -> Mapping[str, Any]:
        """Settings that stayed the same, and the names of those that did not."""
        same = {name: value for name, value in self._first.items() if name not in self._changed}
        return {**same, "changed_while_recording": list(self._changed)} if self._changed else same


class LiveSigner:
    """Signs the files that sinks make of a pipeline's output.

    Args:
        provenance: of the session.
        model_of: see :meth:`LiveProvenance.signer`.
    """

    def __init__(self, provenance: LiveProvenance, model_of: Callable[[str], ModelSpec]) -> None:
        self._provenance, self._model_of = provenance, model_of

    def tags(self, path: Path, used: RecordedSettings) -> dict[str, str]:
        """Tags for a container that cannot hold credentials."""
        return {} if is_embedded(path) else container_tags(self._facts(used))

    def sign(self, path: Path, used: RecordedSettings, *, name: str | None = None) -> list[str]:
        """Signs a complete file in its place, or puts a sidecar beside it.

        Args:
            name: of the file in its credentials, where that is another one.

        Returns:
            Warnings about the credentials of the input.

        Raises:
            CredentialsError: it cannot be signed; it is as it was.
            OutputError: its sidecar cannot be written.
        """
        try:
            credentials = Credentials(self._facts(used), self._provenance.settings.identity())
            place_sidecar(credentials.sign(path, Path(name or path)), path)
        except OSError as exc:
            raise CredentialsError(f"{path}: cannot be signed: {exc.strerror or exc}") from exc
        return credentials.warnings

    def _facts(self, used: RecordedSettings) -> Facts:
        return _facts(self._provenance, used, lambda styles: [self._model_of(style) for style in styles])


def _facts(
    provenance: LiveProvenance, used: RecordedSettings, models: Callable[[list[str]], list[ModelSpec]]
) -> Facts:
    descriptions = [task_named(_TASK).summary.rstrip(".")]
    steps = [
        StepFacts(
            task=_TASK,
            settings=used.as_facts(),
            models=[model_facts(spec) for spec in models(used.styles)],
        )
    ]
    if (faces := provenance.faces) is not None:
        task = task_of_settings(faces)
        specs = [each[0] for each in task.find_models(faces, "float32").values()]
        own = StepFacts(task=task.name, settings=given_settings(faces), models=list(map(model_facts, specs)))
        descriptions.insert(0, task.description(faces))
        steps.insert(0, own)
    return Facts(
        description="; ".join(descriptions),
        source_type=SourceType.COMPOSITE,
        steps=steps,
        input=provenance.input,
        mark=provenance.mark,
        consent=provenance.consent,
        hides_faces=provenance.faces is not None,
    )
