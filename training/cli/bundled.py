"""Commands that train the models that come with vidgan, from the recipe files ``training/recipes/*.toml``."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from training.cli.options import (
    Folder,
    device_option,
    feature_extractor_option,
    options,
    photos_option,
    pick_precision,
    weights_option,
)
from training.cli.train import train_run
from training.cli.universal_start import universal_weights
from training.core.recipe import RecipeConfig
from training.core.run_folder import CHECKPOINT
from training.recipes import RECIPES
from training.recipes.style import UNIVERSAL

_FOLDER = Path(__file__).parents[1] / "recipes"
STYLES, UPSCALERS, TRANSLATORS, CYCLEGANS = (
    _FOLDER / f"{name}.toml" for name in ("bundled", "upscalers", "translators", "cyclegan")
)

_FOR_CARDS = "data", "shown", "hardware", "failures", "failures_back"
"""Entries that are for model cards only."""
_LOCATED = "folder", "folders", "file"
"""Kinds of settings that are relative to the folder of training data."""

_listed_options = options(
    click.argument("names", nargs=-1),
    click.option("--data", type=Folder, required=True, help="Folder of the folders that the recipes name."),
    click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the runs."),
    click.option("--steps", type=int, help="Steps of each, instead of the recipe's, for a trial."),
    device_option,
)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--paintings", type=Folder, required=True, help="Folder of the paintings.")
@photos_option
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the runs.")
@weights_option
@device_option
def bundled(
    names: tuple[str, ...],
    paintings: Path,
    photos: list[str],
    out: Path,
    weights: dict[str, str],
    device: str,
) -> None:
    """Train the styles that come with vidgan: all, or those named."""
    shared: dict[str, Any] = {"photos": photos, "weights": weights}
    _train_listed(
        STYLES, names, kind="style", recipe="style", data=paintings, out=out, device=device, **shared
    )


@click.command()
@_listed_options
@weights_option
@feature_extractor_option
def upscalers(names: tuple[str, ...], **settings: Any) -> None:
    """Train the upscalers that come with vidgan: all, or those named."""
    _train_listed(UPSCALERS, names, kind="upscaler", recipe="super-resolution", **_fast(settings))


@click.command()
@_listed_options
def translators(names: tuple[str, ...], **settings: Any) -> None:
    """Train the paired translators that come with vidgan: all, or those named."""
    _train_listed(TRANSLATORS, names, kind="translator", recipe="pix2pix", **_fast(settings))


@click.command()
@_listed_options
@feature_extractor_option
def cyclegans(names: tuple[str, ...], **settings: Any) -> None:
    """Train the unpaired translators that come with vidgan: all, or those named."""
    _train_listed(CYCLEGANS, names, kind="translator", recipe="cyclegan", **_fast(settings))


def listed_recipes(file: Path, names: Sequence[str], *, kind: str) -> dict[str, dict[str, Any]]:
    """The entries of a recipe file, all or those named, without what is for model cards.

    Args:
        kind: the word for an entry, for messages.

    Raises:
        click.UsageError: a name is not in the file.
    """
    recipes = tomllib.loads(file.read_text(encoding="utf-8"))
    if unknown := sorted(set(names) - set(recipes)):
        raise click.UsageError(f"no such {kind}: {', '.join(unknown)}; there are {', '.join(recipes)}")
    return {
        name: {key: value for key, value in recipes[name].items() if key not in _FOR_CARDS}
        for name in names or recipes
    }


def listed_config(
    settings: dict[str, Any], *, recipe: str, data: Path, out: Path, **shared: Any
) -> RecipeConfig:
    """The configuration of an entry of a recipe file.

    Args:
        settings: the entry; may name its recipe.
        recipe: of entries that name none.
        data: folder that paths in the entry are relative to.
        out: folder of the runs, one of which ``init`` may name; see also :data:`training.recipes.style.UNIVERSAL`.
        shared: settings that are not in the file.

    Raises:
        click.UsageError: the universal style model is not installed.
    """
    config = RECIPES[settings.get("recipe", recipe)].config
    kinds = {each.name: each.metadata["kind"] for each in config.settings()}
    located = {key: _located(data, settings[key]) for key in settings if kinds.get(key) in _LOCATED}
    init = {"init": str(_init_of(settings | located, config, out))} if "init" in settings else {}
    plain = {key: value for key, value in settings.items() if key != "title"}
    known = {key: value for key, value in shared.items() if key in kinds or key == "precision"}
    return config(**plain | known | located | init)


def _train_listed(
    file: Path,
    names: Sequence[str],
    *,
    kind: str,
    recipe: str,
    data: Path,
    out: Path,
    device: str,
    steps: int | None = None,
    **shared: Any,
) -> None:
    for name, settings in listed_recipes(file, names, kind=kind).items():
        settings |= {"steps": steps} if steps else {}
        config = listed_config(settings, recipe=recipe, data=data, out=out, **shared)
        click.echo(f"{name}: {settings['title']}")
        train_run(RECIPES[config.recipe], config, out / name, device=device)


def _fast(settings: dict[str, Any]) -> dict[str, Any]:
    """The options with the fastest precision of the device."""
    return settings | {"precision": pick_precision("auto", settings["device"])}


def _located(data: Path, value: str | list[str]) -> str | list[str]:
    return str(data / value) if isinstance(value, str) else [str(data / each) for each in value]


def _init_of(settings: dict[str, Any], config: type[RecipeConfig], out: Path) -> Path:
    """The weights to start from that the entry of a recipe file names."""
    if settings["init"] != UNIVERSAL:
        return _weights_of(out / settings["init"])
    values: dict[str, Any] = {each.name: each.default for each in config.settings()} | settings
    if (weights := universal_weights(Path(values["image"]), values["image_size"])) is None:
        raise click.UsageError("the universal style model, from which the style starts, is not installed")
    return weights


def _weights_of(run: Path) -> Path:
    """A run's checkpoint, or its export if only that was kept."""
    checkpoint, exported = run / CHECKPOINT, run / "onnx" / "float32.onnx"
    return exported if exported.exists() and not checkpoint.exists() else checkpoint
