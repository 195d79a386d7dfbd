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
    from vidgan.effects.style import StyleEffect
    from vidgan.effects.upscale import UpscaleEffect
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
    from vidgan.frame import Color, Frame, VideoInfo
    from vidgan.job import (
        JobResult,
        colorize,
        load_model,
        load_style,
        segment,
        stylize,
        translate,
        upscale,
    )
    from vidgan.labels import Palette, read_palette
    from vidgan.pipeline import run_pipeline
    from vidgan.session import Session
    from vidgan.sinks import open_sink
    from vidgan.sources import open_source
    from vidgan.trim import Trim
    from vidgan.upscaler import Upscaler

_HOME = {
    "Color": "frame",
    "DeviceError": "errors",
    "Frame": "frame",
    "InputError": "errors",
    "InputNotFoundError": "errors",
    "ModelError": "errors",
    "ModelNotFoundError": "errors",
    "OutputError": "errors",
    "OutputExistsError": "errors",
    "Session": "session",
    "StyleEffect": "effects.style",
    "JobResult": "job",
    "Trim": "trim",
    "UpscaleEffect": "effects.upscale",
    "Upscaler": "upscaler",
    "VideoInfo": "frame",
    "VidganError": "errors",
    "Palette": "labels",
    "colorize": "job",
    "load_model": "job",
    "load_style": "job",
    "open_sink": "sinks",
    "open_source": "sources",
    "read_palette": "labels",
    "run_pipeline": "pipeline",
    "segment": "job",
    "stylize": "job",
    "translate": "job",
    "upscale": "job",
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
