"""Options of ``vidgan live``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from vidgan.cli.completion import complete_name
from vidgan.cli.options import HeadedOption, device_option

F = TypeVar("F", bound=Callable[..., Any])

_File = click.Path(path_type=Path, dir_okay=False)


def _option(heading: str, *declarations: str, **attributes: Any) -> Callable[[F], F]:
    return click.option(*declarations, cls=HeadedOption, heading=heading, **attributes)


_INPUT = (
    click.argument("input", required=False, metavar="[VIDEO|URL]"),
    _option(
        "Input",
        "--camera", default="0", show_default=True, metavar="NUMBER|NAME", help="Camera; see 'vidgan cameras'."
    ),
    _option(
        "Input",
        "--screen", is_flag=False, flag_value="", metavar="[WxH+X+Y]",
        help="Capture the screen, or a region of it by size and offset.",
    ),
    _option("Input", "--loop", is_flag=True, help="Restart a video file when it ends."),
    _option("Input", "--mirror", is_flag=True, help="Flip the input horizontally."),
)  # fmt: skip

_STYLE = (
    _option(
        "Model",
        "-s", "--style", "styles", multiple=True, default=("starry",), show_default=True,
        shell_complete=complete_name,
        metavar="NAME|IMAGE|FILE.onnx",
        help="Style to start with: a name from 'vidgan models', an image or a model file. "
        "Repeat the option to add styles of your own.",
    ),
    _option(
        "Model",
        "--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True,
        help="Share of the style in the output.",
    ),
    _option(
        "Model",
        "--stroke", type=click.FloatRange(1, 3), default=1.0, show_default=True,
        help="Width of the strokes, as a factor; wider strokes are faster.",
    ),
    _option("Model", "--preserve-color", is_flag=True, help="Keep the colors of the input."),
    _option(
        "Model",
        "--crossfade", type=click.FloatRange(0, 60), default=0.0, show_default=True, metavar="SECONDS",
        help="Crossfade when the style changes; both styles are computed meanwhile.",
    ),
    _option(
        "Faces",
        "--deidentify", "hide_faces", is_flag=False, flag_value="nobody", default="",
        metavar="[nobody|pixelate|blur|FILE.onnx]",
        help="Hide all faces before anything else, by pixels, a blur or a generator of faces; alone, no style is used.",
    ),
    _option(
        "Faces",
        "--passcode", is_flag=True,
        help="Store hidden faces with recordings, encrypted; 'vidgan reveal' brings them back. Asks for the passcode.",
    ),
    _option(
        "Faces",
        "--passcode-file", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
        help="File whose first line is the passcode.",
    ),
    _option(
        "Temporal",
        "--smooth", type=click.Choice(["off", "blend", "flow"]), default="flow", show_default=True,
        help="Temporal filter against flicker.",
    ),
    _option(
        "Temporal",
        "--reuse", type=click.Choice(["off", "auto", "2", "3", "4"]), default="auto", show_default=True,
        help="Generate one of N frames and carry it along the motion of the input to the others, where that explains "
        "them; duplicates repeat the former output. auto is 2 while the generator alone does not hold the frame rate.",
    ),
)  # fmt: skip

_PROCESSING = (
    _option(
        "Processing",
        "--fps", type=click.FloatRange(1, 240),
        help="Frame rate to hold by adapting the resolution. Default: that of the source, up to 30.",
    ),
    _option(
        "Processing",
        "--size", metavar="HEIGHT|WxH",
        help="Fixed processing resolution such as 360 or 640x360, whatever the frame rate.",
    ),
    device_option,
)  # fmt: skip

_OUTPUT = (
    _option(
        "Output", "--record", type=_File, metavar="FILE", help="Record from the start: mp4, mov, mkv or webm."),
    _option(
        "Output", "-f", "--force", is_flag=True, help="Overwrite the recording if it exists."),
    _option(
        "Output",
        "--stream", metavar="URL", help="Send the output to a server or player: rtmp, rtsp, udp, tcp, rtp, srt."
    ),
    _option(
        "Output",
        "--keyframe-interval", type=click.FloatRange(0.1, 60), default=2.0, show_default=True,
        metavar="SECONDS",
        help="Keyframe interval of recordings and streams. Receivers that join wait for a keyframe.",
    ),
    _option(
        "Output",
        "--audio/--no-audio", default=True, show_default=True,
        help="Keep the sound of a video or stream in recordings and streams.",
    ),
    _option(
        "Output",
        "--microphone", is_flag=False, flag_value="", metavar="[NAME]",
        help="Use a microphone as the sound: the default device, or the system's name of one.",
    ),
    _option(
        "Output", "--virtual-camera", is_flag=True, help="Provide the output as a camera to other programs."),
    _option(
        "Output", "--window/--no-window", default=None, help="Preview window. Default: unless --web is given."),
    _option(
        "Output",
        "--output-window", is_flag=False, flag_value="", metavar="[+X+Y]",
        help="Second window without text; with the offset of a second screen, in full screen there.",
    ),
)  # fmt: skip

_WEB = (
    _option(
        "Page",
        "--web", is_flag=False, flag_value="", metavar="[HOST:PORT]",
        help="Serve a web page, by default at 127.0.0.1:8000; other hosts need a token to connect.",
    ),
    _option(
        "Page", "--open", "open_browser", is_flag=True, help="Open the page, and print its address as a QR code."),
    _option(
        "Page",
        "--token", envvar="VIDGAN_TOKEN", metavar="TEXT",
        help="Token that the page requires. Default: a random one where other hosts can connect.",
    ),
    _option(
        "Page", "--certificate", type=_File, metavar="FILE.pem", help="Certificate and key for HTTPS."),
    _option(
        "Page",
        "--max-upload", type=click.IntRange(1), default=500, show_default=True, metavar="MB",
        help="Size limit of a file that is uploaded to the page.",
    ),
    _option(
        "Page",
        "--max-uploads", type=click.IntRange(1, 1000), default=16, show_default=True,
        help="Number of files that the page keeps, of all clients together.",
    ),
)  # fmt: skip

_CONTROL = (
    _option(
        "Control",
        "--midi", is_flag=False, flag_value="", metavar="[NAME]",
        help="MIDI input: notes and program changes select styles, control changes set strength and mix.",
    ),
    _option(
        "Control",
        "--midi-map", default="strength=1,mix=8", show_default=True, metavar="NAME=CC,...",
        help="Control change numbers.",
    ),
    _option(
        "Control",
        "--osc", is_flag=False, flag_value="", metavar="[HOST:PORT]",
        help="Receive OSC at this address, by default 127.0.0.1:9000: /vidgan/style, /vidgan/strength, /vidgan/mix.",
    ),
)  # fmt: skip


def live_options(command: F) -> F:
    """Adds all options of ``vidgan live``."""
    for option in reversed((*_INPUT, *_STYLE, *_PROCESSING, *_OUTPUT, *_WEB, *_CONTROL)):
        command = option(command)
    return command
