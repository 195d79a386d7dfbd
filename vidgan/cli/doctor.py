"""``vidgan doctor``."""

import json
import platform
from fractions import Fraction

import click

from vidgan import __version__
from vidgan.cli.messages import worded
from vidgan.cli.options import DEVICES

_ENCODERS = ("libx264", "libvpx-vp9")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> None:
    """Say what really works here, by trying it, and what is missing for the rest."""
    findings = [*_software(), *(_device(name) for name in DEVICES if name != "auto"), *_encoders()]
    if as_json:
        click.echo(json.dumps([{"what": w, "ok": ok, "detail": d} for w, ok, d in findings], indent=2))
    else:
        for what, ok, detail in findings:
            click.echo(f"{'ok' if ok else '--':3} {what:22} {detail}")
    needed = [
        what
        for what, ok, _ in findings
        if not ok and (what == "device cpu" or not what.startswith("device "))
    ]
    if needed:
        raise click.ClickException(f"not usable: {', '.join(needed)}")


Finding = tuple[str, bool, str]


def _software() -> list[Finding]:
    import av
    import cv2

    from vidgan.session import ONNXRUNTIME_VERSION

    return [
        ("vidgan", True, f"{__version__}, Python {platform.python_version()}, {platform.platform()}"),
        ("onnxruntime", True, ONNXRUNTIME_VERSION),
        ("PyAV", True, f"{av.__version__}, FFmpeg {av.ffmpeg_version_info}"),
        ("OpenCV", True, cv2.__version__),
    ]


def _device(name: str) -> Finding:
    """Whether a device comes up; TensorRT without a run, which would build an engine first."""
    from vidgan.session import missing_for

    missing = missing_for(name)  # type: ignore[arg-type]
    if missing:
        return f"device {name}", False, missing
    return (f"device {name}", True, "its libraries load") if name == "tensorrt" else _can_run(name)


def _can_run(device: str) -> Finding:
    """Whether a bundled model really runs on the device."""
    import numpy as np

    from vidgan.errors import VidganError
    from vidgan.jobs.api import load_style
    from vidgan.models.registry import bundled_models

    try:
        session = load_style(bundled_models("style")[0], device=device)  # type: ignore[arg-type]
        session.run(np.zeros((1, 64, 64, 3), np.uint8))
    except VidganError as exc:
        return f"device {device}", False, worded(str(exc))
    return f"device {device}", True, f"{session.spec.name} ({session.spec.precision}) processed an image"


def _encoders() -> list[Finding]:
    return [_encoder(name) for name in _ENCODERS]


def _encoder(name: str) -> Finding:
    """Whether FFmpeg really encodes a frame with it."""
    import av

    try:
        context = av.CodecContext.create(name, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width = context.height = 64
        context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
        context.encode(av.VideoFrame(64, 64, "yuv420p"))
        context.encode(None)
    except (av.error.FFmpegError, ValueError) as exc:
        return f"encoder {name}", False, str(exc)
    return f"encoder {name}", True, "encoded a frame"
