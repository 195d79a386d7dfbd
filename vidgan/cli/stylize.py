"""``vidgan stylize``."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from vidgan.cli.options import painting_options
from vidgan.cli.progress import Progress
from vidgan.trim import Trim


@click.command()
@click.argument("input", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Default: INPUT.STYLE.suffix, beside it."
)
@painting_options
@click.option("-f", "--force", is_flag=True, help="Replace the output if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def stylize(
    input: Path,
    output: Path | None,
    start: Fraction | None,
    end: Fraction | None,
    frames: int | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Repaint a video or a picture in the style of a painting."""
    from vidgan.job import stylize as run

    with Progress(input.name, quiet=quiet) as progress:
        result = run(
            input,
            output,
            trim=Trim(start=start or Fraction(0), end=end, frames=frames),
            overwrite=force,
            on_start=lambda info: progress.start(info.frame_count),
            on_frame=progress.update,
            **settings,
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
