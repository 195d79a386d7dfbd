"""Options of ``vidgan live``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_File = click.Path(path_type=Path, dir_okay=False)

_INPUT = (
    click.argument("input", required=False, metavar="[VIDEO|URL]"),
    click.option(
        "--camera", default="0", show_default=True, metavar="NUMBER|NAME", help="Camera; see 'vidgan cameras'."
    ),
    click.option(
        "--screen", is_flag=False, flag_value="", metavar="[WxH+X+Y]",
        help="Capture the screen, or a region of it by size and offset.",
    ),
    click.option("--loop", is_flag=True, help="Restart a video file when it ends."),
    click.option("--mirror", is_flag=True, help="Flip the input horizontally."),
)  # fmt: skip

_STYLE = (
    click.option(
        "-s", "--style", "styles", multiple=True, default=("starry",), show_default=True,
        metavar="NAME|FILE.onnx",
        help="Style to start with; see 'vidgan models'. Repeat the option to add styles of your own.",
    ),
    click.option(
        "--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True,
        help="Share of the style in the output.",
    ),
    click.option("--preserve-color", is_flag=True, help="Keep the colors of the input."),
    click.option(
        "--crossfade", type=click.FloatRange(0, 60), default=0.0, show_default=True, metavar="SECONDS",
        help="Crossfade when the style changes; both styles are computed meanwhile.",
    ),
    click.option(
        "--smooth", type=click.Choice(["off", "blend", "flow"]), default="flow", show_default=True,
        help="Temporal filter against flicker.",
    ),
)  # fmt: skip

_PROCESSING = (
    click.option(
        "--fps", type=click.FloatRange(1, 240),
        help="Frame rate to hold by adapting the resolution. Default: that of the source, up to 30.",
    ),
    click.option(
        "--size", metavar="HEIGHT|WxH",
        help="Fixed processing resolution such as 360 or 640x360, whatever the frame rate.",
    ),
    click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
        help="Where models run.",
    ),
)  # fmt: skip

_OUTPUT = (
    click.option("--record", type=_File, metavar="FILE", help="Record from the start: mp4, mov, mkv or webm."),
    click.option("-f", "--force", is_flag=True, help="Overwrite the recording if it exists."),
    click.option(
        "--stream", metavar="URL", help="Send the output to a server or player: rtmp, rtsp, udp, tcp, rtp, srt."
    ),
    click.option(
        "--keyframe-interval", type=click.FloatRange(0.1, 60), default=2.0, show_default=True,
        metavar="SECONDS",
        help="Keyframe interval of recordings and streams. Receivers that join wait for a keyframe.",
    ),
    click.option(
        "--audio/--no-audio", default=True, show_default=True,
        help="Keep the sound of a video or stream in recordings and streams.",
    ),
    click.option(
        "--microphone", is_flag=False, flag_value="", metavar="[NAME]",
        help="Use a microphone as the sound: the default device, or the system's name of one.",
    ),
    click.option("--virtual-camera", is_flag=True, help="Provide the output as a camera to other programs."),
    click.option("--window/--no-window", default=None, help="Preview window. Default: unless --web is given."),
    click.option(
        "--output-window", is_flag=False, flag_value="", metavar="[+X+Y]",
        help="Second window without text; with the offset of a second screen, in full screen there.",
    ),
)  # fmt: skip

_WEB = (
    click.option(
        "--web", is_flag=False, flag_value="", metavar="[HOST:PORT]",
        help="Serve a web page, by default at 127.0.0.1:8000; other hosts need a token to connect.",
    ),
    click.option("--open", "open_browser", is_flag=True, help="Open the page, and print its address as a QR code."),
    click.option(
        "--token", envvar="VIDGAN_TOKEN", metavar="TEXT",
        help="Token that the page requires. Default: a random one where other hosts can connect.",
    ),
    click.option("--certificate", type=_File, metavar="FILE.pem", help="Certificate and key for HTTPS."),
    click.option(
        "--max-upload", type=click.IntRange(1), default=500, show_default=True, metavar="MB",
        help="Size limit of a file that is uploaded to the page.",
    ),
    click.option(
        "--max-uploads", type=click.IntRange(1, 1000), default=16, show_default=True,
        help="Number of files that the page keeps, of all clients together.",
    ),
)  # fmt: skip

_CONTROL = (
    click.option(
        "--midi", is_flag=False, flag_value="", metavar="[NAME]",
        help="MIDI input: notes and program changes select styles, control changes set strength and mix.",
    ),
    click.option(
        "--midi-map", default="strength=1,mix=8", show_default=True, metavar="NAME=CC,...",
        help="Control change numbers.",
    ),
    click.option(
        "--osc", is_flag=False, flag_value="", metavar="[HOST:PORT]",
        help="Receive OSC at this address, by default 127.0.0.1:9000: /vidgan/style, /vidgan/strength, /vidgan/mix.",
    ),
)  # fmt: skip


def live_options(command: F) -> F:
    """Adds all options of ``vidgan live``."""
    for option in reversed((*_INPUT, *_STYLE, *_PROCESSING, *_OUTPUT, *_WEB, *_CONTROL)):
        command = option(command)
    return command
