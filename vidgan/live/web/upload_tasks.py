"""Tasks that the page offers for uploaded files."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from vidgan.errors import InputError
from vidgan.live.settings import LiveSettings
from vidgan.models.registry import TASKS, Task, bundled_models, bundled_upscalers, find_model

_LABELS: dict[Task, str] = {
    "style": "Style transfer",
    "upscale": "Upscale",
    "translate": "Translate",
    "segment": "Segment",
    "colorize": "Colorize",
}


@dataclass(frozen=True, slots=True)
class UploadTask:
    """A task for uploaded files.

    Attributes:
        name: of the task.
        label: shown on the page.
        models: to choose from; empty for style transfer, which uses the settings of the page.
    """

    name: str
    label: str
    models: tuple[str, ...]


@cache
def upload_tasks() -> tuple[UploadTask, ...]:
    """The tasks that have models, style transfer first."""
    tasks = [UploadTask(name, _LABELS[name], tuple(_models(name))) for name in TASKS]
    return tuple(task for task in tasks if task.name == "style" or task.models)


def _models(task: Task) -> list[str]:
    if task == "style":
        return []
    if task == "upscale":
        return bundled_upscalers()[::-1]  # The fast model first.
    # Files that people have at hand are photos and videos, not label maps.
    return [
        name
        for name in bundled_models(task)
        if task == "segment" or not find_model(name, precision="float32").classes
    ]


def job_of(task: str, model: str, settings: LiveSettings, device: str) -> dict[str, Any]:
    """The job for a worker, see :mod:`vidgan.live.web.worker`.

    Args:
        model: one of the task's models, or empty for the first.
        settings: of the page, used by style transfer.

    Raises:
        InputError: there is no such task or model.
    """
    offered = next((each for each in upload_tasks() if each.name == task), None)
    if offered is None:
        raise InputError(f"no task called {task!r}; there are {', '.join(t.name for t in upload_tasks())}")
    if task == "style":
        options = {
            "style": settings.style,
            "strength": settings.strength,
            "smooth": settings.smooth,
            "preserve_color": settings.preserve_color,
        }
        return {"task": task, "options": {**options, "device": device}}
    model = model or offered.models[0]
    if model not in offered.models:
        raise InputError(f"no model called {model!r} for {task}; there are {', '.join(offered.models)}")
    return {"task": task, "options": {"model": model, "device": device}}


def model_of(job: dict[str, Any]) -> str:
    """Name or path of the model of a job."""
    return str(job["options"].get("style") or job["options"]["model"])
