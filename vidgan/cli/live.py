"""``vidgan live`` and ``vidgan devices``."""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from vidgan.cli.interruption import look as look_for_ctrl_c
from vidgan.cli.options import DEVICES
from vidgan.errors import OutputError

if TYPE_CHECKING:
    from vidgan.live.controls import Look
    from vidgan.live.live import Live
    from vidgan.live.sinks import LiveSink
    from vidgan.live.sources.microphone import Microphone
    from vidgan.live.web.page import Page

_Path = click.Path(path_type=Path, dir_okay=False)
_TURN_SECONDS = 0.1


@click.command()
@click.argument("input", required=False, metavar="[FILM|ADDRESS]")
@click.option(
    "-s",
    "--style",
    default="starry",
    show_default=True,
    metavar="NAME|FILE.onnx",
    help="To begin with; see 'vidgan models'.",
)
@click.option("--camera", default="0", show_default=True, metavar="NUMBER|NAME", help="See 'vidgan devices'.")
@click.option(
    "--screen",
    is_flag=False,
    flag_value="",
    metavar="[WxH+X+Y]",
    help="The screen instead, or a part of it so large and so far from the left and the top.",
)
@click.option("--loop", is_flag=True, help="Begin a film anew when it ends.")
@click.option(
    "--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How much painting."
)
@click.option("--preserve-color", is_flag=True, help="Keep the picture's own colours.")
@click.option(
    "--smooth",
    type=click.Choice(["off", "blend", "flow"]),
    default="flow",
    show_default=True,
    help="Against flicker.",
)
@click.option("--mirror", is_flag=True, help="Swap left and right.")
@click.option(
    "--fps",
    type=click.FloatRange(1, 240),
    help="Frames a second to hold, by painting smaller where need be. Default: the source's, up to 30.",
)
@click.option(
    "--size",
    metavar="HEIGHT|WxH",
    help="Paint at this size, whatever the rate, e.g. 360 or 640x360.",
)
@click.option("--record", type=_Path, metavar="FILE", help="Record from the start: mp4, mov, mkv or webm.")
@click.option(
    "--microphone",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Record its sound too: the usual one, or by the system's name.",
)
@click.option("-f", "--force", is_flag=True, help="Replace the recording if it exists.")
@click.option("--stream", metavar="ADDRESS", help="Send it on: rtmp, rtsp, udp, tcp.")
@click.option("--virtual-camera", is_flag=True, help="Be a camera for other programs.")
@click.option("--window/--no-window", default=None, help="Show it here. Default: unless --web is given.")
@click.option(
    "--web",
    is_flag=False,
    flag_value="",
    metavar="[HOST:PORT]",
    help="Show it on a page, 127.0.0.1:8000 unless said otherwise; other hosts than this one need a token.",
)
@click.option(
    "--token",
    envvar="VIDGAN_TOKEN",
    metavar="WORD",
    help="Of the page. Default: a new one where other hosts can reach it.",
)
@click.option("--certificate", type=_Path, metavar="FILE.pem", help="With its key, for the page's HTTPS.")
@click.option(
    "--most-upload",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    metavar="MB",
    help="Of a clip that is brought to the page.",
)
@click.option(
    "--most-clips",
    type=click.IntRange(1, 1000),
    default=16,
    show_default=True,
    help="That the page keeps at a time, of everybody.",
)
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True)
def live(input: str | None, **options: Any) -> None:
    """Paint a camera's picture while it is taken, or a film at its own pace, or a stream.

    Without FILM or ADDRESS a camera is opened. In the window, 'h' shows what the keys do. Ctrl-C ends it, and
    what was recorded is kept. The page of --web can do without a camera: visitors may send theirs.
    """
    if options["window"] is None:
        options["window"] = options["web"] is None
    if options["window"]:
        from vidgan.live.window.display import open_display

        open_display()
    from vidgan.live.controls import Controls, Look
    from vidgan.live.live import Live
    from vidgan.live.sources import open_live_source
    from vidgan.models.registry import bundled_models

    look = Look(**{field.name: options[field.name] for field in fields(Look)})
    styles = bundled_models("style")
    make_page = _page_of(look, styles, options)
    sourceless = input is None and options["screen"] is None
    if make_page is not None and sourceless and not options["window"] and _no_camera_meant():
        _serve_alone(make_page(None))
        return
    controls = Controls(look, styles=styles, recording=options["record"] is not None)
    source = open_live_source(input, **{name: options[name] for name in ("camera", "screen", "loop", "size")})
    whole = Live(
        source, controls, fps=options["fps"], size=options["size"], device=options["device"], say=_say
    )
    microphone = _microphone(options["microphone"])
    asked = {name: options[name] for name in ("record", "force", "stream", "virtual_camera")}
    shown = [] if input is None else [Path(input)]
    sinks = _sinks(whole, **asked, microphone=microphone, shown=shown)
    page = None if make_page is None else make_page(whole)
    watch = _watching(whole, window=options["window"])
    # Ctrl-C is how it ends, not what goes wrong.
    nothing = contextlib.nullcontext()
    with contextlib.suppress(KeyboardInterrupt), microphone or nothing, whole, page or nothing:
        for sink in sinks:
            whole.attach(sink)
        _tell_of(page)
        watch()
    state = whole.state()
    click.echo(f"{source.name}: {state.painted} frames painted, {state.dropped} that were late dropped")


def _page_of(
    look: "Look", styles: list[str], options: dict[str, Any]
) -> "Callable[[Live | None], Page] | None":
    """What makes the page that is asked for, of the picture that is shown to all; None if none is."""
    if options["web"] is None:
        return None
    try:
        from vidgan.live.web.page import Page
    except ImportError:
        raise OutputError("--web: needs aiohttp and aiortc; pip install 'vidgan[web]'") from None
    if Path(options["web"]).is_file():
        raise OutputError(f"--web {options['web']}: is a file; a film stands before --web")
    from vidgan.live.web.address import DEFAULT, parse_address
    from vidgan.live.web.server import Limits

    return lambda live: Page(
        live,
        look,
        styles=styles,
        address=parse_address(options["web"] or DEFAULT),
        token=options["token"],
        certificate=options["certificate"],
        limits=Limits(clip_bytes=options["most_upload"] * 1_000_000, clips=options["most_clips"]),
        device=options["device"],
    )


def _no_camera_meant() -> bool:
    """Whether no camera was named, and none is there."""
    from vidgan.live.sources.camera import cameras

    context = click.get_current_context()
    return context.get_parameter_source("camera") == ParameterSource.DEFAULT and not cameras()


def _serve_alone(page: "Page") -> None:
    """The page without a picture of its own, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt), page:
        click.echo("no camera is plugged in here; visitors may send theirs, or clips", err=True)
        _tell_of(page)
        while True:
            time.sleep(_TURN_SECONDS)
            page.check()
            look_for_ctrl_c()


def _tell_of(page: "Page | None") -> None:
    if page is not None:
        click.echo(f"page: {page.url}", err=True)
        if page.fingerprint:
            click.echo(f"note: browsers do not know its certificate; SHA-256 {page.fingerprint}", err=True)


def _microphone(name: str | None) -> "Microphone | None":
    """The one that is asked for, opened."""
    if name is None:
        return None
    from vidgan.live.sources.microphone import Microphone

    return Microphone(name)


def _sinks(
    live: "Live",
    *,
    record: Path | None,
    force: bool,
    stream: str | None,
    virtual_camera: bool,
    microphone: "Microphone | None",
    shown: list[Path],
) -> "list[LiveSink]":
    """What is asked for, and what keys may ask for later."""
    from vidgan.live.live import USUAL_RATE
    from vidgan.live.names import dated
    from vidgan.live.sinks.recording import RecordingSink
    from vidgan.live.sinks.snapshot import SnapshotSink
    from vidgan.live.sinks.stream import StreamSink
    from vidgan.live.sinks.virtual_camera import VirtualCameraSink

    fps, here = live.fps or USUAL_RATE, Path()
    film = record or dated(here, ".mp4")
    sinks: list[LiveSink] = [
        SnapshotSink(live.controls, here, live.say),
        RecordingSink(
            live.controls,
            film,
            fps=fps,
            say=live.say,
            overwrite=force and record is not None,
            inputs=shown,
            microphone=microphone,
        ),
    ]
    if stream is not None:
        sinks.append(StreamSink(stream, fps=fps, say=live.say))
    if virtual_camera:
        sinks.append(VirtualCameraSink(fps))
    return sinks


def _watching(live: "Live", *, window: bool) -> Callable[[], None]:
    """What the main thread does meanwhile."""
    if window:
        from vidgan.live.window.window import Window

        return Window(live, each_turn=look_for_ctrl_c).run

    def wait() -> None:
        while not live.wait(_TURN_SECONDS):
            look_for_ctrl_c()

    return wait


def _say(notice: str) -> None:
    click.echo(f"note: {notice}", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def devices(as_json: bool) -> None:
    """List the cameras that 'vidgan live --camera' takes."""
    from vidgan.live.sources.camera import cameras

    found = cameras()
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    for each in found:
        click.echo(f"{each.number:2}  {each.name}  ({each.address})")
    if not found:
        click.echo("no camera is plugged in, or the system lets nobody see it", err=True)
