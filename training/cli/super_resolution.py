"""Super-resolution: an upscaler of one's own, and those that come with vidgan."""

from pathlib import Path
from typing import Any

import click

from training.cli.options import (
    File,
    Folder,
    device_option,
    eyes_option,
    names,
    option_of,
    parse_weights,
    photos_option,
    pick_precision,
    run_options,
    weights_option,
)
from training.cli.running import recipes_in, run, run_as_asked
from training.core.trainer import CHECKPOINT
from training.data.degradation import DEGRADATIONS
from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.losses.pixel import PIXEL_LOSSES
from training.networks import UPSCALERS
from training.recipes.super_resolution import (
    DISCRIMINATORS,
    FEATURE_LAYERS,
    OPTIMIZERS,
    SuperResolutionConfig,
    SuperResolutionRecipe,
)

RECIPES = Path(__file__).parents[1] / "recipes" / "upscalers.toml"


@click.command()
@photos_option
@weights_option
@run_options
@option_of(SuperResolutionConfig, "network", "What enlarges.", choices=UPSCALERS)
@click.option("--scale", type=click.Choice([2, 4]), default=4, show_default=True, help="How much larger.")
@option_of(
    SuperResolutionConfig,
    "degradation",
    "How photos become small: plainly, or as films are: soft, noisy, compressed.",
    choices=DEGRADATIONS,
)
@option_of(SuperResolutionConfig, "pixel", "How pixels differ.", choices=PIXEL_LOSSES)
@option_of(SuperResolutionConfig, "adversarial", "The form of the game.", choices=ADVERSARIAL_LOSSES)
@option_of(
    SuperResolutionConfig,
    "discriminator",
    "What the game is against: patch learns to see, projected can.",
    choices=DISCRIMINATORS,
)
@eyes_option
@option_of(SuperResolutionConfig, "optimizer", "Of the upscaler.", choices=OPTIMIZERS)
@click.option("--feature-layers", metavar="NAME,…", default=",".join(FEATURE_LAYERS), show_default=True)
@click.option("--shrinks", metavar="SHARE,…", default="1,0.7", show_default=True, help="Sizes of photos.")
@click.option("--init", type=File, help="A checkpoint of the same network to start from.")
@option_of(SuperResolutionConfig, "size", "Side of the small pictures.")
@option_of(SuperResolutionConfig, "batch", "Pictures a step.")
@option_of(SuperResolutionConfig, "steps", "Steps of training.")
@option_of(SuperResolutionConfig, "learning_rate", "At its highest.")
@option_of(SuperResolutionConfig, "pixel_weight", "Of the difference of pixels.")
@option_of(SuperResolutionConfig, "colour_weight", "Of the difference of mean colours.")
@option_of(SuperResolutionConfig, "feature_weight", "Of the distance to a network's eye.")
@option_of(SuperResolutionConfig, "spectrum_weight", "Of frequencies that stand out, as a grid's do.")
@option_of(SuperResolutionConfig, "grid_weight", "Of detail that prefers places in a cell.")
@option_of(SuperResolutionConfig, "adversarial_weight", "Of what a discriminator says.")
@option_of(SuperResolutionConfig, "seed", "Of everything random.")
def sr(
    photos: tuple[Path, ...],
    weights: tuple[str, ...],
    feature_layers: str,
    shrinks: str,
    eyes: Path | None,
    init: Path | None,
    **settings: Any,
) -> None:
    """Learn to make pictures larger. Run it again to continue where it stopped."""
    run_as_asked(
        SuperResolutionRecipe,
        SuperResolutionConfig,
        photos=[str(folder) for folder in photos],
        weights=parse_weights(weights),
        feature_layers=names(feature_layers),
        shrinks=[float(share) for share in names(shrinks)],
        eyes=str(eyes) if eyes else None,
        init=str(init) if init else None,
        **settings,
    )


@click.command()
@click.argument("names", nargs=-1)
@click.option("--data", type=Folder, required=True, help="Folder of the photos folders that recipes name.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the runs.")
@weights_option
@eyes_option
@click.option("--steps", type=int, help="Instead of the recipe's, for a trial.")
@device_option
def upscalers(
    names: tuple[str, ...],
    data: Path,
    out: Path,
    weights: tuple[str, ...],
    eyes: Path | None,
    steps: int | None,
    device: str,
) -> None:
    """Train the upscalers that come with vidgan: all of them, or those named."""
    for name, settings in recipes_in(RECIPES, names, kind="upscaler").items():
        title, init, photos = settings.pop("title"), settings.pop("init", None), settings.pop("photos")
        if steps:
            settings["steps"] = steps
        config = SuperResolutionConfig(
            photos=[str(data / folder) for folder in photos],
            weights=parse_weights(weights),
            eyes=str(eyes) if eyes else None,
            init=str(out / init / CHECKPOINT) if init else None,
            precision=pick_precision("auto", device),
            **settings,
        )
        click.echo(f"{name}: {title}")
        run(SuperResolutionRecipe, config, out / name, device=device)
