"""Tasks: one module for each, loaded when it is first asked for."""

from __future__ import annotations

from dataclasses import MISSING
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vidgan.errors import InputError, ModelError
from vidgan.tasks.listing import TASKS, ListedTask
from vidgan.tasks.options import arguments_of_text, default_of

if TYPE_CHECKING:
    from vidgan.tasks.models import StepModels
    from vidgan.tasks.task import Task, TaskSettings

_FAMILIES = "upscale"
"""The task whose models come in families, of one name and several scales."""

_registered: list[Task[Any]] = []


def register(task: Task[Any]) -> None:
    """Adds a task from outside the package.

    Raises:
        ValueError: there is a task of that name or verb.
    """
    if any(task.name == each.name or task.verb == each.verb for each in listed_tasks()):
        raise ValueError(f"there is a task named {task.name!r} or {task.verb!r} already")
    _registered.append(task)


def listed_tasks() -> tuple[ListedTask, ...]:
    """The lines of all tasks, without loading them."""
    return (*TASKS, *(task.listed for task in _registered))


def all_tasks() -> tuple[Task[Any], ...]:
    """The tasks of vidgan and the registered ones."""
    return tuple(map(_loaded, listed_tasks()))


def task_named(name: str) -> Task[Any]:
    """The task of that name, as model files and journals have it.

    Raises:
        ModelError: this version of vidgan has no such task.
    """
    for each in listed_tasks():
        if each.name == name:
            return _loaded(each)
    raise ModelError(f"made for the task {name!r}, which this version of vidgan does not know")


def task_for_verb(verb: str) -> Task[Any] | None:
    """The task of that verb, as commands and Python functions are called."""
    return next((_loaded(each) for each in listed_tasks() if each.verb == verb), None)


def _loaded(listed: ListedTask) -> Task[Any]:
    return next((task for task in _registered if task.listed is listed), None) or _task_of_vidgan(listed.name)


@cache
def _task_of_vidgan(name: str) -> Task[Any]:
    task: Task[Any] = import_module(f"vidgan.tasks.{name}").TASK
    return task


def task_of_settings(settings: TaskSettings) -> Task[Any]:
    """The task that settings are of."""
    return task_named(settings.task)


def task_of_model(name_or_path: str) -> Task[Any]:
    """The task of a model; the name may be that of a family such as ``swift``.

    Raises:
        ModelNotFoundError, ModelError: as of :func:`vidgan.models.registry.find_model`.
    """
    from vidgan.models.registry import bundled_upscalers, find_model
    from vidgan.tasks.style import is_made

    if name_or_path in bundled_upscalers():
        return task_named(_FAMILIES)
    if is_made(name_or_path):
        return task_named("style")
    return task_named(find_model(name_or_path, precision="int8").task)


def load_models(settings: TaskSettings, **options: Any) -> StepModels:
    """The models of a step, see :class:`vidgan.tasks.models.StepModels` for the options."""
    from vidgan.tasks.models import StepModels

    task = task_of_settings(settings)
    return StepModels(lambda precision: task.find_models(settings, precision), task.check_model, **options)


def names_of_models(task: Task[Any]) -> list[str]:
    """Names of the bundled models for a task, as users give them."""
    from vidgan.models.registry import bundled_models, bundled_upscalers

    return bundled_upscalers() if task.name == _FAMILIES else bundled_models(task.name)


def shipped_names(task: Task[Any]) -> list[str]:
    """The same, and then those of models that are made at their first use."""
    return [*names_of_models(task), *(each.name for each in task.made_models())]


def names_to_try(task: Task[Any]) -> list[str]:
    """Names of shipped and added models for a task, and steps that run none; not those that need a second input."""
    from vidgan.models.registry import added_models

    if task.subject_field is not None:
        return list(task.trials)
    return [*shipped_names(task), *added_models(task.name), *task.trials]


def step_settings(text: str) -> TaskSettings:
    """A step of a chain from its text form.

    ``stylize:style=starry,strength=0.8``, ``stylize:starry`` or, where the model says what it is for, ``starry``.

    Raises:
        InputError: there is no such task, model or option.
    """
    verb, colon, rest = text.partition(":")
    task = task_for_verb(verb)
    if task is None:
        if colon:
            verbs = ", ".join(each.verb for each in all_tasks())
            raise InputError(f"{text}: {verb!r} is no step; there are {verbs}")
        task, rest = task_of_model(text), text
    missing = task.model_field is not None and default_of(task.settings_type, task.model_field) is MISSING
    try:
        arguments = arguments_of_text(task.settings_type, rest, positional=task.model_field)
    except ValueError as exc:
        raise InputError(f"{text}: {exc}") from None
    if missing and task.model_field not in arguments:
        raise InputError(f"{text}: {task.model_field} is missing; 'vidgan models' lists what there is")
    settings: TaskSettings = task.settings_type(**arguments)
    return settings
