"""Translation: conditional GANs of one's own, what judges them, and those that come with vidgan."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import torch

from training.cli.options import (
    File,
    Folder,
    device_option,
    option_of,
    photos_option,
    pick_precision,
    run_options,
)
from training.cli.running import Config, PhotoRecipe, recipes_in, run, run_as_asked
from training.core.trainer import CHECKPOINT
from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.losses.pixel import PIXEL_LOSSES
from training.networks.unet import NORMS
from training.recipes.pix2pix import Pix2PixConfig, Pix2PixRecipe
from training.recipes.segmentation import SegmentationConfig, SegmentationRecipe
from training.recipes.vid2vid import Vid2VidConfig, Vid2VidRecipe

RECIPES = Path(__file__).parents[1] / "recipes" / "translators.toml"

_FOLDERS = (
    "inputs", "targets", "photos", "labels",
    "drive_labels", "drive_photos", "still_labels", "still_photos",
)  # fmt: skip

_gan_options = [
    option_of(Pix2PixConfig, "network", "The generator.", choices=("unet", "resnet")),
    option_of(Pix2PixConfig, "norm", "Of its layers.", choices=NORMS),
    option_of(Pix2PixConfig, "pixel", "How pixels differ.", choices=PIXEL_LOSSES),
    option_of(Pix2PixConfig, "adversarial", "The form of the game.", choices=ADVERSARIAL_LOSSES),
    click.option("--conditional/--unconditional", default=True, help="Whether the judge sees the input."),
    click.option("--grain/--no-grain", default=False, help="See noise as well, to make texture of."),
    click.option("--dropout/--no-dropout", default=True, help="The paper's noise."),
    option_of(Pix2PixConfig, "width", "Channels of the generator's first stage."),
    option_of(Pix2PixConfig, "depth", "Stages of a U-Net, or residual blocks."),
    option_of(Pix2PixConfig, "height", "Of what is trained on."),
    option_of(Pix2PixConfig, "coarse_steps", "First steps, at half of that size."),
    option_of(Pix2PixConfig, "pixel_weight", "Of the difference of pixels; 0 is without."),
    option_of(Pix2PixConfig, "adversarial_weight", "Of what the judge says; 0 is without."),
    option_of(Pix2PixConfig, "discriminator_width", "Channels of the judge's first stage."),
    option_of(Pix2PixConfig, "scales", "Judges, each for pictures half as large as the one before."),
    option_of(Pix2PixConfig, "judge_rate", "Learning rate of judges, as a share of the generator's."),
    option_of(Pix2PixConfig, "jitter", "How much the colours that judges see change at random."),
    option_of(Pix2PixConfig, "batch", "Pictures a step."),
    option_of(Pix2PixConfig, "steps", "Steps of training."),
    option_of(Pix2PixConfig, "learning_rate", "At its highest."),
    option_of(Pix2PixConfig, "seed", "Of everything random."),
]


def _with_gan_options(command: Callable[..., None]) -> Callable[..., None]:
    for each in reversed(_gan_options):
        command = each(command)
    return command


@click.command()
@click.option(
    "--pairs",
    type=Folder,
    required=True,
    help="Folder with a folder of inputs and one of targets, or with pictures of both, side by side.",
)
@click.option("--input", "inputs", default="input", show_default=True, help="Name of the folder within.")
@click.option("--target", "targets", default="target", show_default=True, help="Name of the folder within.")
@click.option(
    "--classes",
    default="",
    metavar="FILE",
    help="Inputs are label maps of these classes: lines of name, red, green, blue; or camvid.",
)
@click.option(
    "--target-classes", default="", metavar="FILE", help="Targets are label maps of these classes; likewise."
)
@option_of(Pix2PixConfig, "length", "Of what is trained on.")
@_with_gan_options
@run_options
def pix2pix(pairs: Path, inputs: str, targets: str, **settings: Any) -> None:
    """Learn from pairs to make of one picture the other. Run it again to continue where it stopped."""
    if settings["classes"] and settings["target_classes"]:
        raise click.UsageError("--classes and --target-classes: label maps are on one side alone")
    apart = (pairs / inputs).is_dir() and (pairs / targets).is_dir()
    before, after = (pairs / inputs, pairs / targets) if apart else (pairs, pairs)
    run_as_asked(Pix2PixRecipe, Pix2PixConfig, inputs=str(before), targets=str(after), **settings)


@click.command()
@photos_option
@_with_gan_options
@run_options
def colorize(photos: tuple[Path, ...], **settings: Any) -> None:
    """Learn what colours grey photos had. Run it again to continue where it stopped."""
    run_as_asked(Pix2PixRecipe, Pix2PixConfig, photos=[str(folder) for folder in photos], **settings)


@click.command()
@click.option("--photos", type=Folder, required=True, help="Folder of photos.")
@click.option("--labels", type=Folder, required=True, help="Folder of their label maps, named alike.")
@click.option("--classes", default="camvid", show_default=True, metavar="FILE", help="As of pix2pix.")
@option_of(SegmentationConfig, "width", "Channels of the first stage.")
@option_of(SegmentationConfig, "depth", "Stages.")
@option_of(SegmentationConfig, "height", "Of what is trained on.")
@option_of(SegmentationConfig, "length", "Of what is trained on.")
@option_of(SegmentationConfig, "rare", "How much more pixels of rare classes weigh; 0 is not.")
@option_of(SegmentationConfig, "batch", "Pictures a step.")
@option_of(SegmentationConfig, "steps", "Steps of training.")
@option_of(SegmentationConfig, "learning_rate", "At its highest.")
@option_of(SegmentationConfig, "seed", "Of everything random.")
@run_options
def segmentation(photos: Path, labels: Path, **settings: Any) -> None:
    """Learn to see classes of things in photos. Run it again to continue where it stopped."""
    run_as_asked(SegmentationRecipe, SegmentationConfig, photos=str(photos), labels=str(labels), **settings)


@click.command()
@click.option("--drive-photos", type=Folder, required=True, help="Frames of a film, in the order of names.")
@click.option("--drive-labels", type=Folder, required=True, help="Their label maps, named alike.")
@click.option("--still-photos", type=Folder, required=True, help="Single photos, to be moved over.")
@click.option("--still-labels", type=Folder, required=True, help="Their label maps, named alike.")
@click.option("--classes", default="camvid", show_default=True, metavar="FILE", help="As of pix2pix.")
@click.option("--init", type=File, help="A checkpoint of pix2pix with the same classes to start from.")
@option_of(Vid2VidConfig, "frames", "Of the film that are trained on; the rest is for evaluation.")
@option_of(Vid2VidConfig, "width", "Channels of the first stage.")
@option_of(Vid2VidConfig, "depth", "Stages.")
@option_of(Vid2VidConfig, "height", "Of what is trained on.")
@option_of(Vid2VidConfig, "length", "Of what is trained on.")
@option_of(Vid2VidConfig, "coarse_steps", "First steps, at half of that size.")
@option_of(Vid2VidConfig, "run", "Frames that are painted in a row.")
@option_of(Vid2VidConfig, "pixel_weight", "Of the difference of pixels.")
@option_of(Vid2VidConfig, "flow_weight", "Of what the flow gets wrong.")
@option_of(Vid2VidConfig, "steady_weight", "Of what moved and changed.")
@option_of(Vid2VidConfig, "matching_weight", "Of what the judge sees in pictures.")
@option_of(Vid2VidConfig, "adversarial_weight", "Of what the judges say.")
@option_of(Vid2VidConfig, "batch", "Films at once.")
@option_of(Vid2VidConfig, "steps", "Frames of each film that are painted, in all.")
@option_of(Vid2VidConfig, "learning_rate", "At its highest.")
@option_of(Vid2VidConfig, "seed", "Of everything random.")
@run_options
def vid2vid(init: Path | None, **settings: Any) -> None:
    """Learn to make films of films of label maps. Run it again to continue where it stopped."""
    settings = {key: str(value) if key in _FOLDERS else value for key, value in settings.items()}
    run_as_asked(Vid2VidRecipe, Vid2VidConfig, init=str(init) if init else None, **settings)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--data", type=Folder, required=True, help="Folder with the folders that recipes name.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the runs.")
@click.option("--steps", type=int, help="Instead of the recipe's, for a trial.")
@device_option
def translators(names: tuple[str, ...], data: Path, out: Path, steps: int | None, device: str) -> None:
    """Train the translators that come with vidgan: all of them, or those named."""
    for name, settings in recipes_in(RECIPES, names, kind="translator").items():
        click.echo(f"{name}: {settings.pop('title')}")
        build, configure = KINDS[settings["recipe"]]
        settings |= {"steps": steps} if steps else {}
        settings |= {"init": str(out / settings["init"] / CHECKPOINT)} if "init" in settings else {}
        config = configure(
            precision=pick_precision("auto", device),
            **{key: _in(data, value) if key in _FOLDERS else value for key, value in settings.items()},
        )
        run(build, config, out / name, device=device)


KINDS: dict[str, tuple[Callable[[Any, torch.device], PhotoRecipe], Callable[..., Config]]] = {
    "pix2pix": (Pix2PixRecipe, Pix2PixConfig),
    "segmentation": (SegmentationRecipe, SegmentationConfig),
    "vid2vid": (Vid2VidRecipe, Vid2VidConfig),
}
"""What trains a recipe, and what decides it, by its name in a run's configuration."""


def _in(data: Path, value: str | list[str]) -> str | list[str]:
    return str(data / value) if isinstance(value, str) else [str(data / each) for each in value]
