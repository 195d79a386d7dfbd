"""``python -m export.cards.translator``: writes the cards of the bundled translators from what was measured.

Facts come from the models' metadata, data, hardware and known failures from ``training/recipes/translators.toml``,
figures from JSON files of ``python -m training evaluate fcn`` and ``colour``, and of ``python -m
benchmarks.translation drive`` and ``colours``.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from training.cli.translation import RECIPES
from vidgan.models.registry import BUNDLED, Task, bundled_models, read_model

Figures = dict[str, dict[str, float]]
"""By what was measured, and figure."""

TASKS: tuple[Task, ...] = ("translate", "segment", "colorize")

_COMMANDS = {
    "fcn": "FCN-score on CamVid's test photos at 256×192, by `python -m training evaluate fcn`",
    "drive": "Warping error and FCN-score on the last 30 frames of CamVid's `val`, by "
    "`python -m benchmarks.translation drive`",
    "colour": "Colours of BSD100's photos, by `python -m training evaluate colour`",
    "colours": "Chroma of films, by `python -m benchmarks.translation colours`",
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--figures", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
    help=f"Folder with {', '.join(f'{name}.json' for name in _COMMANDS)}.",
)  # fmt: skip
def cli(figures: Path) -> None:
    """Write the cards of vidgan/models' translators."""
    measured = {name: json.loads((figures / f"{name}.json").read_text()) for name in _COMMANDS}
    recipes = tomllib.loads(RECIPES.read_text(encoding="utf-8"))
    for task in TASKS:
        for name in bundled_models(task):
            if name in recipes:
                path = BUNDLED / name / "card.md"
                path.write_text(card(name, recipes[name], measured), encoding="utf-8")
                click.echo(f"{name}: {path}")


def card(name: str, recipe: dict[str, Any], measured: dict[str, Figures]) -> str:
    """The card of one translator, Markdown."""
    (path,) = sorted((BUNDLED / name).glob("*.onnx"))
    spec = read_model(path)
    trained: Any = spec.facts["recipe"]
    tables = "\n\n".join(
        f"{words}:\n\n{table(measured[kind])}" for kind, words in _COMMANDS.items() if kind in recipe["shown"]
    )
    return f"""# {name}

{spec.title}.

| | |
|---|---|
| task | `{spec.task}`{_taken(spec.classes)} |
| network | `{trained["network"]}`, first stage of {trained["width"]} channels, {path.stat().st_size / 1e6:.2f} MB |
| licence of the weights | {spec.license}, see `vidgan/models/LICENSE` |
| data | {recipe["data"]} |
| recipe | `python -m training translators {name}`, settings in `training/recipes/translators.toml`, seed {trained["seed"]} |
| training | {spec.facts["steps"]} steps of {trained["batch"]} pictures {_size(trained)} |
| hardware | {recipe["hardware"]} |

## Measured

{tables}

## Known failures

{recipe["failures"]}
"""


def table(rows: Figures) -> str:
    """Markdown, a row for what was measured."""
    names = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(each.replace('_', ' ') for each in names)} |", "|---" * (len(names) + 1) + "|"]
    for label, row in rows.items():
        lines.append(f"| {label} | {' | '.join(f'{row[each]:.3g}' for each in names)} |")
    return "\n".join(lines)


def _taken(classes: Any) -> str:
    return f"; classes {', '.join(name for name, _ in classes)}" if classes else ""


def _size(trained: Any) -> str:
    # Photos that are to get colours are cut to squares.
    width = trained["height"] if isinstance(trained.get("photos"), list) else trained["length"]
    return f"of {width}×{trained['height']} pixels"


if __name__ == "__main__":
    cli()
