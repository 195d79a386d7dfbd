"""The command line of training; every option's default is its recipe's."""

import sys
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click
import torch

from training.networks import GENERATORS
from training.precision import PRECISIONS, best_precision
from training.recipes.style import CONTENT_LAYERS, STYLE_LAYERS, StyleConfig, StyleRecipe, layers_of
from training.trainer import CHECKPOINT, prepare_run, train

BUNDLED = Path(__file__).parent / "recipes" / "bundled.toml"
_DEFAULTS = {field.name: field.default for field in fields(StyleConfig)}
_F = TypeVar("_F", bound=Callable[..., Any])
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)
_File = click.Path(exists=True, dir_okay=False, path_type=Path)


def _option(name: str, help: str) -> Callable[[_F], _F]:
    """An option that a field of the recipe's configuration stands behind."""
    default = _DEFAULTS[name]
    return click.option(
        "--" + name.replace("_", "-"), type=type(default), default=default, show_default=True, help=help
    )


_WEIGHTS = click.option(
    "--weights",
    multiple=True,
    metavar="NETWORK=FILE",
    help="Loss network's weights, safetensors in torchvision's layout (vgg16=…, squeezenet=…); "
    "without it torchvision downloads its own.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train vidgan's generators."""


@cli.command()
@click.option("--image", type=_File, required=True, help="The painting.")
@click.option("--photos", type=_Folder, required=True, multiple=True, help="Folder of photos; repeatable.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@_WEIGHTS
@click.option(
    "--loss-networks",
    type=click.Choice(["both", "vgg16", "squeezenet"]),
    default="squeezenet",
    show_default=True,
    help="Through which networks to look; VGG-16 paints crisper and takes several times as long.",
)
@click.option("--network", type=click.Choice(sorted(GENERATORS)), default="swift", show_default=True)
@click.option(
    "--init",
    type=_File,
    help="Another style to start from, which saves most of the time: a checkpoint or a float32.onnx.",
)
@_option("image_size", "Long side of the painting in pixels: smaller means smaller strokes.")
@_option("stretch", "How far to stretch the painting's lightness to the full range, 0 to 1.")
@_option("size", "Side of the training crops.")
@_option("jitter", "Pixels by which the loss networks' view moves.")
@_option("batch", "Pictures a step.")
@_option("palette_steps", "Steps of learning the palette, before the painting.")
@_option("steps", "Steps of learning to paint.")
@_option("learning_rate", "Of Adam, at its highest.")
@_option("content_weight", "Of each content layer.")
@_option("style_weight", "Of each style layer.")
@_option("colour_weight", "Of the mean and covariance of colours.")
@_option("variation_weight", "Of the total variation.")
@_option("grid_weight", "Of the generator's own grid in pictures without detail.")
@_option("steady_weight", "Of the error of painting a moved photo otherwise.")
@click.option("--content-layers", metavar="NAME,…", help="Instead of the networks' usual ones.")
@click.option("--style-layers", metavar="NAME,…", help="Instead of the networks' usual ones.")
@click.option(
    "--precision",
    type=click.Choice(["auto", *PRECISIONS]),
    default="auto",
    show_default=True,
    help="auto is bf16 where the device has it in hardware.",
)
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
    content_layers: str | None,
    style_layers: str | None,
    precision: str,
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
        weights=_parse_weights(weights),
        init=str(init) if init else None,
        content_layers=_names(content_layers) or layers_of(CONTENT_LAYERS, loss_networks),
        style_layers=_names(style_layers) or layers_of(STYLE_LAYERS, loss_networks),
        precision=best_precision(pick_device(device)) if precision == "auto" else precision,
        **settings,
    )
    _train(chosen, out, device=device, tensorboard=tensorboard)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--paintings", type=_Folder, required=True, help="Folder with the paintings.")
@click.option("--photos", type=_Folder, required=True, multiple=True, help="Folder of photos; repeatable.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the runs.")
@_WEIGHTS
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
def bundled(
    names: tuple[str, ...],
    paintings: Path,
    photos: tuple[Path, ...],
    out: Path,
    weights: tuple[str, ...],
    device: str,
) -> None:
    """Train the styles that come with vidgan: all of them, or those named."""
    styles = tomllib.loads(BUNDLED.read_text(encoding="utf-8"))
    unknown = sorted(set(names) - set(styles))
    if unknown:
        raise click.UsageError(f"no such style: {', '.join(unknown)}; there are {', '.join(styles)}")
    for name in names or styles:
        style = styles[name]
        config = StyleConfig(
            image=str(paintings / style["file"]),
            photos=[str(folder) for folder in photos],
            weights=_parse_weights(weights),
            init=str(_weights_of(out / style["init"])) if "init" in style else None,
            **style.get("settings", {}),
        )
        click.echo(f"{name}: {style['title']}")
        _train(config, out / name, device=device)


def _weights_of(run: Path) -> Path:
    """A run's checkpoint, or its export where only that was kept."""
    checkpoint, exported = run / CHECKPOINT, run / "onnx" / "float32.onnx"
    return exported if exported.exists() and not checkpoint.exists() else checkpoint


def _train(config: StyleConfig, out: Path, *, device: str, tensorboard: bool = False) -> None:
    prepare_run(out, config.as_dict())
    recipe = StyleRecipe(config, pick_device(device))
    click.echo(f"{len(recipe.photos)} photos, {len(recipe.held_out)} held out, on {recipe.device}")
    train(recipe, out, tensorboard=tensorboard)
    click.echo(f"done: {out}; next: python -m export {out}")


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",")] if text else []


def _parse_weights(pairs: tuple[str, ...]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise click.UsageError(f"--weights {wrong[0]!r}: expected NETWORK=FILE")
    return dict(pair.split("=", 1) for pair in pairs)


def pick_device(name: str) -> torch.device:
    """``auto`` is CUDA where torch has it."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


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
