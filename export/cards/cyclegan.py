"""``python -m export.cards.cyclegan``: writes the cards of the bundled CycleGAN translators.

A recipe has two models, there and back: ``monet`` and ``monet-to-photo``. Data, hardware and known failures come from
``training/recipes/cyclegan.toml``, figures from JSON files: ``RECIPE.json`` of ``python -m training evaluate cyclegan``,
and ``MODEL-steady.json`` of ``python -m benchmarks.translation steady`` if it exists.
"""

import json
from pathlib import Path
from typing import Any

import click

from export.cards import common
from training.cli.bundled import CYCLEGANS
from training.evaluation.unpaired import TranslationScores, translation_table
from vidgan.models.registry import BUNDLED, bundled_models, read_model

_BACK = "-to-photo"


@click.command(context_settings=common.HELP)
@common.figures_option("Folder of the JSON files.", folder=True)
def cli(figures: Path) -> None:
    """Write the cards of the unpaired translators in vidgan/models."""
    recipes = common.read_recipes(CYCLEGANS)
    names = [name for name in bundled_models("translate") if recipe_of(name) in recipes]
    common.write_cards(BUNDLED, names, lambda name: card(name, recipes[recipe_of(name)], figures))


def recipe_of(name: str) -> str:
    """The name of a model's recipe."""
    return name.removesuffix(_BACK)


def card(name: str, recipe: dict[str, Any], figures: Path) -> str:
    """The card of one translator, Markdown.

    Args:
        figures: folder of the JSON files.
    """
    files = sorted((BUNDLED / name).glob("*.onnx"))
    spec = read_model(files[0])
    trained = common.trained_config(spec)
    measured = json.loads((figures / f"{recipe_of(name)}.json").read_text())
    cost = measured["costs"][recipe_of(name)]["mac_per_pixel"] / 1000
    size = f"{trained['size']}×{trained['size']} pixels"
    rows = common.trained_rows(
        spec,
        recipe,
        network=f"`{trained['network']}`, {cost:.1f}k MAC per pixel; {common.file_sizes(files)}",
        command=common.training_command("cyclegans", recipe_of(name), CYCLEGANS, trained["seed"]),
        images=f"{trained['batch']} images of each kind, {size}",
    )
    rows.insert(0, ("task", f"`{spec.task}`: videos and images"))
    scores = {row: TranslationScores(**scores) for row, scores in measured["scores"].items()}
    text = f"""Distance to real ones, what comes back, what is kept, by `python -m training evaluate cyclegan`; `docs/unpaired.md` says what
the columns mean:

{translation_table(scores)}{_consistency(figures / f"{name}-steady.json")}"""
    failures = recipe["failures_back" if name.endswith(_BACK) else "failures"]
    return common.card_text(name, common.header(spec.title, rows), text, failures.strip())


def _consistency(report: Path) -> str:
    """Temporal consistency, if it was measured."""
    if not report.exists():
        return ""
    rows = json.loads(report.read_text())
    errors = rows["mean"]
    return f"""

Warping error of videos, mean over {len(rows) - 1} clips, by `python -m benchmarks.translation steady`; *baseline* went on without
the steady term:

| {" | ".join(errors)} |
{"|---" * len(errors)}|
| {" | ".join(f"{error:.3g}" for error in errors.values())} |"""


if __name__ == "__main__":
    cli()
