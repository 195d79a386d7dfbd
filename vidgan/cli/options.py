"""Options that several commands share."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import click

from vidgan.trim import parse_time

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


class _Pair(click.ParamType[tuple[str, str]]):
    name = "pair"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        key, equals, text = str(value).partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, text


_PAINTING = (
    click.option("-s", "--style", required=True, metavar="NAME|FILE.onnx", help="See 'vidgan models'."),
    click.option(
        "--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How much painting."
    ),
    click.option("--preserve-color", is_flag=True, help="Keep the input's own colours."),
    click.option("--size", metavar="HEIGHT|WxH", help="Scale to this size first, e.g. 720 or 1280x720."),
    click.option("--from", "start", type=_Time(), metavar="TIME", help="Begin here, e.g. 90.5 or 1:30.5."),
    click.option("--to", "end", type=_Time(), metavar="TIME", help="End before this."),
    click.option("--frames", type=click.IntRange(1), metavar="N", help="At most so many frames."),
    click.option("--smooth", type=click.Choice(["off", "blend", "flow"]), default="flow", show_default=True,
                 help="Against flicker: follow the motion, or merely mix with the last frame."),
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
    click.option("-e", "--encoder-option", "pairs", multiple=True, type=_Pair(), metavar="KEY=VALUE",
                 help="Any other option of the encoder; repeatable."),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
)  # fmt: skip


def painting_options(command: F) -> F:
    """Adds what decides how frames are painted."""
    for option in reversed(_PAINTING):
        command = option(command)
    return command


def painting_settings(
    *, crf: int | None, preset: str | None, pairs: tuple[tuple[str, str], ...], **settings: Any
) -> dict[str, Any]:
    """The arguments of :func:`vidgan.stylize` that those options stand for."""
    named = {"crf": None if crf is None else str(crf), "preset": preset}
    options = {key: text for key, text in named.items() if text is not None}
    return settings | {"encoder_options": options | dict(pairs)}
