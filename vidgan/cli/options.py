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
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True),
)  # fmt: skip


def painting_options(command: F) -> F:
    """Adds what decides how frames are painted."""
    for option in reversed(_PAINTING):
        command = option(command)
    return command
