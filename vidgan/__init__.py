"""vidgan: learned image generators on video.

::

    import vidgan

    vidgan.stylize("in.mp4", "out.mp4", style="starry")
    vidgan.upscale("in.mp4", "out.mp4", scale=2)

or frame by frame, for a pipeline of one's own::

    effect = vidgan.StyleEffect(vidgan.load_style("starry"))
    with vidgan.open_source("in.mp4") as source, vidgan.open_sink("out.mp4", source.info) as sink:
        for frame in source:
            sink.write(effect.apply(frame))

Everything is imported when first used, so ``import vidgan`` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vidgan.errors import (
        DeviceError,
        InputError,
        InputNotFoundError,
        ModelError,
        ModelNotFoundError,
        OutputError,
        OutputExistsError,
        VidganError,
    )
    from vidgan.jobs.job import (
        JobResult,
        colorize,
        load_model,
        load_style,
        segment,
        stylize,
        translate,
        upscale,
    )
    from vidgan.jobs.pipeline import run_pipeline
    from vidgan.media.frame import Color, Frame, VideoInfo
    from vidgan.media.label_map import Palette, read_palette
    from vidgan.media.trim import Trim
    from vidgan.session import Session
    from vidgan.sinks import open_sink
    from vidgan.sources import open_source
    from vidgan.tasks.effects.style import StyleEffect
    from vidgan.tasks.effects.upscale import UpscaleEffect
    from vidgan.tasks.upscaler import Upscaler

_HOME = {
    "Color": "media.frame",
    "DeviceError": "errors",
    "Frame": "media.frame",
    "InputError": "errors",
    "InputNotFoundError": "errors",
    "ModelError": "errors",
    "ModelNotFoundError": "errors",
    "OutputError": "errors",
    "OutputExistsError": "errors",
    "Session": "session",
    "StyleEffect": "tasks.effects.style",
    "JobResult": "jobs.job",
    "Trim": "media.trim",
    "UpscaleEffect": "tasks.effects.upscale",
    "Upscaler": "tasks.upscaler",
    "VideoInfo": "media.frame",
    "VidganError": "errors",
    "Palette": "media.label_map",
    "colorize": "jobs.job",
    "load_model": "jobs.job",
    "load_style": "jobs.job",
    "open_sink": "sinks",
    "open_source": "sources",
    "read_palette": "media.label_map",
    "run_pipeline": "jobs.pipeline",
    "segment": "jobs.job",
    "stylize": "jobs.job",
    "translate": "jobs.job",
    "upscale": "jobs.job",
}

__all__ = [
    "Color",
    "DeviceError",
    "Frame",
    "InputError",
    "InputNotFoundError",
    "JobResult",
    "ModelError",
    "ModelNotFoundError",
    "OutputError",
    "OutputExistsError",
    "Palette",
    "Session",
    "StyleEffect",
    "Trim",
    "UpscaleEffect",
    "Upscaler",
    "VideoInfo",
    "VidganError",
    "colorize",
    "load_model",
    "load_style",
    "open_sink",
    "open_source",
    "read_palette",
    "run_pipeline",
    "segment",
    "stylize",
    "translate",
    "upscale",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'vidgan' has no attribute {name!r}")
    value = getattr(import_module(f"vidgan.{_HOME[name]}"), name)
    globals()[name] = value
    return value
