"""``vidgan live``."""

import contextlib
import re
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from vidgan.cli.interruption import look as check_for_ctrl_c
from vidgan.cli.live_options import live_options
from vidgan.cli.messages import note
from vidgan.cli.options import HeadedCommand, provenance_options, settings_from, split_settings
from vidgan.errors import InputError, OutputError

if TYPE_CHECKING:
    from vidgan.live.audio import AudioFeed
    from vidgan.live.controls import Controls
    from vidgan.live.pipeline.live_pipeline import LivePipeline
    from vidgan.live.provenance import LiveProvenance
    from vidgan.live.settings import LiveSettings
    from vidgan.live.sinks import LiveSink
    from vidgan.live.sources.microphone import Microphone
    from vidgan.live.web.server import WebServer
    from vidgan.tasks.faces.vault.passcode import Passcode

_POLL_SECONDS = 0.1
_POSITION = re.compile(r"\+(\d+)\+(\d+)")

Options = dict[str, Any]


class _LiveCommand(HeadedCommand):
    """A command whose options of the provenance are made when they are asked for, which imports those of jobs."""

    @cached_property
    def _provenance_options(self) -> list[click.Option]:
        return provenance_options()

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *self._provenance_options]


@click.command(cls=_LiveCommand)
@live_options
def live(input: str | None, **options: Any) -> None:
    """Run style transfer on a camera, a video at its own frame rate, the screen or a stream, in real time.

    Without VIDEO or URL the first camera is opened. In the window, 'h' lists the keys. Ctrl-C ends the program and
    completes the recording. With --web no camera is needed: browsers may send the video of theirs, and files.
    """
    _check(options)
    if options["window"]:
        from vidgan.live.window.display import open_display

        open_display()
    from vidgan.live.controls import Controls
    from vidgan.live.settings import LiveSettings
    from vidgan.live.sources import open_live_source

    first, *_ = given = list(dict.fromkeys(options["styles"]))
    _make_styles(given)
    names = "strength", "stroke", "preserve_color", "smooth", "reuse", "mirror", "hide_faces"
    settings = LiveSettings(style=first, **{name: options[name] for name in names})
    styles = offered_styles(given)
    options["passcode"] = _passcode(options)
    provenance = _provenance(input, options)
    serve = _server_factory(settings, styles, provenance, options)
    sourceless = input is None and options["screen"] is None
    if serve is not None and sourceless and not options["window"] and not _camera_available():
        _serve_without_stream(serve(None), options)
        return
    controls = Controls(settings, styles=styles, recording=options["record"] is not None)
    source = open_live_source(input, **{name: options[name] for name in ("camera", "screen", "loop", "size")})
    microphone = _microphone(options["microphone"])
    pipeline = _pipeline(source, controls, microphone, provenance, options)
    contexts: list[AbstractContextManager[Any]] = [
        *([] if microphone is None else [microphone]),
        pipeline,
        *_control_surfaces(controls, options),
        *([] if serve is None else [serve(pipeline)]),
    ]
    inputs = [] if input is None else [Path(input)]
    _run(pipeline, contexts, _sinks(pipeline, inputs, provenance, options), options)
    state = pipeline.state()
    click.echo(f"{source.name}: {state.frames} frames processed, {state.dropped} dropped")


def offered_styles(given: list[str]) -> list[str]:
    """The styles to choose from: those that were given, then all that vidgan comes with, and added ones."""
    from vidgan.models.registry import added_models
    from vidgan.tasks import shipped_names
    from vidgan.tasks.style import TASK

    known = [*shipped_names(TASK), *added_models(TASK.name)]
    return [*given, *(style for style in known if style not in given)]


def _make_styles(styles: list[str]) -> None:
    """Makes the styles of images before anything is opened, and says so.

    Raises:
        VidganError: a style is not there, or cannot be made.
    """
    from vidgan.tasks import load_models
    from vidgan.tasks.style import StyleSettings

    for style in styles:
        models = load_models(StyleSettings(style=style), device="cpu")
        if len(models.variants) > 1:
            raise InputError(f"{style}: is several styles, and live one runs at a time; [ and ] mix two")
        for warning in models.take_warnings():
            _notify(warning)


def _passcode(options: Options) -> "Passcode | None":
    """The passcode of recordings; None for none.

    Raises:
        UsageError: no faces are hidden.
        InputError: it cannot be read or asked for, or is too short.
    """
    if not options["passcode"] and options["passcode_file"] is None:
        return None
    if not options["hide_faces"]:
        raise click.UsageError("--passcode needs hidden faces; add --deidentify")
    from vidgan.cli.passcode import new_passcode
    from vidgan.tasks.faces.vault.passcode import as_passcode

    return new_passcode(as_passcode(options["passcode_file"] or True))


def _check(options: Options) -> None:
    """Resolves options that depend on each other.

    Raises:
        UsageError: the position of the output window is malformed, or there is no window that could open it.
    """
    if options["open_browser"] and options["web"] is None:
        options["web"] = ""
    source = click.get_current_context().get_parameter_source
    if options["hide_faces"] and {source("styles"), source("strength")} == {ParameterSource.DEFAULT}:
        options["strength"] = 0.0
    if options["window"] is None:
        options["window"] = options["web"] is None
    if options["output_window"] and not _POSITION.fullmatch(options["output_window"]):
        raise click.UsageError(
            f"--output-window {options['output_window']}: is not an offset; give +X+Y such as +1920+0"
        )
    if options["output_window"] is not None and not options["window"]:
        raise click.UsageError("--output-window needs the preview window; add --window")


def _provenance(input: str | None, options: Options) -> "LiveProvenance":
    """The provenance of the session; what cannot sign a recording that is asked for is an error now."""
    from vidgan.jobs.provenance import ProvenanceSettings
    from vidgan.jobs.settings import JobSettings
    from vidgan.live.pipeline.face_hiding import settings_of
    from vidgan.live.provenance import open_provenance

    given, _ = split_settings(options, ProvenanceSettings)
    settings = settings_from(ProvenanceSettings, given)
    marked = settings_from(JobSettings, {"mark": options["mark"]}).mark == "on"
    is_file = input is not None and "://" not in input
    provenance = open_provenance(
        settings,
        mark=marked,
        input=Path(input or "") if is_file else None,
        faces=settings_of(options["hide_faces"]) if options["hide_faces"] else None,
    )
    if options["record"] is not None or settings.sign_cert is not None or settings.consent is not None:
        provenance.check()
    return provenance


def _pipeline(
    source: Any,
    controls: "Controls",
    microphone: "Microphone | None",
    provenance: "LiveProvenance",
    options: Options,
) -> "LivePipeline":
    from vidgan.live.pipeline.live_pipeline import LivePipeline

    return LivePipeline(
        source,
        controls,
        fps=options["fps"],
        size=options["size"],
        crossfade=options["crossfade"],
        audio=None if microphone is None else microphone.feed,
        mark=provenance.pixel_mark,
        keeps_faces=options["passcode"] is not None,
        device=options["device"],
        notify=_notify,
    )


def _run(
    pipeline: "LivePipeline",
    contexts: list[AbstractContextManager[Any]],
    sinks: "list[LiveSink]",
    options: Options,
) -> None:
    """Runs everything until the source ends, the user quits, or Ctrl-C."""
    wait = _main_loop(pipeline, options)
    # Ctrl-C is the ordinary end.
    with contextlib.suppress(KeyboardInterrupt), ExitStack() as stack:
        for context in contexts:
            _announce(stack.enter_context(context), options)
        for sink in sinks:
            pipeline.attach(sink)
        wait()


def _main_loop(pipeline: "LivePipeline", options: Options) -> Callable[[], None]:
    """The main thread's work meanwhile."""
    if options["window"]:
        from vidgan.live.window.window import PreviewWindow

        output = options["output_window"]
        offset = None if not output else _POSITION.fullmatch(output)
        window = PreviewWindow(
            pipeline,
            on_idle=check_for_ctrl_c,
            output_window=output is not None,
            output_position=None if offset is None else (int(offset[1]), int(offset[2])),
        )
        return window.run

    def wait() -> None:
        while not pipeline.wait(_POLL_SECONDS):
            check_for_ctrl_c()

    return wait


def _server_factory(
    settings: "LiveSettings", styles: list[str], provenance: "LiveProvenance", options: Options
) -> "Callable[[LivePipeline | None], WebServer] | None":
    """Creates the web server for a pipeline; None where no page is requested."""
    if options["web"] is None:
        return None
    try:
        from vidgan.live.web.server import WebServer
    except ImportError:
        raise OutputError("--web: needs aiohttp and aiortc; pip install 'vidgan[web]'") from None
    if Path(options["web"]).is_file():
        raise OutputError(f"--web {options['web']}: is a file; give the video before --web")
    from vidgan.live.web.address import DEFAULT, parse_address
    from vidgan.live.web.sessions import Limits

    limits = Limits(upload_bytes=options["max_upload"] * 1_000_000, uploads=options["max_uploads"])
    return lambda pipeline: WebServer(
        pipeline,
        settings,
        styles=styles,
        address=parse_address(options["web"] or DEFAULT),
        token=options["token"],
        certificate=options["certificate"],
        limits=limits,
        provenance=provenance,
        crossfade=options["crossfade"],
        device=options["device"],
    )


def _camera_available() -> bool:
    """Whether a camera was requested by name, or one is connected."""
    from vidgan.live.sources.camera import cameras

    context = click.get_current_context()
    return context.get_parameter_source("camera") != ParameterSource.DEFAULT or bool(cameras())


def _serve_without_stream(server: "WebServer", options: Options) -> None:
    """Serves the page for files and cameras of its clients, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt), server:
        click.echo("no camera is connected; browsers can send the video of theirs, and files", err=True)
        _announce(server, options)
        while True:
            time.sleep(_POLL_SECONDS)
            server.check()
            check_for_ctrl_c()


def _announce(context: Any, options: Options) -> None:
    """Prints the address of the web server."""
    url = getattr(context, "url", None)
    if url is None:
        return
    click.echo(f"page: {url}", err=True)
    if context.fingerprint:
        note(f"the certificate is self-signed, browsers warn of it; SHA-256 {context.fingerprint}")
    if options["open_browser"] or (sys.stderr.isatty() and not context.address.is_local):
        _print_qr_code(url)
    if options["open_browser"] and not _opened_in_browser(url):
        note("no browser could be opened here; open the address above")


def _opened_in_browser(url: str) -> bool:
    import webbrowser

    return webbrowser.open(url)


def _print_qr_code(url: str) -> None:
    try:
        import segno
    except ImportError:
        note("a QR code needs segno; pip install 'vidgan[web]'")
        return
    segno.make(url, micro=False).terminal(out=sys.stderr, compact=True)


def _microphone(name: str | None) -> "Microphone | None":
    if name is None:
        return None
    from vidgan.live.sources.microphone import Microphone

    return Microphone(name)


def _control_surfaces(controls: "Controls", options: Options) -> list[AbstractContextManager[Any]]:
    surfaces: list[AbstractContextManager[Any]] = []
    if options["midi"] is not None:
        from vidgan.live.control_surfaces.midi import MidiControl, parse_map

        control_changes = parse_map(options["midi_map"])
        surfaces.append(
            MidiControl(controls, options["midi"], control_changes=control_changes, notify=_notify)
        )
    if options["osc"] is not None:
        from vidgan.live.control_surfaces.osc import OscControl

        surfaces.append(OscControl(controls, options["osc"], notify=_notify))
    return surfaces


def _sinks(
    pipeline: "LivePipeline", inputs: list[Path], provenance: "LiveProvenance", options: Options
) -> "list[LiveSink]":
    """The requested sinks, and those that keys may request later."""
    from vidgan.live.file_names import timestamped_path
    from vidgan.live.pipeline.processing_load import DEFAULT_FPS
    from vidgan.live.sinks.recording import RecordingSink
    from vidgan.live.sinks.snapshot import SnapshotSink
    from vidgan.live.sinks.stream import StreamSink
    from vidgan.live.sinks.virtual_camera import VirtualCameraSink

    def audio() -> "AudioFeed | None":
        return pipeline.audio if options["audio"] or options["microphone"] is not None else None

    fps, folder = pipeline.fps or DEFAULT_FPS, Path()
    shared: Options = {
        "fps": fps,
        "notify": pipeline.notify,
        "audio": audio,
        "keyframe_seconds": options["keyframe_interval"],
    }
    signer = provenance.signer(pipeline.model_of)
    path, named = options["record"] or timestamped_path(folder, ".mp4"), options["record"] is not None
    sinks: list[LiveSink] = [
        SnapshotSink(pipeline.controls, folder, pipeline.notify, signer=signer),
        RecordingSink(
            pipeline.controls,
            path,
            overwrite=options["force"] and named,
            inputs=inputs,
            signer=signer,
            passcode=options["passcode"],
            **shared,
        ),
    ]
    if options["stream"] is not None:
        sinks.append(StreamSink(options["stream"], **shared))
    if options["virtual_camera"]:
        sinks.append(VirtualCameraSink(fps))
    return sinks


def _notify(message: str) -> None:
    note(message)
