"""The command that renders people who do not exist, the training data of pose transfer."""

from pathlib import Path

import click

from training.cli.options import Folder
from training.data.photos import list_photos
from training.people.dataset import render_people


@click.command("render-people")
@click.option("--people", type=Folder, required=True, help="Folder of clothes, hair, skins and motions.")
@click.option(
    "--photos", type=Folder, required=True, multiple=True, help="Folder of photos for prints; repeatable."
)
@click.option("--count", type=click.IntRange(1), default=300, show_default=True, help="People.")
@click.option("--views", type=click.IntRange(4), default=16, show_default=True, help="Images of each; even.")
@click.option("--side", type=click.IntRange(32), default=256, show_default=True, help="Of images, in pixels.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all random numbers.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder; people in it stay.")
def render(
    people: Path, photos: tuple[Path, ...], out: Path, count: int, views: int, side: int, seed: int
) -> None:
    """Render dressed people who do not exist, with part maps, key points and places on the surface.

    The first start of anny builds a file for minutes. An image takes 0.1 s; an interrupted run is continued.
    """
    render_people(
        out,
        count,
        people=people,
        photos=list_photos(photos),
        views=views + views % 2,
        side=side,
        seed=seed,
        report=click.echo,
    )
