"""``vidgan stylize``."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import click

from vidgan.cli.progress import Progress
from vidgan.trim import Trim, parse_time


class _Time(click.ParamType[Fraction]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        try:
            return parse_time(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


TIME = _Time()


@click.command()
@click.argument("input", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Default: INPUT.STYLE.suffix, beside it."
)
@click.option("-s", "--style", required=True, metavar="NAME|FILE.onnx", help="See 'vidgan models'.")
@click.option(
    "--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How much painting."
)
@click.option("--preserve-color", is_flag=True, help="Keep the input's own colours.")
@click.option("--size", metavar="HEIGHT|WxH", help="Scale to this size first, e.g. 720 or 1280x720.")
@click.option("--from", "start", type=TIME, metavar="TIME", help="Begin here, e.g. 90.5 or 1:30.5.")
@click.option("--to", "end", type=TIME, metavar="TIME", help="End before this.")
@click.option("--frames", type=click.IntRange(1), metavar="N", help="At most so many frames.")
@click.option("--smooth", type=click.Choice(["off", "blend", "flow"]), default="flow", show_default=True,
              help="Against flicker: follow the motion, or merely mix with the last frame.")  # fmt: skip
@click.option(
    "--smooth-strength", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="How steady."
)
@click.option("--look-ahead", type=click.IntRange(0, 16), default=0, show_default=True, metavar="FRAMES",
              help="Let frames to come steady this one too; each costs time.")  # fmt: skip
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("-f", "--force", is_flag=True, help="Replace the output if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def stylize(
    input: Path,
    output: Path | None,
    style: str,
    strength: float,
    preserve_color: bool,
    size: str | None,
    start: Fraction | None,
    end: Fraction | None,
    frames: int | None,
    smooth: Literal["off", "blend", "flow"],
    smooth_strength: float,
    look_ahead: int,
    device: Literal["auto", "cpu", "cuda"],
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Repaint a video or a picture in the style of a painting."""
    from vidgan.job import stylize as run

    with Progress(input.name, quiet=quiet) as progress:
        result = run(
            input,
            output,
            style=style,
            strength=strength,
            preserve_color=preserve_color,
            size=size,
            trim=Trim(start=start or Fraction(0), end=end, frames=frames),
            smooth=smooth,
            smooth_strength=smooth_strength,
            look_ahead=look_ahead,
            device=device,
            overwrite=force,
            on_start=lambda info: progress.start(info.frame_count),
            on_frame=progress.update,
        )
    for notice in result.notices:
        click.echo(f"note: {notice}", err=True)
    if as_json:
        click.echo(json.dumps(result.as_dict(), indent=2))
    else:
        click.echo(
            f"{result.output}: {result.frames} frames {result.width}x{result.height}, {result.model} "
            f"({result.precision}) on {result.device}, {result.seconds:.1f} s, {result.fps:.1f} fps"
        )
