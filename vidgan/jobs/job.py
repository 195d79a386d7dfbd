"""One file from end to end, whatever is done to it: what the command line and the Python API share."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av

from vidgan import __version__
from vidgan.errors import OutputError
from vidgan.jobs.fingerprint import checksum, identity
from vidgan.jobs.pipeline import run_pipeline
from vidgan.media.encoder import USUAL, VIDEO_SUFFIXES
from vidgan.media.frame import VideoInfo
from vidgan.media.label_map import Palette
from vidgan.media.trim import WHOLE, Trim
from vidgan.models.registry import ModelSpec, Task, find_model, precise_variant
from vidgan.segments.journal import clear_away
from vidgan.segments.store import Parts
from vidgan.session import ONNXRUNTIME_VERSION, Device, Session, best_precision, cores, resolve_device
from vidgan.session.output_check import Guard
from vidgan.sinks import STDOUT, Kind, check_output, is_pattern, kind_of, may_move, numbered, open_sink
from vidgan.sinks.stdout import PipeFormat
from vidgan.sinks.verification import Verification
from vidgan.sources import is_picture, open_source
from vidgan.tasks.effects import drawn_in, open_effects, palette_of
from vidgan.tasks.settings import (
    ColorizeSettings,
    SegmentSettings,
    Settings,
    StyleSettings,
    TranslateSettings,
    UpscaleSettings,
)
from vidgan.tasks.steadier import open_steadier
from vidgan.tasks.upscaler import Upscaler
from vidgan.temporal import Smooth, open_look_ahead


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What :func:`stylize` or :func:`upscale` did; all of it is true of this run.

    Attributes:
        input, output: the files.
        model, precision: the model that painted, and its arithmetic.
        device: ``"cpu"``, ``"cuda"`` or ``"tensorrt"``: the one that really ran.
        frames: in the output.
        resumed_frames: those of them that an earlier run had made.
        width, height: of the output.
        seconds: wall time of the frames, without loading.
        busy_seconds: per stage.
        verification: what was found in the finished film when it was opened again, see
            :class:`vidgan.sinks.verification.Verification`; None for anything but a film.
        notices: what the user should know of the input and the output.
    """

    input: str
    output: str
    model: str
    precision: str
    device: str
    frames: int
    resumed_frames: int
    width: int
    height: int
    seconds: float
    busy_seconds: dict[str, float]
    verification: Verification | None
    notices: list[str]

    @property
    def fps(self) -> float:
        return (self.frames - self.resumed_frames) / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "fps": round(self.fps, 2)}


def load_style(style: str, *, device: Device = "auto", threads: int = 1) -> Session:
    """A session for a bundled style or a model file of the task ``style``.

    Raises:
        ModelNotFoundError: no such style or file.
        ModelError: damaged, unsafe, or made for another task.
        DeviceError: CUDA was asked for and is not usable.
    """
    return load_model(style, "style", device=device, threads=threads)


def load_model(model: str, task: Task, *, device: Device = "auto", threads: int = 1) -> Session:
    """A session for a bundled model or a model file of that task.

    Raises:
        ModelNotFoundError, ModelError, DeviceError: as of :func:`load_style`.
    """
    resolved = resolve_device(device)
    spec = find_model(model, precision=best_precision(resolved), task=task)
    # Frames of a model that remembers cannot be painted side by side.
    threads = cores() if spec.past else threads
    session = Session(spec, device=device, threads=threads)
    if session.device != resolved:
        # CUDA looked usable and was not: take the variant that suits the CPU.
        spec = find_model(model, precision=best_precision(session.device))
        session = Session(spec, device="cpu", threads=threads)
    return session


def stylize(
    input: str | Path,
    output: str | Path | None = None,
    *,
    style: str | Session,
    strength: float = 1.0,
    preserve_color: bool = False,
    size: str | None = None,
    trim: Trim = WHOLE,
    rate: Fraction | None = None,
    hwaccel: str = "off",
    smooth: Smooth | None = None,
    smooth_strength: float = 1.0,
    look_ahead: int = 0,
    encoder: str | None = None,
    encoder_options: Mapping[str, str] | None = None,
    device: Device = "auto",
    overwrite: bool = False,
    pipe_format: PipeFormat = "nut",
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> JobResult:
    """Repaints a video, a picture or a folder of pictures in a style.

    Args:
        input: a video or picture file, or a folder whose pictures are the frames of a film.
        output: where to put the result; None for a name beside the input, e.g. ``in.starry.mp4``.
            ``frames/%06d.png`` makes a picture of each frame, ``-`` writes to standard output.
        style: a bundled style's name, the path of an ``.onnx`` file, or a session that
            :func:`load_style` returned, to load a model once for many files.
        strength: 0 (the input as it was) to 1.
        preserve_color: keep the input's colours.
        size: ``"720"`` or ``"1280x720"``; None keeps the input's.
        trim: the part of a video that is wanted, with its sound.
        rate: frames a second of a folder of pictures; None for 25.
        hwaccel: what decodes a video: ``"off"``, ``"auto"``, or hardware by FFmpeg's name, e.g. ``"cuda"``.
        smooth: against flicker: ``"flow"`` follows the motion of the input, ``"blend"`` mixes with the
            last frame wherever things went, ``"off"`` leaves every frame as it was painted. None is flow,
            but off for what enlarges, and for what makes or takes label maps.
        smooth_strength: 0 (as ``"off"``) to 1.
        look_ahead: how many frames to come the smoother may look at; each costs time.
        encoder: of a film, by FFmpeg's name, e.g. ``"libx265"``; None for the usual one of the format.
        encoder_options: of the encoder, e.g. ``{"crf": "18", "preset": "slow"}``.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"tensorrt"``; not used with a session.
        overwrite: replace an output that is there.
        pipe_format: of what goes to standard output.
        on_start: called once with what the frames will be like.
        on_frame: called with the number of frames painted so far.

    Raises:
        VidganError: one of its kinds, see :mod:`vidgan.errors`; no output is left then.
    """
    settings = StyleSettings(
        strength=strength,
        preserve_color=preserve_color,
        size=size,
        trim=trim,
        rate=rate,
        hwaccel=hwaccel,
        smooth=smooth,
        smooth_strength=smooth_strength,
        look_ahead=look_ahead,
        encoder=encoder,
        encoder_options=dict(encoder_options or {}),
    )
    return _run(
        Path(input),
        None if output is None else Path(output),
        settings,
        name=style.spec.name if isinstance(style, Session) else Path(style).stem,
        open_model=lambda: style if isinstance(style, Session) else load_style(style, device=device),
        overwrite=overwrite,
        pipe_format=pipe_format,
        on_start=on_start,
        on_frame=on_frame,
    )


def upscale(
    input: str | Path,
    output: str | Path | None = None,
    *,
    model: str | Upscaler = "swift",
    scale: int | None = None,
    height: int | None = None,
    size: str | None = None,
    trim: Trim = WHOLE,
    rate: Fraction | None = None,
    hwaccel: str = "off",
    smooth: Smooth | None = None,
    smooth_strength: float = 1.0,
    look_ahead: int = 0,
    encoder: str | None = None,
    encoder_options: Mapping[str, str] | None = None,
    device: Device = "auto",
    overwrite: bool = False,
    pipe_format: PipeFormat = "nut",
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> JobResult:
    """Enlarges a video, a picture or a folder of pictures.

    Args:
        input: as of :func:`stylize`.
        output: likewise; None for a name beside the input, e.g. ``in.swift.mp4``.
        model: ``"swift"``, ``"clean"``, ``"photo"``, the path of an ``.onnx`` file, or an
            :class:`Upscaler`, to load a model once for many files.
        scale: 2 or 4 times as large; None for 2.
        height: of the output instead, up to 4 times the input's; the width follows in proportion, even.
        size: to scale the input to before it is enlarged, e.g. ``"360"``; None keeps it as it is.
        trim: as of :func:`stylize`, and so are all that follow.

    Raises:
        VidganError: one of its kinds, see :mod:`vidgan.errors`; no output is left then.
    """
    settings = UpscaleSettings(
        scale=scale,
        height=height,
        size=size,
        trim=trim,
        rate=rate,
        hwaccel=hwaccel,
        smooth=smooth,
        smooth_strength=smooth_strength,
        look_ahead=look_ahead,
        encoder=encoder,
        encoder_options=dict(encoder_options or {}),
    )
    return _run(
        Path(input),
        None if output is None else Path(output),
        settings,
        name=Path(model.name if isinstance(model, Upscaler) else model).stem,
        open_model=lambda: model if isinstance(model, Upscaler) else Upscaler(model, device=device),
        overwrite=overwrite,
        pipe_format=pipe_format,
        on_start=on_start,
        on_frame=on_frame,
    )


def translate(
    input: str | Path,
    output: str | Path | None = None,
    *,
    model: str | Session,
    palette: Palette | None = None,
    size: str | None = None,
    trim: Trim = WHOLE,
    rate: Fraction | None = None,
    hwaccel: str = "off",
    smooth: Smooth | None = None,
    smooth_strength: float = 1.0,
    look_ahead: int = 0,
    encoder: str | None = None,
    encoder_options: Mapping[str, str] | None = None,
    device: Device = "auto",
    overwrite: bool = False,
    pipe_format: PipeFormat = "nut",
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> JobResult:
    """Makes a film of a film of label maps, or of another film; likewise pictures and folders of pictures.

    Label maps are drawn in a colour a class, losslessly or compressed, or are PNGs of class indices, of one
    channel or with a palette.

    Args:
        input: as of :func:`stylize`.
        output: likewise; None for a name beside the input, e.g. ``in.camvid.mp4``.
        model: a bundled model's name, the path of an ``.onnx`` file, or a session of either.
        palette: what colours stand for, see :func:`vidgan.media.label_map.read_palette`; None for the model's own.
        size: as of :func:`stylize`, and so are all that follow.

    Raises:
        VidganError: one of its kinds, see :mod:`vidgan.errors`; no output is left then.
    """
    settings = TranslateSettings(
        palette=palette,
        size=size,
        trim=trim,
        rate=rate,
        hwaccel=hwaccel,
        smooth=smooth,
        smooth_strength=smooth_strength,
        look_ahead=look_ahead,
        encoder=encoder,
        encoder_options=dict(encoder_options or {}),
    )
    return _run_model(input, output, settings, model, device, overwrite, pipe_format, on_start, on_frame)


def segment(
    input: str | Path,
    output: str | Path | None = None,
    *,
    model: str | Session = "camvid-segment",
    size: str | None = None,
    trim: Trim = WHOLE,
    rate: Fraction | None = None,
    hwaccel: str = "off",
    smooth: Smooth | None = None,
    smooth_strength: float = 1.0,
    look_ahead: int = 0,
    encoder: str | None = None,
    encoder_options: Mapping[str, str] | None = None,
    device: Device = "auto",
    overwrite: bool = False,
    pipe_format: PipeFormat = "nut",
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> JobResult:
    """Draws label maps of a film, a picture or a folder of pictures, in the model's colours.

    Args:
        input: as of :func:`stylize`.
        output: likewise. Films are compressed without loss unless another encoder is given; PNGs have class
            indices and a palette. A name without suffix is a folder of such.
        model: a bundled model's name, the path of an ``.onnx`` file, or a session of either.
        size: as of :func:`stylize`, and so are all that follow; but there is no smoothing.

    Raises:
        VidganError: one of its kinds, see :mod:`vidgan.errors`; no output is left then.
    """
    input = Path(input)
    film = not input.is_dir() and not is_picture(input)
    if output is not None and (Path(output).is_dir() or not Path(output).suffix) and Path(output) != STDOUT:
        output = Path(output) / "%06d.png"
    if output is None and film:
        output = default_output(input, _name_of(model)).with_suffix(".mkv")
    settings = SegmentSettings(
        size=size,
        trim=trim,
        rate=rate,
        hwaccel=hwaccel,
        smooth=smooth,
        smooth_strength=smooth_strength,
        look_ahead=look_ahead,
        encoder=encoder,
        encoder_options=dict(encoder_options or {}),
    )
    return _run_model(input, output, settings, model, device, overwrite, pipe_format, on_start, on_frame)


def colorize(
    input: str | Path,
    output: str | Path | None = None,
    *,
    model: str | Session = "colorize",
    strength: float = 1.0,
    size: str | None = None,
    trim: Trim = WHOLE,
    rate: Fraction | None = None,
    hwaccel: str = "off",
    smooth: Smooth | None = None,
    smooth_strength: float = 1.0,
    look_ahead: int = 0,
    encoder: str | None = None,
    encoder_options: Mapping[str, str] | None = None,
    device: Device = "auto",
    overwrite: bool = False,
    pipe_format: PipeFormat = "nut",
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> JobResult:
    """Gives a grey film, picture or folder of pictures colours; lightness stays as it is.

    Args:
        input: as of :func:`stylize`; colours that it has are not looked at.
        output: likewise; None for a name beside the input, e.g. ``in.colorize.mp4``.
        model: a bundled model's name, the path of an ``.onnx`` file, or a session of either.
        strength: of the colours, 0 to 2.
        size: as of :func:`stylize`, and so are all that follow. Smoothing is of colours alone, and does not
            look ahead.

    Raises:
        VidganError: one of its kinds, see :mod:`vidgan.errors`; no output is left then.
    """
    settings = ColorizeSettings(
        strength=strength,
        size=size,
        trim=trim,
        rate=rate,
        hwaccel=hwaccel,
        smooth=smooth,
        smooth_strength=smooth_strength,
        look_ahead=look_ahead,
        encoder=encoder,
        encoder_options=dict(encoder_options or {}),
    )
    return _run_model(input, output, settings, model, device, overwrite, pipe_format, on_start, on_frame)


def _run_model(
    input: str | Path,
    output: str | Path | None,
    settings: Settings,
    model: str | Session,
    device: Device,
    overwrite: bool,
    pipe_format: PipeFormat,
    on_start: Callable[[VideoInfo], None] | None,
    on_frame: Callable[[int], None] | None,
) -> JobResult:
    """One file through a model of the settings' task."""
    return _run(
        Path(input),
        None if output is None else Path(output),
        settings,
        name=_name_of(model),
        open_model=lambda: (
            model if isinstance(model, Session) else load_model(model, settings.task, device=device)
        ),
        overwrite=overwrite,
        pipe_format=pipe_format,
        on_start=on_start,
        on_frame=on_frame,
    )


_LOOKED_AT = 10
"""Frames of a film of label maps that are opened again."""


def _name_of(model: str | Session) -> str:
    return model.spec.name if isinstance(model, Session) else Path(model).stem


def _run(
    input: Path,
    output: Path | None,
    settings: Settings,
    *,
    name: str,
    open_model: Callable[[], Session | Upscaler],
    overwrite: bool,
    pipe_format: PipeFormat,
    on_start: Callable[[VideoInfo], None] | None,
    on_frame: Callable[[int], None] | None,
) -> JobResult:
    """The whole way of a file, whatever is done to its frames.

    Args:
        name: of the model, for an output that has none.
        open_model: called once the names are found to be right.
    """
    output = default_output(input, name) if output is None else output
    clear_away(output.parent if is_pattern(output) else output)
    check_names(input, output, overwrite=overwrite)
    with ExitStack() as opened:
        model = open_model()
        source = opened.enter_context(
            open_source(
                input,
                size=settings.size,
                trim=settings.trim,
                rate=settings.rate,
                hwaccel=settings.hwaccel,
                yuv=model.takes_planes or settings.keeps_luma(output),
                palette=palette_of(model.spec, settings) if isinstance(model, Session) else None,
            )
        )
        info = settings.output_info(input, source.info)
        session = model if isinstance(model, Session) else model.session(info.height / source.info.height)
        guard = Guard(session, lambda: _precise(session))
        effects = open_effects(guard, session.spec, settings, (info.width, info.height), input)
        smoother = open_steadier(session, settings, input)
        parts = before = None
        resumed = 0
        notices: list[str] = []
        kind = kind_of(output, info)
        if kind != "video" and settings.encoder_for(output) != USUAL:
            notices.append(f"{output}: is no film; the encoder and its options were not used")
        if kind in ("video", "pictures"):
            place = output.parent if kind == "pictures" else output
            facts = job_facts(input, output.relative_to(place.parent), session.spec, session.device, settings)
            parts = opened.enter_context(Parts(place, facts))
            resumed = parts.frames
            before = source.skip(resumed)
            if smoother is not None:
                smoother.state = parts.state()
            notices += resume_notices(parts)
        if on_start is not None:
            on_start(info)

        def frame_done(count: int) -> None:
            if parts is not None and smoother is not None:
                parts.remember(resumed + count, smoother.state)
            if on_frame is not None:
                on_frame(resumed + count)

        with open_sink(
            output,
            info,
            parts=parts,
            beside=input if input.is_file() and not is_picture(input) else None,
            trim=settings.trim,
            overwrite=overwrite,
            pipe_format=pipe_format,
            encoder=settings.encoder_for(output),
            palette=drawn_in(session.spec, settings),
        ) as sink:
            report = run_pipeline(
                source,
                effects,
                sink,
                smoother=smoother,
                look_ahead=open_look_ahead(
                    settings.smoothing(session.spec),
                    strength=settings.smooth_strength,
                    frames=settings.look_ahead,
                ),
                before=before,
                workers=session.workers,
                on_frame=frame_done,
            )
        return JobResult(
            input=str(input),
            output=str(output),
            model=session.spec.name,
            precision=session.spec.precision,
            device=session.device,
            frames=resumed + report.frames,
            resumed_frames=resumed,
            width=info.width,
            height=info.height,
            seconds=report.seconds,
            busy_seconds=report.busy_seconds,
            verification=sink.verification,
            notices=[
                *notices,
                *source.notices,
                *(f"{output}: {notice}" for notice in (*guard.notices, *session.notices)),
                *sink.notices,
                *changed_colours(output, kind, drawn_in(session.spec, settings)),
                *missing_tags(output, sink.verification),
            ],
        )


def _precise(session: Session) -> Session | None:
    spec = precise_variant(session.spec)
    return None if spec is None else Session(spec, device=session.device)


def default_output(input: Path, model: str) -> Path:
    """``clip.mp4`` → ``clip.starry.mp4``; a container that vidgan does not write becomes mkv.

    ``frames/`` → ``frames.starry/%06d.png``.
    """
    if input.is_dir():
        folder = input.absolute()
        return folder.with_name(f"{folder.name}.{model}") / "%06d.png"
    suffix = input.suffix.lower()
    if not is_picture(input) and suffix not in VIDEO_SUFFIXES:
        suffix = ".mkv"
    return input.with_name(f"{input.stem}.{model}{suffix}")


def check_names(input: Path, output: Path, *, overwrite: bool) -> None:
    """Refuses an output that does not go with the input, before any work is done.

    Raises:
        OutputError: it does not, or cannot be written.
    """
    if output.exists() and input.exists() and output.samefile(input):
        raise OutputError(f"{output}: is the input itself; choose another name")
    if input.is_dir() and output.absolute().parent == input.absolute():
        raise OutputError(f"{output}: is in the folder of the input; choose another")
    if input.is_file() and is_picture(input) != is_picture(output) and output != STDOUT:
        if is_picture(input):
            raise OutputError(f"{output}: the input is a picture, so the output must be one too")
        if not may_move(output) and not is_pattern(output):
            raise OutputError(
                f"{output}: the input is a video; a name like frames/%06d.png makes a picture of each frame"
            )
    check_output(output, overwrite=overwrite)


def job_facts(input: Path, output: Path, model: ModelSpec, device: str, settings: Settings) -> dict[str, Any]:
    """All that decides which frames come out, so that parts of different jobs never meet in one film.

    Args:
        output: as seen from the folder that the parts are beside, which may move.
    """
    return {
        "input": str(input.absolute()),
        "output": output.as_posix(),
        "identity": identity(input),
        "task": settings.task,
        "weights": str(model.file.path.absolute()),
        "model": checksum(model),
        "device": device,
        "versions": versions(),
        # The encoder divides its work by them.
        "cores": os.cpu_count(),
        "settings": settings.as_json(),
    }


def versions() -> dict[str, Any]:
    """Of what makes the frames."""
    codecs = {name: list(version) for name, version in av.library_versions.items()}
    return {"vidgan": __version__, "codecs": codecs, "runtime": ONNXRUNTIME_VERSION}


def missing_tags(output: Path, found: Verification | None) -> list[str]:
    """Says which of the container's tags did not come through."""
    if found is None or not found.missing_tags:
        return []
    return [f"{output}: without tags that such files have no place for: {', '.join(found.missing_tags)}"]


def changed_colours(output: Path, kind: Kind, palette: Palette | None) -> list[str]:
    """Says whether label maps no longer have exactly the palette's colours; looks at the first ones."""
    if palette is None:
        return []
    where = "standard output" if kind == "stdout" else str(output)
    # What goes to standard output has halved colour, and is gone.
    if kind != "stdout":
        with open_source(numbered(output, 1) if kind == "pictures" else output) as source:
            if all(palette.exact(frame.pixels) for frame in islice(source, _LOOKED_AT)):
                return []
    return [
        f"{where}: compression changed the colours of classes; .mkv, .mp4, .png keep them, with no --encoder"
    ]


def resume_notices(parts: Parts) -> list[str]:
    """Says what became of an interrupted run."""
    if parts.frames:
        return [f"{parts.output}: continued after frame {parts.frames} of an interrupted run"]
    if parts.discarded:
        return [f"{parts.output}: an interrupted run had other settings or another input; begun anew"]
    return []
