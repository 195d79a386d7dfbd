"""``vidgan refine``."""

from pathlib import Path

import click

_Path = click.Path(path_type=Path)


@click.command()
@click.argument("image", type=_Path)
@click.option(
    "--photos", type=_Path, multiple=True, required=True, help="Folder of photos to train with; repeatable."
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="Time to train for.",
)
@click.option("--name", help="Name of the model; default: the image's.")
@click.option(
    "--stroke",
    type=click.FloatRange(0.25, 2),
    default=1.0,
    show_default=True,
    help="Size of the strokes.",
)
@click.option("-f", "--force", is_flag=True, help="Replace an added model of that name.")
def refine(
    image: Path, photos: tuple[Path, ...], minutes: float, name: str | None, stroke: float, force: bool
) -> None:
    """Train the style of IMAGE further, and add it as a model.

    The universal style model makes a style of an image in seconds; some minutes of training on that image bring it
    close to a style that was trained for hours. Needs a copy of vidgan's source with the extra 'train'. After an
    interruption the same command continues.
    """
    from vidgan.tasks.style.refinement import refine as refine_style

    folder = refine_style(
        image, photos, minutes=minutes, name=name, stroke=stroke, overwrite=force, on_line=click.echo
    )
    click.echo(
        f"added as {folder.name!r} in {folder}; use it with\n    vidgan stylize VIDEO --style {folder.name}"
    )
