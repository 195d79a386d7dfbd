"""``vidgan upscale``."""

from pathlib import Path
from typing import Any

import click

from vidgan.cli.options import film_options, output_options, upscale_options, upscale_settings
from vidgan.cli.single import check_stdout, run_single


@click.command()
@click.argument("input", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Default: INPUT.MODEL.suffix, beside it. 'frames/%06d.png': a picture for each frame; '-': stdout.",
)
@upscale_options
@film_options
@output_options
def upscale(
    input: Path,
    output: Path | None,
    model: str | None,
    scale: str | None,
    height: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Enlarge a video, a picture or a folder of pictures, by swift where no other model is named."""
    check_stdout(output, as_json=as_json)
    sizes = upscale_settings(scale, height)
    from vidgan.jobs.job import upscale as run

    run_single(run, input, output, model=model or "swift", as_json=as_json, **sizes, **options)
