"""Commands that train a recipe with settings from the command line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import torch
from click.core import ParameterSource

from training.cli.options import (
    File,
    TrainCommand,
    config_options,
    names,
    pick_device,
    pick_precision,
    run_options,
)
from training.cli.universal_start import universal_weights
from training.core.recipe import RecipeConfig, RecipeEntry
from training.core.run_folder import CHECKPOINT, CONFIG, prepare_run, read_config
from training.core.trainer import train
from training.recipes import RECIPES
from training.recipes.any_style import ANY_STYLE
from training.recipes.pix2pix import PIX2PIX
from training.recipes.style import CONTENT_LAYERS, STYLE, STYLE_LAYERS, StyleConfig, layers_of

RESUME = "Run the same command again to continue after an interruption."
"""The end of every command's help."""


def train_run(
    entry: RecipeEntry, config: RecipeConfig, out: Path, *, device: str, tensorboard: bool = False
) -> None:
    """Trains to the last step, from the checkpoint in ``out`` if there is one."""
    longer = prepare_run(out, config.as_dict())
    recipe = entry.recipe(config, pick_device(device))
    click.echo(f"{len(recipe.photos)} photos, {len(recipe.held_out)} held out, on {recipe.device}")
    if longer:
        click.echo(
            f"lengthened by {longer} steps, to {recipe.steps}; the learning rate follows the longer schedule"
        )
    train(recipe, out, checkpoint_pause=entry.checkpoint_pause, tensorboard=tensorboard)
    for direction in entry.directions[1:]:
        click.echo(f"the other network: python -m export {out} --direction {direction}")
    click.echo(f"done: {out}; next: python -m export {out}")


def train_commands() -> Iterator[click.Command]:
    """The commands of recipes whose options are their settings."""
    for entry in RECIPES.values():
        if entry.command is not None:
            yield train_command(entry)


def train_command(entry: RecipeEntry) -> click.Command:
    """The command of a recipe, with an option for each of its settings."""
    assert entry.command is not None
    name, summary = entry.command

    @click.command(name, cls=TrainCommand, help=f"{summary}\n\n{RESUME}")
    @config_options(entry.config)
    @run_options
    def command(**settings: Any) -> None:
        train_settings(entry, **settings)

    return command


def train_settings(
    entry: RecipeEntry,
    *,
    out: Path,
    precision: str,
    device: str,
    threads: int | None,
    tensorboard: bool,
    **settings: Any,
) -> None:
    """Trains with the values of :data:`training.cli.options.run_options` and the recipe's settings."""
    if threads:
        torch.set_num_threads(threads)
    config = entry.config(precision=pick_precision(precision, device), **settings)
    train_run(entry, config, out, device=device, tensorboard=tensorboard)


@click.command(cls=TrainCommand, help=f"Train the style of one painting.\n\n{RESUME}")
@click.option(
    "--loss-networks",
    type=click.Choice(["both", "vgg16", "squeezenet"]),
    default="squeezenet",
    show_default=True,
    help="Loss networks; with VGG-16 strokes are crisper, and training takes several times as long.",
)
@config_options(STYLE.config, omit=("content_layers", "style_layers", "steps", "palette_steps"))
@click.option(
    "--steps",
    type=click.IntRange(2),
    default=StyleConfig.steps + StyleConfig.palette_steps,
    show_default=True,
    help="Training steps, those of the palette among them.",
)
@click.option(
    "--palette-steps",
    type=click.IntRange(0),
    show_default=f"a tenth, at most {StyleConfig.palette_steps}",
    help="First steps, which learn the palette alone; none with --init.",
)
@click.option(
    "--from-scratch",
    is_flag=True,
    help="Start from fresh weights; without it and --init, a run of swift starts from those that the universal style "
    "model gives the painting, where that model is installed.",
)
@click.option("--content-layers", metavar="NAME,…", help="Instead of the networks' default content layers.")
@click.option("--style-layers", metavar="NAME,…", help="Instead of the networks' default style layers.")
@run_options
@click.pass_context
def style(
    context: click.Context,
    /,
    loss_networks: str,
    from_scratch: bool,
    content_layers: str | None,
    style_layers: str | None,
    steps: int,
    palette_steps: int | None,
    **settings: Any,
) -> None:
    if settings["init"] and from_scratch:
        raise click.UsageError("--from-scratch: goes without --init")
    if not settings["init"]:
        chosen = context.get_parameter_source("norm_fade") is not ParameterSource.DEFAULT
        start = _start(settings, from_scratch=from_scratch)
        settings |= {"init": start["init"]} if chosen else start
    palette = _palette_steps(settings["out"], steps) if palette_steps is None else palette_steps
    if not settings["init"]:
        steps -= palette
    if steps < 1:
        raise click.UsageError(
            f"--steps: of {steps + palette} steps {palette} are for the palette; give more"
        )
    train_settings(
        STYLE,
        content_layers=names(content_layers) or layers_of(CONTENT_LAYERS, loss_networks),
        style_layers=names(style_layers) or layers_of(STYLE_LAYERS, loss_networks),
        steps=steps,
        palette_steps=palette,
        **settings,
    )


def _start(settings: Mapping[str, Any], *, from_scratch: bool) -> dict[str, Any]:
    """Where a run without ``--init`` starts, and its fade of normalization: as it began, if it is there already."""
    fresh = {"init": None, "norm_fade": settings["norm_fade"]}
    if from_scratch or settings["network"] != "swift":
        return fresh
    if (settings["out"] / CHECKPOINT).exists():
        begun = read_config(settings["out"])
        return {name: begun.get(name) for name in fresh}
    weights = universal_weights(Path(settings["image"]), settings["image_size"])
    if weights is None:
        return fresh
    click.echo("starts from the weights of the universal style model; --from-scratch starts without them")
    # They have fixed statistics, and are of the same style.
    return {"init": str(weights), "norm_fade": [0.0, 0.0]}


def _palette_steps(out: Path, steps: int) -> int:
    """Those of the run that is there, which may be lengthened, or a tenth of all steps."""
    if (out / CONFIG).exists():
        return int(read_config(out).get("palette_steps", StyleConfig.palette_steps))
    return min(StyleConfig.palette_steps, steps // 10)


@click.command(
    cls=TrainCommand, help=f"Train paired image-to-image translation with a conditional GAN.\n\n{RESUME}"
)
@click.option(
    "--pairs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="Folder with a folder of inputs and one of targets, or with images of both, side by side.",
)
@click.option("--input", "inputs", default="input", show_default=True, help="Name of the folder of inputs.")
@click.option(
    "--target", "targets", default="target", show_default=True, help="Name of the folder of targets."
)
@config_options(PIX2PIX.config, omit=("inputs", "targets", "photos"))
@run_options
def pix2pix(pairs: Path, inputs: str, targets: str, **settings: Any) -> None:
    if settings["classes"] and settings["target_classes"]:
        raise click.UsageError("--classes and --target-classes: label maps are on one side alone")
    separate = (pairs / inputs).is_dir() and (pairs / targets).is_dir()
    folders = (pairs / inputs, pairs / targets) if separate else (pairs, pairs)
    train_settings(PIX2PIX, inputs=str(folders[0]), targets=str(folders[1]), **settings)


@click.command(
    cls=TrainCommand, help=f"Train the colorization of gray photos with a conditional GAN.\n\n{RESUME}"
)
@config_options(
    PIX2PIX.config,
    omit=("inputs", "targets", "classes", "target_classes", "image_width"),
    required=("photos",),
)
@run_options
def colorize(**settings: Any) -> None:
    train_settings(PIX2PIX, **settings)


@click.command(
    "any-style", cls=TrainCommand, help=f"Train one generator for the style of any painting.\n\n{RESUME}"
)
@click.option(
    "--paintings",
    multiple=True,
    required=True,
    metavar="FOLDER[=SHARE]",
    help="Folder of paintings, and how often one of them is drawn; repeatable.",
)
@click.option(
    "--init",
    type=(File, File),
    multiple=True,
    metavar="FLOAT32.ONNX PAINTING",
    help="A trained style to start from, and its painting; repeatable.",
)
@click.option("--checkpoint", type=File, help="A run of this recipe to start from instead.")
@config_options(ANY_STYLE.config, omit=("paintings", "init", "init_paintings"))
@run_options
def any_style(
    paintings: tuple[str, ...], init: tuple[tuple[Path, Path], ...], checkpoint: Path | None, **settings: Any
) -> None:
    shares = {}
    for each in paintings:
        folder, _, share = each.partition("=")
        shares[folder] = _share(share)
    train_settings(
        ANY_STYLE,
        paintings=shares,
        init=[str(checkpoint)] if checkpoint else [str(style) for style, _ in init],
        init_paintings=[] if checkpoint else [str(painting) for _, painting in init],
        **settings,
    )


def _share(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError as exc:
        raise click.UsageError(f"--paintings: {text!r} is not a number; expected FOLDER=SHARE") from exc
