"""``vidgan translate``, ``vidgan segment`` and ``vidgan colorize``."""

from pathlib import Path
from typing import Any

import click

from vidgan.cli.options import check_label_options, film_options, label_options, output_options
from vidgan.cli.single import check_stdout, run_single

_input = click.argument("input", type=click.Path(path_type=Path))
_output = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Default: INPUT.MODEL.suffix, beside it. 'frames/%06d.png': a picture for each frame; '-': stdout.",
)


@click.command()
@_input
@_output
@click.option("-m", "--model", metavar="NAME|FILE.onnx", help="See 'vidgan models'.")
@label_options
@film_options
@output_options
def translate(
    input: Path,
    output: Path | None,
    model: str | None,
    palette: Path | None,
    alike: tuple[tuple[str, str], ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Make a film of a film of label maps, or of another film; likewise pictures and folders of them."""
    if model is None:
        from vidgan.models.registry import bundled_models

        names = ", ".join(bundled_models("translate")) or "none that came with vidgan"
        raise click.UsageError(f"--model is missing; there are {names}, or give FILE.onnx")
    check_label_options(palette, alike)
    check_stdout(output, as_json=as_json)
    from vidgan.jobs.job import load_model
    from vidgan.jobs.job import translate as run
    from vidgan.media.label_map import read_palette

    device = options.pop("device")
    session = load_model(model, "translate", device=device)
    colours = None if palette is None else read_palette(palette, session.spec.classes, dict(alike))
    run_single(run, input, output, model=session, palette=colours, as_json=as_json, **options)


@click.command()
@_input
@_output
@click.option(
    "-m", "--model", metavar="NAME|FILE.onnx", default="camvid-segment", show_default=True,
    help="See 'vidgan models'.",
)  # fmt: skip
@film_options
@output_options
def segment(input: Path, output: Path | None, model: str, as_json: bool, **options: Any) -> None:
    """Draw label maps of a film, without loss, of a picture or a folder of pictures.

    PNGs, as '-o labels/%06d.png' or '-o labels' makes them, have class indices and show their colours.
    """
    check_stdout(output, as_json=as_json)
    from vidgan.jobs.job import segment as run

    run_single(run, input, output, model=model, as_json=as_json, **options)


@click.command()
@_input
@_output
@click.option(
    "-m", "--model", metavar="NAME|FILE.onnx", default="colorize", show_default=True,
    help="See 'vidgan models'.",
)  # fmt: skip
@click.option(
    "--strength", type=click.FloatRange(0, 2), default=1.0, show_default=True, help="How much colour."
)
@film_options
@output_options
def colorize(input: Path, output: Path | None, as_json: bool, **options: Any) -> None:
    """Give a grey film, picture or folder of pictures colours; lightness stays as it is."""
    check_stdout(output, as_json=as_json)
    from vidgan.jobs.job import colorize as run

    run_single(run, input, output, as_json=as_json, **options)
