"""The Python functions: one for each task, and ``run`` for chains."""

import inspect
import os
from collections.abc import Iterable, Sequence
from dataclasses import MISSING
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, Unpack, get_type_hints, overload

import numpy as np

from vidgan.errors import InputError, ModelError
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest, Step, plan_job
from vidgan.jobs.provenance import ProvenanceSettings
from vidgan.jobs.runner import JobResult, LocalBackend, run_job
from vidgan.jobs.settings import JobOptions, JobSettings
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.session import Device, Session
from vidgan.sources.limits import check_frame_size
from vidgan.tasks import all_tasks, load_models, step_settings, task_named
from vidgan.tasks.models import StepModels
from vidgan.tasks.options import default_of, options_of
from vidgan.tasks.task import GENERATOR, Task, TaskSettings

StepLike = Step | TaskSettings | str
"""A step, its settings, or its text form."""


def run(
    input: str | Path,
    output: str | Path | None,
    steps: Sequence[StepLike] | StepLike,
    **options: Unpack[JobOptions],
) -> JobResult:
    """Runs a chain of steps on a video, an image or a folder of frames: one decode, one encode.

    ::

        vidgan.run("in.mp4", "out.mp4", ["stylize:style=starry,strength=0.8", "upscale:scale=2"])

    Args:
        input: a video or image file, or a folder whose images are the frames of a video.
        output: where the result goes; None for a name beside the input, such as ``in.starry.swift.mp4``, a folder for
            that name within it.
            ``frames/%06d.png`` makes an image of each frame, ``-`` writes to standard output.
        steps: one, or several in order; each a text as on the command line, or settings such as
            :class:`vidgan.tasks.style.StyleSettings`.
        options: see :class:`vidgan.jobs.settings.JobOptions`.

    Raises:
        VidganError: one of its kinds, see :mod:`vidgan.errors`; no output is left then.
        TypeError: there is no such option.
    """
    job, provenance, rest = _split(dict(options))
    request = JobRequest(
        input=Input.at(_path("input", input)),
        output=None if output is None else _path("output", output),
        steps=_steps(steps),
        settings=JobSettings(**job),
        provenance=ProvenanceSettings(**provenance),
        overwrite=rest.pop("overwrite", False),
        pipe_format=rest.pop("pipe_format", "nut"),
    )
    device = rest.pop("device", "auto")
    _check_calls(rest)
    return run_job(request, lambda: LocalBackend(request, device), **rest)


def load_style(style: str, *, device: Device = "auto", threads: int = 1) -> Session:
    """A session of a style by its name, image or model file; for :class:`vidgan.StyleEffect`.

    Raises:
        ModelNotFoundError: no such style or file.
        ModelError: damaged, unsafe, or made for another task.
        DeviceError: CUDA was asked for and is not usable.
    """
    return load_model(style, "style", device=device, threads=threads)


def load_model(model: str, task: str, *, device: Device = "auto", threads: int | None = None) -> Session:
    """A session of a bundled model or a model file of that task.

    Args:
        threads: CPU threads of one call; None for one, or all cores for a recurrent model.

    Raises:
        ModelNotFoundError, ModelError, DeviceError: as of :func:`load_style`.
    """
    try:
        found = task_named(task)
    except ModelError:
        names = ", ".join(each.name for each in all_tasks())
        raise InputError(f"task: must be one of {names}, got {task!r}") from None
    if found.model_field is None:
        raise InputError(f"{task} runs no model")
    models = load_models(found.settings_type(**{found.model_field: model}), device=device, threads=threads)
    if len(models.variants) > 1:
        raise InputError(f"{model}: is several models; here one is needed")
    return models.sessions({GENERATOR: models.variants[GENERATOR][0]})[GENERATOR]


def run_array(pixels: Pixels, steps: Sequence[StepLike] | StepLike, *, device: Device = "auto") -> Pixels:
    """Runs a chain of steps on one image in memory.

    Args:
        pixels: RGB, ``(H, W, 3)`` uint8, sides of at least 16.
        steps: as of :func:`run`.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"tensorrt"``; not used with loaded models.

    Returns:
        RGB, ``(H, W, 3)`` uint8.

    Raises:
        ValueError: ``pixels`` has another shape or type.
        VidganError: a step cannot be run.
    """
    given = _steps(steps)
    if any(each.task.makes_vault(each.settings) or each.task.opens_vault(each.settings) for each in given):
        raise InputError("an image in memory has no place for a vault; give files")
    image = RgbImage(np.ascontiguousarray(pixels))
    width, height = image.size
    check_frame_size(ARRAY, width, height)
    request = JobRequest(input=Input(ARRAY, "image"), output=ARRAY, steps=given)
    backend = LocalBackend(request, device)
    info = VideoInfo(width=width, height=height, time_base=Fraction(1))
    chain, _ = backend.open_chain(plan_job(request, backend.models, backend.device, info))
    frames = [Frame(image=image, pts=0, time_base=Fraction(1))]
    (output,) = chain.run(frames, {"effect": 0.0, "smooth": 0.0})
    return output.frame.pixels


ARRAY = Path("array.png")
"""Stands for an image in memory in messages."""


class TaskFunction(Protocol):
    """The Python function of a task, such as :func:`vidgan.stylize`."""

    @overload
    def __call__(self, input: str | Path, output: str | Path | None = None, **options: Any) -> JobResult:
        """Processes one file; the options are the task's, then those of :class:`JobOptions`."""
        ...

    @overload
    def __call__(self, input: Pixels, *, device: Device = "auto", **options: Any) -> Pixels:
        """Processes one image in memory, RGB ``(H, W, 3)`` uint8; the options are the task's."""
        ...


def function_of(task: Task[Any]) -> TaskFunction:
    """The function of a task; its signature and documentation are made from the task's options."""

    def process(input: Any, output: str | Path | None = None, **options: Any) -> Any:
        own = {name: options.pop(name) for name in options_of(task.settings_type) if name in options}
        _check_arguments(task, own, options)
        step = _loaded_step(task, own)
        if isinstance(input, np.ndarray):
            return run_array(input, [step], **options)
        return run(input, output, [step], **options)

    process.__name__ = process.__qualname__ = task.verb
    process.__module__ = "vidgan"
    process.__doc__ = _documentation(task)
    process.__signature__ = _signature(task)  # type: ignore[attr-defined]
    return process


def _steps(steps: Sequence[StepLike] | StepLike) -> tuple[Step, ...]:
    given = [steps] if isinstance(steps, str | TaskSettings | Step) else steps
    if not isinstance(given, Iterable):
        raise InputError(f"steps: must be a step or a list of steps, got {given!r}")
    found = tuple(map(_step, given))
    if not found:
        raise InputError("a chain needs at least one step")
    return found


def _step(step: StepLike) -> Step:
    if isinstance(step, Step):
        return step
    if isinstance(step, str):
        return Step(step_settings(step))
    if isinstance(step, TaskSettings):
        return Step(step)
    raise InputError(f'steps: a step is a text such as "starry", or settings; got {step!r}')


def _path(name: str, value: Any) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{name}: must be a path, got {value!r}")
    return Path(value)


def _loaded_step(task: Task[Any], arguments: dict[str, Any]) -> Step:
    """A step whose model may be given as a loaded one instead of a name."""
    field = task.model_field
    models = None if field is None else _as_models(task, arguments.get(field))
    if field is None or models is None:
        return Step(task.settings_type(**arguments))
    name = str(models.specs[0].file.path.absolute())
    return Step(task.settings_type(**arguments | {field: name}), models)


def _as_models(task: Task[Any], model: Any) -> StepModels | None:
    if isinstance(model, Session):
        return StepModels.of(model, task.check_model)
    return model if isinstance(model, StepModels) else None


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Options of the job's settings, of its provenance, and the others."""
    unknown = set(options) - set(JobOptions.__annotations__)
    if unknown:
        raise TypeError(
            f"no option {', '.join(sorted(unknown))}; there are {', '.join(JobOptions.__annotations__)}"
        )
    job, provenance = (
        {name: options.pop(name) for name in options_of(settings) if name in options}
        for settings in (JobSettings, ProvenanceSettings)
    )
    return job, provenance, options


def _check_calls(options: dict[str, Any]) -> None:
    """Refuses what cannot be called, or cannot cancel, before any work."""
    for name, value in options.items():
        if value is None:
            continue
        if name == "cancel" and not callable(getattr(value, "is_set", None)):
            raise InputError(f"cancel: must be an event such as threading.Event(), got {value!r}")
        if name != "cancel" and not callable(value):
            raise InputError(f"{name}: must be a function, got {value!r}")


def _check_arguments(task: Task[Any], own: dict[str, Any], others: dict[str, Any]) -> None:
    known = [*options_of(task.settings_type), *JobOptions.__annotations__]
    if unknown := [name for name in others if name not in known]:
        raise TypeError(f"{task.verb}() has no option {', '.join(unknown)}; it has {', '.join(known)}")
    for name in options_of(task.settings_type):
        if name not in own and default_of(task.settings_type, name) is MISSING:
            raise TypeError(f"{task.verb}() needs the option {name}")


def _signature(task: Task[Any]) -> inspect.Signature:
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("input", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str | Path),
        inspect.Parameter(
            "output", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=str | Path | None
        ),
    ]
    for settings in (task.settings_type, JobSettings, ProvenanceSettings):
        hints = get_type_hints(settings)
        for name in options_of(settings):
            default = default_of(settings, name)
            shown = inspect.Parameter.empty if default is MISSING else default
            parameters.append(inspect.Parameter(name, kind, default=shown, annotation=hints[name]))
    hints = get_type_hints(JobOptions)
    for name, default in _OTHER_DEFAULTS.items():
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=hints[name]))
    return inspect.Signature(parameters, return_annotation=JobResult)


_OTHER_DEFAULTS = {
    "device": "auto",
    "overwrite": False,
    "pipe_format": "nut",
    "on_start": None,
    "on_frame": None,
    "on_encode": None,
    "on_size": None,
    "cancel": None,
}


def _documentation(task: Task[Any]) -> str:
    lines = [
        task.summary,
        "",
        "Args:",
        "    input: a video or image file, or a folder whose images are the frames of a video; or an image in memory,",
        "        RGB ``(H, W, 3)`` uint8, for which an array is returned and only the task's options hold.",
        "    output: where the result goes; None for a name beside the input.",
    ]
    for settings in (task.settings_type, JobSettings, ProvenanceSettings):
        for name, described in options_of(settings).items():
            lines.append(f"    {name}: {described.doc or described.flags[0].help}")
    lines += [
        "    device: ``auto``, ``cpu``, ``cuda`` or ``tensorrt``; not used with a loaded model.",
        "    overwrite: replace an output that exists.",
        "    pipe_format: ``nut`` or ``y4m``, of what goes to standard output.",
        "    on_start: called once with the description of the output's frames.",
        "    on_frame: called with the number of frames processed so far.",
        "    on_encode: called with the number of frames encoded so far and of all, where a video is encoded after its",
        "        last frame: GIF, APNG, WebP, and video with transparency.",
        "    on_size: called once with the estimated bytes of a GIF, APNG or WebP.",
        "    cancel: a ``threading.Event``; once it is set, the job ends with :class:`vidgan.CancelledError`.",
        "",
        "Raises:",
        "    VidganError: one of its kinds, see :mod:`vidgan.errors`; no output is left then.",
    ]
    return "\n".join(lines)
