"""Style transfer for any painting."""

from pathlib import Path
from typing import Any

import click

from training.cli.options import File, option_of, parse_weights, photos_option, run_options, weights_option
from training.cli.running import run_as_asked
from training.recipes.any_style import AnyStyleConfig, AnyStyleRecipe

_PAUSE = 240.0
"""Seconds between checkpoints: a sheet of many paintings takes some."""


@click.command("any-style")
@click.option(
    "--paintings",
    multiple=True,
    required=True,
    metavar="FOLDER[=SHARE]",
    help="Folder of paintings, and how often one of them is drawn; repeatable.",
)
@photos_option
@weights_option
@click.option(
    "--init",
    type=(File, File),
    multiple=True,
    metavar="FLOAT32.ONNX PAINTING",
    help="A trained style to start from, and its painting; repeatable.",
)
@click.option("--checkpoint", type=File, help="A run of this recipe to start from instead.")
@option_of(AnyStyleConfig, "experts", "Kernels that each layer mixes.")
@option_of(AnyStyleConfig, "size", "Side of the crops of photos.")
@option_of(AnyStyleConfig, "painting_size", "Side of the crops of paintings.")
@option_of(AnyStyleConfig, "batch", "Photos a step, each painted in another style.")
@option_of(AnyStyleConfig, "steps", "Steps.")
@option_of(AnyStyleConfig, "learning_rate", "Of Muon and Adam, at its highest.")
@option_of(AnyStyleConfig, "style_weight", "Of each style layer.")
@option_of(AnyStyleConfig, "colour_weight", "Of the mean and covariance of colours.")
@option_of(AnyStyleConfig, "variation_weight", "Of the total variation.")
@option_of(AnyStyleConfig, "grid_weight", "Of the generator's own grid in pictures without detail.")
@option_of(AnyStyleConfig, "steady_weight", "Of the error of painting a moved photo otherwise.")
@option_of(AnyStyleConfig, "seed", "Of everything random.")
@run_options
def any_style(
    paintings: tuple[str, ...],
    photos: tuple[Path, ...],
    weights: tuple[str, ...],
    init: tuple[tuple[Path, Path], ...],
    checkpoint: Path | None,
    **settings: Any,
) -> None:
    """Learn to paint like any picture. Run it again to continue where it stopped."""
    shares = {}
    for each in paintings:
        folder, _, share = each.partition("=")
        shares[folder] = float(share or 1)
    run_as_asked(
        AnyStyleRecipe,
        AnyStyleConfig,
        checkpoint_pause=_PAUSE,
        paintings=shares,
        photos=[str(folder) for folder in photos],
        weights=parse_weights(weights),
        init=[str(checkpoint)] if checkpoint else [str(style) for style, _ in init],
        init_paintings=[str(painting) for _, painting in init],
        **settings,
    )
