"""Parts that all cards share."""

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from training.core.compatibility import upgrade_config
from vidgan.models.registry import ModelSpec

HELP = {"help_option_names": ["-h", "--help"]}


def read_recipes(file: Path) -> dict[str, dict[str, Any]]:
    """The entries of a recipe file, with what they say for cards."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def write_cards(models: Path, names: Iterable[str], card: Callable[[str], str]) -> None:
    """Writes the card of each model in its folder in ``models``."""
    for name in names:
        path = models / name / "card.md"
        path.write_text(card(name), encoding="utf-8")
        click.echo(f"{name}: {path}")


def trained_config(spec: ModelSpec) -> dict[str, Any]:
    """The configuration that a model was trained with, from its metadata, with today's names of settings."""
    recipe: Any = spec.facts["recipe"]
    return upgrade_config(recipe)


def file_sizes(files: Iterable[Path]) -> str:
    """Names and sizes of model files."""
    return ", ".join(f"{path.stem} {path.stat().st_size / 1e6:.2f} MB" for path in files)


def figures_option(help: str, *, folder: bool = False) -> Callable[[Any], Any]:
    """``--figures``: the JSON file, or the folder of them, that the figures come from."""
    kind = click.Path(exists=True, file_okay=not folder, dir_okay=folder, path_type=Path)
    return click.option("--figures", type=kind, required=True, help=help)


def header(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """The title and the table of facts, Markdown."""
    lines = [f"{title}.", "", "| | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in rows)]
    return "\n".join(lines)


def license(spec: ModelSpec) -> tuple[str, str]:
    """The row of the license."""
    return "license of the weights", f"{spec.license}, see `vidgan/models/LICENSE`"


def training_command(command: str, name: str, file: Path, seed: int) -> tuple[str, str]:
    """The row of the command that trains the model."""
    settings = f"settings in `training/recipes/{file.name}`, seed {seed}"
    return "recipe", f"`python -m training {command} {name}`, {settings}"


def trained_rows(
    spec: ModelSpec, recipe: dict[str, Any], *, network: str, command: tuple[str, str], images: str
) -> list[tuple[str, str]]:
    """The rows of a trained translator: network, license, data, recipe, training and hardware.

    Args:
        recipe: the model's entry in the recipe file.
        command: the row of :func:`training_command`.
        images: of a step, how many and how large.
    """
    return [
        ("network", network),
        license(spec),
        ("data", recipe["data"]),
        command,
        ("training", f"{spec.facts['steps']} steps of {images}"),
        ("hardware", recipe["hardware"]),
    ]


def card_text(name: str, head: str, measured: str, failures: str) -> str:
    """A whole card."""
    return f"# {name}\n\n{head}\n\n## Measured\n\n{measured}\n\n## Known failures\n\n{failures}\n"
