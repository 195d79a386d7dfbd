"""Tasks that the page offers for uploaded files, made from the list of tasks."""

from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from vidgan.errors import InputError
from vidgan.live.provenance import LiveProvenance
from vidgan.live.settings import LiveSettings
from vidgan.models.registry import ModelSpec, added_models
from vidgan.tasks import all_tasks, names_of_models
from vidgan.tasks.faces.vault.passcode import as_passcode
from vidgan.tasks.options import default_of
from vidgan.tasks.style.names import label_of
from vidgan.tasks.task import Task

_HINTS = "hints"
_LIVE_FIELDS = {field.name for field in fields(LiveSettings)}


@dataclass(frozen=True, slots=True)
class UploadTask:
    """A task for uploaded files.

    Attributes:
        name: of the task.
        label: shown on the page.
        summary: shown on the page.
        models: to choose from, the default first; empty where the model is a setting of the page, or there is none.
        live: whether the settings of the page apply, as for style transfer.
        passcode: whether a passcode is ``"needed"`` or ``"optional"``; empty where there is none.
        hints: whether it takes color hints.
    """

    name: str
    label: str
    summary: str
    models: tuple[str, ...]
    live: bool
    passcode: Literal["", "optional", "needed"] = ""
    hints: bool = False


def upload_tasks() -> list[UploadTask]:
    """The tasks that need one file and nothing else."""
    return [offer for task in all_tasks() if (offer := _offer(task)) is not None]


@dataclass(frozen=True, slots=True)
class UploadJob:
    """Task of a worker, see :mod:`vidgan.live.web.worker`.

    Attributes:
        task: name of the task.
        options: of the task's settings.
        device: see :class:`vidgan.session.Session`.
        provenance: options of the output's mark and credentials, of :class:`vidgan.jobs.settings.JobOptions`.
        label: part of the output's file name: the name of the model or of the task.
    """

    task: str
    options: dict[str, Any]
    device: str
    provenance: dict[str, Any]
    label: str

    def request(self, input: Path, output: Path) -> dict[str, Any]:
        """The message to a worker."""
        return {"input": str(input), "output": str(output), **asdict(self)}


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Task of a worker that says where a file is from and makes no output, see :func:`vidgan.check_file`."""

    task: ClassVar[str] = "check"
    label: ClassVar[str] = "check"

    def request(self, input: Path, output: Path) -> dict[str, Any]:
        """The message to a worker."""
        return {"check": str(input)}


def upload_job(
    name: str,
    model: str,
    settings: LiveSettings,
    device: str,
    provenance: LiveProvenance,
    passcode: str = "",
    *,
    hints: Sequence[str] = (),
) -> UploadJob:
    """The job for a file.

    Args:
        name: of an offered task.
        model: one of the task's models, or empty for the default.
        settings: of the page.
        provenance: of what clients send.
        passcode: of a video whose faces are hidden or brought back; empty for none.
        hints: of colors, as ``x,y=#rrggbb``.

    Raises:
        InputError: there is no such task or model, no passcode where one is needed, or a hint is none.
    """
    offers = {offer.name: offer for offer in upload_tasks()}
    if name not in offers:
        raise InputError(f"no task called {name!r}; there are {', '.join(offers)}")
    offer = offers[name]
    task = next(each for each in all_tasks() if each.name == name)
    if offer.live:
        own = {field.name for field in fields(task.settings_type)}
        options = {each: getattr(settings, each) for each in own & _LIVE_FIELDS}
        label = label_of(options[task.model_field or ""])
        return UploadJob(name, options, device, _provenance(task, options, provenance), label)
    if not offer.models:
        options = _passcode(offer, passcode)
        return UploadJob(name, options, device, _provenance(task, {}, provenance), name)
    model = model or offer.models[0]
    if model not in offer.models:
        raise InputError(f"no model called {model!r} for {name}; there are {', '.join(offer.models)}")
    assert task.model_field is not None
    options = {task.model_field: model} | _passcode(offer, passcode) | _hints(offer, task, hints)
    return UploadJob(name, options, device, _provenance(task, options, provenance), model)


def _passcode(offer: UploadTask, passcode: str) -> dict[str, Any]:
    """The passcode among the options of a task."""
    if not passcode and offer.passcode == "needed":
        raise InputError("the passcode is missing")
    if not passcode or not offer.passcode:
        return {}
    as_passcode(passcode)
    return {"passcode": passcode}


def _hints(offer: UploadTask, task: Task[Any], hints: Sequence[str]) -> dict[str, Any]:
    """The color hints among the options of a task."""
    if not hints:
        return {}
    if not offer.hints:
        raise InputError(f"{offer.name} takes no hints")
    return {_HINTS: task.settings_type(hints=tuple(hints)).as_json()[_HINTS]}


def _provenance(task: Task[Any], options: dict[str, Any], provenance: LiveProvenance) -> dict[str, Any]:
    """Options of the mark and the credentials; label maps go without the mark, which would change their colors."""
    marked = provenance.mark is not None and _makes_images(task, options)
    return {"mark": "on" if marked else "off", **provenance.settings.as_json()}


@cache
def _offer(task: Task[Any]) -> UploadTask | None:
    """The offer of a task; None where it needs more than a file, or a label map."""
    names = {field.name for field in fields(task.settings_type)}
    required = {name for name in names if default_of(task.settings_type, name) is MISSING}
    if required - {task.model_field} or task.subject_field is not None:
        return None
    live = task.model_field in _LIVE_FIELDS
    models: list[str] = []
    if task.model_field is not None and not live:
        known = [*names_of_models(task), *added_models(task.name)]
        models = [model for model in known if _takes_images(task, model)]
        default = default_of(task.settings_type, task.model_field)
        models.sort(key=lambda model: model != default)
        if not models:
            return None
    passcode: Literal["", "optional", "needed"] = ""
    if "passcode" in names:
        passcode = "needed" if task.opens_vault(task.settings_type()) else "optional"
    return UploadTask(
        task.name, task.verb.capitalize(), task.summary, tuple(models), live, passcode, _HINTS in names
    )


def _takes_images(task: Task[Any], model: str) -> bool:
    """Whether a model's input is an image; label maps are not what people have at hand."""
    return task.input_kind(_models(task, {task.model_field or "": model})) == "image"


def _makes_images(task: Task[Any], options: dict[str, Any]) -> bool:
    return task.output_kind(_models(task, options)) == "image"


def _models(task: Task[Any], options: dict[str, Any]) -> dict[str, ModelSpec]:
    variants = task.find_models(task.settings_type(**options), "float32")
    return {role: specs[0] for role, specs in variants.items()}
