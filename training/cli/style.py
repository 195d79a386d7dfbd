"""Style transfer: a style of one's own, and those that come with vidgan."""

from pathlib import Path
from typing import Any

import click

from training.cli.options import (
    File,
    Folder,
    device_option,
    names,
    option_of,
    parse_weights,
    photos_option,
    run_options,
    weights_option,
)
from training.cli.running import recipes_in, run, run_as_asked
from training.core.trainer import CHECKPOINT
from training.recipes.style import CONTENT_LAYERS, NETWORKS, STYLE_LAYERS, StyleConfig, StyleRecipe, layers_of

BUNDLED = Path(__file__).parents[1] / "recipes" / "bundled.toml"


@click.command()
@click.option("--image", type=File, required=True, help="The painting.")
@photos_option
@weights_option
@click.option(
    "--loss-networks",
    type=click.Choice(["both", "vgg16", "squeezenet"]),
    default="squeezenet",
    show_default=True,
    help="Through which networks to look; VGG-16 paints crisper and takes several times as long.",
)
@option_of(StyleConfig, "network", "swift is for films, johnson the paper's.", choices=NETWORKS)
@click.option(
    "--init",
    type=File,
    help="Another style to start from, which saves most of the time: a checkpoint or a float32.onnx.",
)
@option_of(StyleConfig, "image_size", "Long side of the painting in pixels: smaller means smaller strokes.")
@option_of(StyleConfig, "stretch", "How far to stretch the painting's lightness to the full range, 0 to 1.")
@option_of(StyleConfig, "size", "Side of the training crops.")
@option_of(StyleConfig, "jitter", "Pixels by which the loss networks' view moves.")
@option_of(StyleConfig, "batch", "Pictures a step.")
@option_of(StyleConfig, "palette_steps", "Steps of learning the palette, before the painting.")
@option_of(StyleConfig, "steps", "Steps of learning to paint.")
@option_of(StyleConfig, "learning_rate", "Of Adam, at its highest.")
@option_of(StyleConfig, "content_weight", "Of each content layer.")
@option_of(StyleConfig, "style_weight", "Of each style layer.")
@option_of(StyleConfig, "colour_weight", "Of the mean and covariance of colours.")
@option_of(StyleConfig, "variation_weight", "Of the total variation.")
@option_of(StyleConfig, "grid_weight", "Of the generator's own grid in pictures without detail.")
@option_of(StyleConfig, "steady_weight", "Of the error of painting a moved photo otherwise.")
@click.option("--content-layers", metavar="NAME,…", help="Instead of the networks' usual ones.")
@click.option("--style-layers", metavar="NAME,…", help="Instead of the networks' usual ones.")
@option_of(StyleConfig, "seed", "Of everything random.")
@run_options
def style(
    image: Path,
    photos: tuple[Path, ...],
    weights: tuple[str, ...],
    loss_networks: str,
    init: Path | None,
    content_layers: str | None,
    style_layers: str | None,
    **settings: Any,
) -> None:
    """Learn to paint like one picture. Run it again to continue where it stopped."""
    run_as_asked(
        StyleRecipe,
        StyleConfig,
        image=str(image),
        photos=[str(folder) for folder in photos],
        weights=parse_weights(weights),
        init=str(init) if init else None,
        content_layers=names(content_layers) or layers_of(CONTENT_LAYERS, loss_networks),
        style_layers=names(style_layers) or layers_of(STYLE_LAYERS, loss_networks),
        **settings,
    )


@click.command()
@click.argument("names", nargs=-1)
@click.option("--paintings", type=Folder, required=True, help="Folder with the paintings.")
@photos_option
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the runs.")
@weights_option
@device_option
def bundled(
    names: tuple[str, ...],
    paintings: Path,
    photos: tuple[Path, ...],
    out: Path,
    weights: tuple[str, ...],
    device: str,
) -> None:
    """Train the styles that come with vidgan: all of them, or those named."""
    for name, style in recipes_in(BUNDLED, names, kind="style").items():
        config = StyleConfig(
            image=str(paintings / style["file"]),
            photos=[str(folder) for folder in photos],
            weights=parse_weights(weights),
            init=str(_weights_of(out / style["init"])) if "init" in style else None,
            **style.get("settings", {}),
        )
        click.echo(f"{name}: {style['title']}")
        run(StyleRecipe, config, out / name, device=device)


def _weights_of(run: Path) -> Path:
    """A run's checkpoint, or its export where only that was kept."""
    checkpoint, exported = run / CHECKPOINT, run / "onnx" / "float32.onnx"
    return exported if exported.exists() and not checkpoint.exists() else checkpoint
