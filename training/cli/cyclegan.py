"""CycleGAN: a translator of one's own, from two folders, and those that there are recipes of."""

from pathlib import Path
from typing import Any

import click

from training.cli.options import (
    File,
    Folder,
    device_option,
    eyes_option,
    option_of,
    pick_precision,
    run_options,
)
from training.cli.running import recipes_in, run, run_as_asked
from training.core.trainer import CHECKPOINT
from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.losses.pixel import PIXEL_LOSSES
from training.recipes.cyclegan import DISCRIMINATORS, NETWORKS, OPTIMIZERS, CycleGANConfig, CycleGANRecipe

RECIPES = Path(__file__).parents[1] / "recipes" / "cyclegan.toml"


@click.command()
@click.option("--a", type=Folder, required=True, help="Folder of pictures, say photos.")
@click.option("--b", type=Folder, required=True, help="Folder of what they shall look like, say paintings.")
@run_options
@option_of(CycleGANConfig, "network", "swift-translator is for films, resnet the paper's.", choices=NETWORKS)
@option_of(CycleGANConfig, "adversarial", "The form of the game.", choices=ADVERSARIAL_LOSSES)
@option_of(CycleGANConfig, "cycle", "How what comes back differs; l1 is the paper's.", choices=PIXEL_LOSSES)
@option_of(CycleGANConfig, "optimizer", "Of the generators.", choices=OPTIMIZERS)
@option_of(CycleGANConfig, "discriminator", "patch is the paper's.", choices=DISCRIMINATORS)
@eyes_option
@click.option("--init", type=File, help="Another run's checkpoint to start from.")
@option_of(CycleGANConfig, "size", "Side of the training crops.")
@option_of(CycleGANConfig, "short_side", "Short side that pictures are brought to before, in pixels.")
@option_of(CycleGANConfig, "trim", "Share of the sides of b's pictures to cut off: frames, margins.")
@option_of(CycleGANConfig, "batch", "Pictures a step, of each folder.")
@option_of(CycleGANConfig, "first_steps", "Steps before the game, of learning to change nothing.")
@option_of(CycleGANConfig, "steps", "Steps of the game.")
@option_of(CycleGANConfig, "learning_rate", "At its highest.")
@option_of(CycleGANConfig, "cycle_weight", "Of what comes back otherwise than it went.")
@option_of(CycleGANConfig, "late_cycle", "Share of that weight in the second half of the steps.")
@option_of(CycleGANConfig, "identity_share", "Of that weight, for changing what is already of its kind.")
@option_of(CycleGANConfig, "steady_weight", "Of the error of translating a moved picture otherwise.")
@option_of(CycleGANConfig, "grid_weight", "Of a generator's own grid in pictures without detail.")
@option_of(CycleGANConfig, "pool", "Pictures that a discriminator remembers.")
@option_of(CycleGANConfig, "discriminator_width", "Channels of a discriminator's first stage.")
@option_of(CycleGANConfig, "scales", "Discriminators of ever smaller pictures.")
@option_of(CycleGANConfig, "seed", "Of everything random.")
def cyclegan(a: Path, b: Path, eyes: Path | None, init: Path | None, **settings: Any) -> None:
    """Learn to make pictures of one folder look like those of another, and the way back, without pairs.

    Run it again to continue where it stopped.
    """
    run_as_asked(
        CycleGANRecipe,
        CycleGANConfig,
        a=str(a),
        b=str(b),
        eyes=str(eyes) if eyes else None,
        init=str(init) if init else None,
        **settings,
    )


@click.command()
@click.argument("names", nargs=-1)
@click.option("--data", type=Folder, required=True, help="Folder of the folders that recipes name.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the runs.")
@click.option("--steps", type=int, help="Instead of the recipe's, for a trial.")
@eyes_option
@device_option
def cyclegans(
    names: tuple[str, ...], data: Path, out: Path, steps: int | None, eyes: Path | None, device: str
) -> None:
    """Train the translators that there are recipes of: all of them, or those named."""
    for name, settings in recipes_in(RECIPES, names, kind="translator").items():
        title, a, b = settings.pop("title"), settings.pop("a"), settings.pop("b")
        if "init" in settings:
            settings["init"] = str(out / settings["init"] / CHECKPOINT)
        if steps:
            settings["steps"] = steps
        config = CycleGANConfig(
            a=str(data / a),
            b=str(data / b),
            precision=pick_precision("auto", device),
            eyes=str(eyes) if eyes else None,
            **settings,
        )
        click.echo(f"{name}: {title}")
        run(CycleGANRecipe, config, out / name, device=device)
