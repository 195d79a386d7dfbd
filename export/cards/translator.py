"""``python -m export.cards.translator``: writes the cards of the bundled paired translators.

Data, hardware and known failures come from ``training/recipes/translators.toml``, figures from JSON files of ``python -m
training evaluate fcn`` and ``color``, and of ``python -m benchmarks.translation drive`` and ``colors``.
"""

import json
from pathlib import Path
from typing import Any

import click

from export.cards import common
from training.cli.bundled import TRANSLATORS
from vidgan.models.registry import BUNDLED, bundled_models, read_model

Figures = dict[str, dict[str, float]]
"""By what was measured, and figure."""

TASKS = ("translate", "segment", "colorize")

_COMMANDS = {
    "fcn": "FCN-score on CamVid's test photos at 256×192, by `python -m training evaluate fcn`",
    "labels": "Label maps of CamVid's test photos at 256×192, by `python -m training evaluate labels`",
    "drive": "Warping error and FCN-score on the last 30 frames of CamVid's `val`, by "
    "`python -m benchmarks.translation drive`",
    "color": "Colors of BSD100's photos, by `python -m training evaluate color`",
    "colors": "Chroma of videos, by `python -m benchmarks.translation colors`",
}


@click.command(context_settings=common.HELP)
@common.figures_option(f"Folder with {', '.join(f'{name}.json' for name in _COMMANDS)}.", folder=True)
def cli(figures: Path) -> None:
    """Write the cards of the paired translators in vidgan/models."""
    measured = {name: json.loads((figures / f"{name}.json").read_text()) for name in _COMMANDS}
    recipes = common.read_recipes(TRANSLATORS)
    names = [name for task in TASKS for name in bundled_models(task) if name in recipes]
    common.write_cards(BUNDLED, names, lambda name: card(name, recipes[name], measured))


def card(name: str, recipe: dict[str, Any], measured: dict[str, Figures]) -> str:
    """The card of one translator, Markdown."""
    (path,) = sorted((BUNDLED / name).glob("*.onnx"))
    spec = read_model(path)
    trained = common.trained_config(spec)
    size = f"{path.stat().st_size / 1e6:.2f} MB"
    rows = common.trained_rows(
        spec,
        recipe,
        network=f"{_network(trained)}, {size}",
        command=common.training_command("translators", name, TRANSLATORS, trained["seed"]),
        images=f"{trained['batch']} images {_size(trained)}",
    )
    rows.insert(0, ("task", f"`{spec.task}`{_classes(spec.classes)}"))
    tables = "\n\n".join(
        f"{words}:\n\n{table(measured[kind])}" for kind, words in _COMMANDS.items() if kind in recipe["shown"]
    )
    return common.card_text(name, common.header(spec.title, rows), tables, recipe["failures"])


def table(rows: Figures) -> str:
    """Markdown, one row for each thing that was measured."""
    names = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(each.replace('_', ' ') for each in names)} |", "|---" * (len(names) + 1) + "|"]
    for label, row in rows.items():
        lines.append(f"| {label} | {' | '.join(f'{row[each]:.3g}' for each in names)} |")
    return "\n".join(lines)


def _classes(classes: Any) -> str:
    return f"; classes {', '.join(name for name, _ in classes)}" if classes else ""


def _network(trained: dict[str, Any]) -> str:
    if "base_channels" not in trained or trained["network"] == "light-segmenter":
        return f"`{trained['network']}`"
    return f"`{trained['network']}`, first stage of {trained['base_channels']} channels"


def _size(trained: dict[str, Any]) -> str:
    if "side" in trained:
        return f"of {trained['side']}×{trained['side']} pixels"
    # Photos to colorize are cropped to squares.
    width = trained["image_height"] if isinstance(trained.get("photos"), list) else trained["image_width"]
    return f"of {width}×{trained['image_height']} pixels"


if __name__ == "__main__":
    cli()
