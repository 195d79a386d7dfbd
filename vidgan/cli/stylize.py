"""``vidgan stylize``."""

from pathlib import Path
from typing import Any

import click

from vidgan.cli.options import film_options, output_options, style_options
from vidgan.cli.single import check_stdout, run_single


@click.command()
@click.argument("input", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Default: INPUT.STYLE.suffix, beside it. 'frames/%06d.png': a picture for each frame; '-': stdout.",
)
@style_options
@film_options
@output_options
def stylize(input: Path, output: Path | None, style: str | None, as_json: bool, **options: Any) -> None:
    """Repaint a video, a picture or a folder of pictures in the style of a painting."""
    if style is None:
        raise click.UsageError("--style is missing; 'vidgan models' lists them")
    check_stdout(output, as_json=as_json)
    from vidgan.jobs.job import stylize as run

    run_single(run, input, output, style=style, as_json=as_json, **options)
