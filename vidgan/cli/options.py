"""Options that several commands share."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import click

from vidgan.media.trim import Trim, parse_time

F = TypeVar("F", bound=Callable[..., Any])


class _Time(click.ParamType[Fraction]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        try:
            return parse_time(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


class Size(click.ParamType[str]):
    """Width and height, even, as films have them."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        width, _, height = str(value).partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            self.fail(f"{value!r} is not WIDTHxHEIGHT, e.g. 1280x720", param, ctx)
        if any(not 16 <= int(side) <= 8192 or int(side) % 2 for side in (width, height)):
            self.fail(f"{value!r}: both sides must be even, from 16 to 8192", param, ctx)
        return str(value)


class Pair(click.ParamType[tuple[str, str]]):
    name = "pair"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        key, equals, text = str(value).partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, text


_STYLE = (
    click.option("-s", "--style", metavar="NAME|FILE.onnx", help="See 'vidgan models'."),
    click.option("--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True,
                 help="How much painting."),
    click.option("--preserve-color", is_flag=True, help="Keep the input's own colours."),
)  # fmt: skip

_UPSCALE = (
    click.option("-m", "--model", metavar="NAME|FILE.onnx", help="Upscaler, see 'vidgan models'."),
    click.option("--scale", type=click.Choice(["2", "4"]), help="Times as large; default 2."),
    click.option("--height", type=click.IntRange(16), metavar="PIXELS",
                 help="Of the output instead, up to 4 times the input's; the width follows."),
)  # fmt: skip

_LABELS = (
    click.option("--palette", type=click.Path(path_type=Path),
                 help="The own colours of label maps: lines of name, red, green, blue."),
    click.option("--like", "alike", multiple=True, type=Pair(), metavar="THEIRS=OURS",
                 help="Which class of the model a name in --palette is like; repeatable."),
)  # fmt: skip

_FILM = (
    click.option("--size", metavar="HEIGHT|WxH", help="Scale to this size first, e.g. 720 or 1280x720."),
    click.option("--from", "start", type=_Time(), metavar="TIME", help="Begin here, e.g. 90.5 or 1:30.5."),
    click.option("--to", "end", type=_Time(), metavar="TIME", help="End before this."),
    click.option("--frames", type=click.IntRange(1), metavar="N", help="At most so many frames."),
    click.option("--smooth", type=click.Choice(["off", "blend", "flow"]),
                 help="Against flicker: follow the motion, or merely mix with the last frame; "
                 "default flow, but off for upscalers and label maps."),
    click.option(
        "--smooth-strength", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How steady."
    ),
    click.option("--look-ahead", type=click.IntRange(0, 16), default=0, show_default=True, metavar="FRAMES",
                 help="Let frames to come steady this one too; each costs time."),
    click.option("--hwaccel", metavar="off|auto|NAME", default="off", show_default=True,
                 help="Let hardware decode the film: what works, or one by FFmpeg's name, e.g. cuda."),
    click.option("--encoder", metavar="NAME", help="Of a film, as FFmpeg calls it, e.g. libx265."),
    click.option("--crf", type=click.IntRange(0, 63), help="How well it encodes; lower is better."),
    click.option("--preset", metavar="NAME", help="How hard it tries, e.g. medium."),
    click.option("-e", "--encoder-option", "pairs", multiple=True, type=Pair(), metavar="KEY=VALUE",
                 help="Any other option of the encoder; repeatable."),
    click.option("--audio", type=click.Choice(["copy", "convert", "drop"]), default="copy", show_default=True,
                 help="Sound: keep its packets, or convert it where the output cannot hold them; always "
                 "convert it; leave it out."),
    click.option("--subtitles", type=click.Choice(["copy", "convert", "drop"]), default="copy",
                 show_default=True, help="Subtitles, likewise."),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "tensorrt"]), default="auto",
                 show_default=True),
)  # fmt: skip


_OUTPUT = (
    click.option("--rate", "--fps", "rate", type=click.FLOAT, metavar="FPS",
                 help="Frames a second, of a folder of pictures; default 25, of label maps 15."),
    click.option("--pipe-format", type=click.Choice(["nut", "y4m"]), default="nut", show_default=True,
                 help="Of what '-o -' writes to stdout."),
    click.option("-f", "--force", is_flag=True, help="Replace the output if it exists."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout."),
    click.option("--report", type=click.Path(path_type=Path, dir_okay=False),
                 help="Write the result, or why there is none, to a JSON file."),
    click.option("-q", "--quiet", is_flag=True, help="No progress."),
)  # fmt: skip


def style_options(command: F) -> F:
    """Adds how it is to be painted."""
    return _with(command, _STYLE)


def upscale_options(command: F) -> F:
    """Adds how large it is to become, and by what."""
    return _with(command, _UPSCALE)


def label_options(command: F) -> F:
    """Adds what the colours of label maps stand for."""
    return _with(command, _LABELS)


def film_options(command: F) -> F:
    """Adds what decides how frames come out, whatever is done to them."""
    return _with(command, _FILM)


def output_options(command: F) -> F:
    """Adds how one file is worked on, and how that is told."""
    return _with(command, _OUTPUT)


def _with(command: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def upscale_settings(scale: str | None, height: int | None) -> dict[str, Any]:
    """The arguments of :func:`vidgan.upscale` that say how large it shall be."""
    if scale is not None and height is not None:
        raise click.UsageError("--scale and --height both say how large it shall be; give one of them")
    return {"scale": None if scale is None else int(scale), "height": height}


def check_label_options(palette: Path | None, alike: tuple[tuple[str, str], ...]) -> None:
    """Refuses names of a palette without it."""
    if alike and palette is None:
        raise click.UsageError("--like is for names in --palette, which is missing")


def film_settings(
    *,
    start: Fraction | None,
    end: Fraction | None,
    frames: int | None,
    smooth: Any,
    crf: int | None,
    preset: str | None,
    pairs: tuple[tuple[str, str], ...],
    **others: Any,
) -> dict[str, Any]:
    """The arguments of :func:`vidgan.stylize` and :func:`vidgan.upscale` that those options stand for."""
    named = {"crf": None if crf is None else str(crf), "preset": preset}
    options = {key: text for key, text in named.items() if text is not None}
    # What is not said is for them to choose.
    chosen = {} if smooth is None else {"smooth": smooth}
    trim = Trim(start=start or Fraction(0), end=end, frames=frames)
    return others | chosen | {"trim": trim, "encoder_options": options | dict(pairs)}
