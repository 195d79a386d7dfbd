"""``vidgan stylize``."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from vidgan.cli.options import painting_options, painting_settings
from vidgan.cli.progress import Progress
from vidgan.cli.report import write_report
from vidgan.errors import VidganError
from vidgan.trim import Trim


@click.command()
@click.argument("input", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Default: INPUT.STYLE.suffix, beside it. 'frames/%06d.png': a picture for each frame; '-': stdout.",
)
@painting_options
@click.option("--rate", type=click.FLOAT, metavar="FPS", help="Frames a second, of a folder of pictures.")
@click.option(
    "--pipe-format",
    type=click.Choice(["nut", "y4m"]),
    default="nut",
    show_default=True,
    help="Of what '-o -' writes to stdout.",
)
@click.option("-f", "--force", is_flag=True, help="Replace the output if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the result, or why there is none, to a JSON file.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def stylize(
    input: Path,
    output: Path | None,
    start: Fraction | None,
    end: Fraction | None,
    frames: int | None,
    rate: float | None,
    force: bool,
    as_json: bool,
    report: Path | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Repaint a video, a picture or a folder of pictures in the style of a painting."""
    if as_json and output == Path("-"):
        raise click.UsageError("--json and '-o -' both want stdout")
    from vidgan.job import stylize as run

    trim = Trim(start=start or Fraction(0), end=end, frames=frames)
    try:
        with Progress(input.name, quiet=quiet) as progress:
            result = run(
                input,
                output,
                trim=trim,
                rate=None if rate is None else Fraction(rate).limit_denominator(1001),
                overwrite=force,
                on_start=lambda info: progress.start(info.frame_count),
                on_frame=progress.update,
                **painting_settings(**settings),
            )
    except VidganError as exc:
        if report is not None:
            write_report(report, {"input": str(input), "error": str(exc)})
        raise
    if report is not None:
        write_report(report, result.as_dict())
    for notice in result.notices:
        click.echo(f"note: {notice}", err=True)
    if as_json:
        click.echo(json.dumps(result.as_dict(), indent=2))
    else:
        click.echo(
            f"{result.output}: {result.frames} frames {result.width}x{result.height}, {result.model} "
            f"({result.precision}) on {result.device}, {result.seconds:.1f} s, {result.fps:.1f} fps",
            err=output == Path("-"),
        )
