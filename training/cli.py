"""The command line of training; every option's default is its recipe's."""

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import torch

from training.networks import GENERATORS
from training.recipes.style import StyleConfig, StyleRecipe
from training.trainer import prepare_run, train

_DEFAULTS = {field.name: field.default for field in fields(StyleConfig)}
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)
_File = click.Path(exists=True, dir_okay=False, path_type=Path)


def _option(name: str, help: str) -> Any:
    """An option that a field of the recipe's configuration stands behind."""
    default = _DEFAULTS[name]
    return click.option(
        "--" + name.replace("_", "-"), type=type(default), default=default, show_default=True, help=help
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train vidgan's generators."""


@cli.command()
@click.option("--image", type=_File, required=True, help="The painting.")
@click.option("--photos", type=_Folder, required=True, multiple=True, help="Folder of photos; repeatable.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option(
    "--weights",
    multiple=True,
    metavar="NETWORK=FILE",
    help="Loss network's weights, safetensors in torchvision's layout (vgg16=…, squeezenet=…); "
    "without it torchvision downloads its own.",
)
@click.option(
    "--loss-networks",
    type=click.Choice(["both", "vgg16", "squeezenet"]),
    default="both",
    show_default=True,
    help="Through which networks to look.",
)
@click.option("--network", type=click.Choice(sorted(GENERATORS)), default="swift", show_default=True)
@click.option("--init", type=_File, help="Checkpoint of another style to start from.")
@_option("image_size", "Long side of the painting in pixels: smaller means smaller strokes.")
@_option("size", "Side of the training crops.")
@_option("window", "Side of the window that VGG looks at.")
@_option("batch", "Pictures a step.")
@_option("palette_steps", "Steps of learning the palette, before the painting.")
@_option("steps", "Steps of learning to paint.")
@_option("learning_rate", "Of Adam, at its highest.")
@_option("content_weight", "Of each content layer.")
@_option("style_weight", "Of each style layer.")
@_option("variation_weight", "Of the total variation.")
@_option("seed", "Of everything random.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("--threads", type=int, help="CPU threads.")
@click.option("--tensorboard", is_flag=True, help="Also write TensorBoard events.")
def style(
    image: Path,
    photos: tuple[Path, ...],
    out: Path,
    weights: tuple[str, ...],
    loss_networks: str,
    init: Path | None,
    device: str,
    threads: int | None,
    tensorboard: bool,
    **settings: Any,
) -> None:
    """Learn to paint like one picture. Run it again to continue where it stopped."""
    if threads:
        torch.set_num_threads(threads)
    chosen = StyleConfig(
        image=str(image),
        photos=[str(folder) for folder in photos],
        weights=dict(pair.split("=", 1) for pair in weights),
        init=str(init) if init else None,
        **_layers_of(loss_networks),
        **settings,
    )
    prepare_run(out, chosen.as_dict())
    recipe = StyleRecipe(chosen, pick_device(device))
    click.echo(f"{len(recipe.photos)} photos, {len(recipe.held_out)} held out, on {recipe.device}")
    train(recipe, out, tensorboard=tensorboard)
    click.echo(f"done: {out}; next: python -m export {out}")


def pick_device(name: str) -> torch.device:
    """``auto`` is CUDA where torch has it."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _layers_of(network: str) -> dict[str, list[str]]:
    if network == "both":
        return {}
    default = StyleConfig(image="", photos=[])
    return {
        "content_layers": [name for name in default.content_layers if name.startswith(network)],
        "style_layers": [name for name in default.style_layers if name.startswith(network)],
    }


def main() -> None:
    """Runs the command line; expected errors become one line and exit code 1."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; the same command continues from the last checkpoint", err=True)
        sys.exit(130)
    except (OSError, ValueError) as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(1)
