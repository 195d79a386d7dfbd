"""Content Credentials of a job's output: what they say, and what signs them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgan.jobs.fingerprint import checksum
from vidgan.jobs.plan import Plan, PlannedStep
from vidgan.jobs.provenance import check_credentials
from vidgan.models.registry import ModelSpec
from vidgan.provenance.manifest import Facts, ModelFacts, SourceType, StepFacts, container_tags
from vidgan.provenance.media_types import is_embedded
from vidgan.tasks.options import OptionSettings

if TYPE_CHECKING:
    from vidgan.provenance.credentials import Credentials


class JobCredentials:
    """Credentials of a job's output, which are opened on a thread of their own.

    Importing what they need takes a tenth of a second, in which this thread opens the output.

    Args:
        plan: of the job.
    """

    def __init__(self, plan: Plan) -> None:
        self._opened: Future[Credentials] = Future()
        # A daemon: an interrupt of an import leaves its lock held, for which this thread would wait for ever.
        threading.Thread(target=self._run, args=(plan,), name="vidgan-credentials", daemon=True).start()

    def _run(self, plan: Plan) -> None:
        try:
            self._opened.set_result(_open(plan))
        except BaseException as exc:
            self._opened.set_exception(exc)

    def wait(self) -> None:
        """Returns once they are open.

        Raises:
            CredentialsError: c2pa-python is missing, or the key or certificate cannot be read, made or used.
        """
        self._opened.result()

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user, complete after the output was signed."""
        return self._opened.result().warnings

    def sign(self, part: Path, name: Path) -> Path | None:
        """Signs a finished file, see :meth:`vidgan.provenance.credentials.Credentials.sign`."""
        return self._opened.result().sign(part, name)


def _open(plan: Plan) -> Credentials:
    from vidgan.provenance.credentials import Credentials

    return Credentials(facts_of(plan), plan.request.provenance.identity())


def open_credentials(plan: Plan) -> JobCredentials | None:
    """Begins to open what signs the output of a job; None for one that is not signed.

    Raises:
        InputError: the credentials of an output that shows people were to be left out, or lack a consent.
    """
    settings = plan.request.provenance
    check_credentials(
        settings,
        shows_people=any(each.shows_people for each in plan.steps),
        needs_consent=any(each.needs_consent for each in plan.steps),
    )
    if not settings.credentials or plan.output.kind == "stdout":
        return None
    return JobCredentials(plan)


def provenance_tags(plan: Plan) -> dict[str, str]:
    """Tags for a container that cannot hold credentials."""
    if not plan.request.provenance.credentials or is_embedded(plan.output.path):
        return {}
    return container_tags(facts_of(plan))


def facts_of(plan: Plan) -> Facts:
    """Collects the facts for the credentials of a job's output."""
    # What is drawn from a label map, or is one, is the model's alone.
    labels = any("label map" in (each.task.input_kind(each.specs), each.task.output_kind(each.specs))
                 for each in plan.steps)  # fmt: skip
    return Facts(
        description="; ".join(dict.fromkeys(each.task.description(each.settings) for each in plan.steps)),
        source_type=SourceType.TRAINED if labels else SourceType.COMPOSITE,
        steps=[_step_facts(each) for each in plan.steps],
        input=plan.input.path,
        settings=given_settings(plan.settings),
        mark=plan.mark,
        consent=plan.request.provenance.read_consent(),
        hides_faces=plan.hides_faces,
    )


def _step_facts(step: PlannedStep) -> StepFacts:
    models = [model_facts(each) for each in step.specs.values()]
    return StepFacts(task=step.task.name, settings=given_settings(step.settings), models=models)


def model_facts(spec: ModelSpec) -> ModelFacts:
    """The facts about a model."""
    return ModelFacts(
        name=spec.name, sha256=checksum(spec), license=spec.license, precision=str(spec.precision)
    )


def given_settings(settings: OptionSettings) -> Mapping[str, Any]:
    """The settings that say something, as JSON."""
    return {name: value for name, value in settings.as_json().items() if value not in (None, {}, [])}
