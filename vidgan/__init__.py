"""vidgan: style transfer, super-resolution, image translation, segmentation and colorization on video.

::

    import vidgan

    vidgan.stylize("in.mp4", "out.mp4", style="starry")
    vidgan.upscale("in.mp4", "out.mp4", scale=2)

several steps in one pass::

    vidgan.run("in.mp4", "out.mp4", ["stylize:style=starry", "upscale:scale=2"])

or frame by frame::

    effect = vidgan.StyleEffect(vidgan.load_style("starry"))
    with vidgan.open_source("in.mp4") as source, vidgan.open_sink("out.mp4", source.info) as sink:
        for frame in source:
            sink.write(effect.apply(frame))

Everything is imported when it is first used, so ``import vidgan`` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from vidgan.errors import (
        CancelledError,
        ClusterError,
        DeviceError,
        InputError,
        InputNotFoundError,
        ModelError,
        ModelNotFoundError,
        ModelTaskError,
        OutputError,
        OutputExistsError,
        VidganError,
    )
    from vidgan.jobs.api import TaskFunction, load_model, load_style, run, run_array
    from vidgan.jobs.pipeline import run_pipeline
    from vidgan.jobs.runner import JobResult
    from vidgan.jobs.settings import JobOptions
    from vidgan.jobs.tracking import Progress, track
    from vidgan.media.frame import Color, Frame, VideoInfo
    from vidgan.media.image import RgbImage, YuvImage
    from vidgan.media.label_map import Palette, read_palette
    from vidgan.media.trim import Trim
    from vidgan.provenance.check import Provenance, check_file
    from vidgan.session import Session
    from vidgan.sinks import open_sink
    from vidgan.sources import open_source
    from vidgan.tasks.style import StyleEffect
    from vidgan.tasks.upscale import UpscaleEffect

    stylize: TaskFunction
    upscale: TaskFunction
    translate: TaskFunction
    segment: TaskFunction
    colorize: TaskFunction
    deidentify: TaskFunction
    reveal: TaskFunction

_MODULES = {
    "errors": (
        "CancelledError",
        "ClusterError",
        "DeviceError",
        "InputError",
        "InputNotFoundError",
        "ModelError",
        "ModelNotFoundError",
        "ModelTaskError",
        "OutputError",
        "OutputExistsError",
        "VidganError",
    ),
    "jobs.api": ("TaskFunction", "load_model", "load_style", "run", "run_array"),
    "jobs.pipeline": ("run_pipeline",),
    "jobs.runner": ("JobResult",),
    "jobs.settings": ("JobOptions",),
    "jobs.tracking": ("Progress", "track"),
    "media.frame": ("Color", "Frame", "VideoInfo"),
    "media.image": ("RgbImage", "YuvImage"),
    "media.label_map": ("Palette", "read_palette"),
    "media.trim": ("Trim",),
    "provenance.check": ("Provenance", "check_file"),
    "session": ("Session",),
    "sinks": ("open_sink",),
    "sources": ("open_source",),
    "tasks.style": ("StyleEffect",),
    "tasks.upscale": ("UpscaleEffect",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


__all__ = [
    "CancelledError", "ClusterError", "Color", "DeviceError", "Frame", "InputError", "InputNotFoundError",
    "JobOptions", "JobResult", "ModelError", "ModelNotFoundError", "ModelTaskError", "OutputError",
    "OutputExistsError", "Palette", "Progress", "Provenance", "RgbImage", "Session", "StyleEffect",
    "TaskFunction", "Trim", "UpscaleEffect", "VideoInfo", "VidganError", "YuvImage", "animate", "check_file",
    "colorize", "deidentify", "load_model", "load_style", "open_sink", "open_source", "read_palette", "restore",
    "reveal", "run", "run_array", "run_pipeline", "segment", "stylize", "track", "translate", "upscale",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    value = _task_function(name) if home is None else getattr(import_module(f"vidgan.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    from vidgan.tasks import listed_tasks

    return sorted([*_HOME, "__version__", *(task.verb for task in listed_tasks())])


def _task_function(verb: str) -> Any:
    """The function of a task, by its verb."""
    if not verb.startswith("_"):
        from vidgan.tasks import task_for_verb

        if (task := task_for_verb(verb)) is not None:
            from vidgan.jobs.api import function_of

            return function_of(task)
    raise AttributeError(f"module 'vidgan' has no attribute {verb!r}")
