"""What a job's output says of itself: its credentials, and the mark in its pixels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgan.errors import InputError
from vidgan.jobs.fingerprint import checksum
from vidgan.media.frame import Frame
from vidgan.provenance.media_types import is_embedded
from vidgan.tasks.options import Flag, OptionSettings, option

if TYPE_CHECKING:
    from vidgan.jobs.plan import Plan, PlannedStep
    from vidgan.models.registry import ModelSpec
    from vidgan.provenance.credentials import Credentials
    from vidgan.provenance.manifest import Consent, Facts, MarkFacts, StepFacts
    from vidgan.provenance.pixel_mark import PixelMark
    from vidgan.provenance.signing_identity import SigningIdentity


@dataclass(frozen=True, kw_only=True)
class ProvenanceSettings(OptionSettings):
    """Options of the credentials. They decide nothing about frames, so a job can be resumed with others.

    Raises:
        InputError: an option has the wrong type, or one is given without another that it needs.
    """

    credentials: bool = option(
        True,
        flags=[
            Flag(
                name="no-credentials",
                type=bool,
                heading="Provenance",
                shown_default="signed",
                help="Leave out Content Credentials (C2PA), which say which model made the output and from what.",
            )
        ],
        gather=lambda given: not given["no_credentials"],
        doc="Sign the output with Content Credentials, which say which model made it and from what.",
    )
    sign_cert: Path | None = option(
        None,
        type=Path,
        metavar="FILE.pem",
        heading="Provenance",
        shown_default="made on this machine at first use",
        help="Certificate to sign with, with those that vouch for it.",
    )
    sign_key: Path | None = option(
        None, type=Path, metavar="FILE.pem", heading="Provenance", help="Private key of --sign-cert."
    )
    consent: str | None = option(
        None,
        metavar="TEXT|FILE",
        heading="Provenance",
        help="Statement of who agrees to what is shown, and when; signed into the credentials.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.sign_cert is None) != (self.sign_key is None):
            raise InputError("sign-cert and sign-key belong together; give both")
        if not self.credentials and (self.sign_cert or self.consent):
            raise InputError("without credentials there is no place for a certificate or a consent")

    def identity(self) -> SigningIdentity:
        """What signs.

        Raises:
            CredentialsError: it cannot be read, made or used.
        """
        from vidgan.provenance.signing_identity import own_identity, read_identity

        if self.sign_cert is None or self.sign_key is None:
            return own_identity()
        return read_identity(self.sign_cert, self.sign_key)

    def read_consent(self) -> Consent | None:
        """The statement.

        Raises:
            CredentialsError: it is empty, too long, or its file cannot be read.
        """
        from vidgan.provenance.manifest import Consent

        return None if self.consent is None else Consent.read(self.consent)


class MarkEffect:
    """Puts the mark into frames: the last step of a chain."""

    def __init__(self, mark: PixelMark) -> None:
        self._mark = mark

    def apply(self, frame: Frame) -> Frame:
        return frame.with_image(self._mark.apply(frame.image))


def plan_mark(plan: Plan) -> MarkFacts | None:
    """The mark that a job's frames get, the same one whenever and wherever they are made.

    Raises:
        InputError: the frames are label maps.
        CredentialsError: there is no key that the mark's identifier could be made with.
    """
    if plan.settings.mark == "off" and not _shows_people(plan):
        return None
    if plan.palette is not None:
        raise InputError("a mark would change the colors of label maps; leave out --mark")
    from vidgan.provenance.manifest import MarkFacts
    from vidgan.provenance.pixel_mark import KINDS

    kind = next((step.task.name for step in plan.steps if step.task.name in KINDS), "other")
    # An image in memory is no file that could be told from others.
    facts = plan.fingerprint() if plan.input.path.exists() else {"array": kind}
    fingerprint = json.dumps(facts, sort_keys=True)
    return MarkFacts(kind=kind, id=plan.request.provenance.identity().mark_id(fingerprint))


def open_credentials(plan: Plan) -> Credentials | None:
    """What signs the output of a job; None for one that is not signed.

    Raises:
        InputError: the credentials of an output that shows people were to be left out.
        CredentialsError: it could not be signed, which is found before any work.
    """
    settings = plan.request.provenance
    if not settings.credentials and _shows_people(plan):
        raise InputError("the credentials of what shows people cannot be left out")
    if not settings.credentials or plan.output.kind == "stdout":
        return None
    from vidgan.provenance.credentials import Credentials

    return Credentials(facts_of(plan), settings.identity())


def provenance_tags(plan: Plan) -> dict[str, str]:
    """Tags for a container that cannot hold credentials."""
    if not plan.request.provenance.credentials or is_embedded(plan.output.path):
        return {}
    from vidgan.provenance.manifest import container_tags

    return container_tags(facts_of(plan))


def facts_of(plan: Plan) -> Facts:
    """What the credentials of a job's output say."""
    from vidgan.provenance.manifest import Facts, SourceType

    # What is drawn from a label map, or is one, is the model's alone.
    labels = any("label map" in (each.task.input_kind(each.specs), each.task.output_kind(each.specs))
                 for each in plan.steps)  # fmt: skip
    return Facts(
        description="; ".join(dict.fromkeys(each.task.summary.rstrip(".") for each in plan.steps)),
        source_type=SourceType.TRAINED if labels else SourceType.COMPOSITE,
        steps=[_step_facts(each) for each in plan.steps],
        input=plan.input.path,
        settings=_changed(plan.settings),
        mark=plan.mark,
        consent=plan.request.provenance.read_consent(),
    )


def _step_facts(step: PlannedStep) -> StepFacts:
    from vidgan.provenance.manifest import StepFacts

    models = [_model_facts(each) for each in step.specs.values()]
    return StepFacts(task=step.task.name, settings=_changed(step.settings), models=models)


def _model_facts(spec: ModelSpec) -> Any:
    from vidgan.provenance.manifest import ModelFacts

    return ModelFacts(
        name=spec.name, sha256=checksum(spec), license=spec.license, precision=str(spec.precision)
    )


def _changed(settings: OptionSettings) -> Mapping[str, Any]:
    """Those that are given; empty ones say nothing."""
    return {name: value for name, value in settings.as_json().items() if value not in (None, {}, [])}


def _shows_people(plan: Plan) -> bool:
    return any(step.task.shows_people for step in plan.steps)
