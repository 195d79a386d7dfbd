"""``python -m export.cards.cyclegan``: writes the cards of the bundled CycleGAN translators from what was measured.

A recipe has two models, there and back: ``monet`` and ``monet-to-photo``. Facts come from their metadata, data, hardware
and known failures from ``training/recipes/cyclegan.toml``, figures from JSON files: ``RECIPE.json`` of ``python -m
training evaluate cyclegan``, and ``MODEL-steady.json`` of ``python -m benchmarks.translation steady`` if it is there.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from training.cli.cyclegan import RECIPES
from training.cli.unpaired import translation_table
from training.evaluation.unpaired import TranslationScores
from vidgan.models.registry import BUNDLED, bundled_models, read_model

_BACK = "-to-photo"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--figures", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
def cli(figures: Path) -> None:
    """Write the cards of vidgan/models' translators that learned without pairs."""
    recipes = tomllib.loads(RECIPES.read_text(encoding="utf-8"))
    for name in bundled_models("translate"):
        if recipe_of(name) in recipes:
            path = BUNDLED / name / "card.md"
            path.write_text(card(name, recipes[recipe_of(name)], figures), encoding="utf-8")
            click.echo(f"{name}: {path}")


def recipe_of(name: str) -> str:
    """The recipe's name, of a model's."""
    return name.removesuffix(_BACK)


def card(name: str, recipe: dict[str, Any], figures: Path) -> str:
    """The card of one translator, Markdown.

    Args:
        figures: folder of the JSON files.
    """
    failures = recipe["failures_back" if name.endswith(_BACK) else "failures"]
    files = sorted((BUNDLED / name).glob("*.onnx"))
    spec = read_model(files[0])
    trained: Any = spec.facts["recipe"]
    sizes = ", ".join(f"{each.stem} {each.stat().st_size / 1e6:.2f} MB" for each in files)
    near = json.loads((figures / f"{recipe_of(name)}.json").read_text())
    rows = {row: TranslationScores(**scores) for row, scores in near["scores"].items()}
    cost = near["costs"][recipe_of(name)]["mac_per_pixel"] / 1000
    return f"""# {name}

{spec.title}.

| | |
|---|---|
| task | `{spec.task}`: films and pictures |
| network | `{trained["network"]}`, {cost:.1f}k MAC per pixel; {sizes} |
| licence of the weights | {spec.license}, see `vidgan/models/LICENSE` |
| data | {recipe["data"]} |
| recipe | `python -m training cyclegans {recipe_of(name)}`, settings in `training/recipes/cyclegan.toml`, seed {trained["seed"]} |
| training | {spec.facts["steps"]} steps of {trained["batch"]} pictures of each kind, {trained["size"]}×{trained["size"]} pixels |
| hardware | {recipe["hardware"]} |

## Measured

Distance to real ones, what comes back, what is kept, by `python -m training evaluate cyclegan`; `docs/unpaired.md` says what
the columns mean:

{translation_table(rows)}
{_steadiness(figures / f"{name}-steady.json")}
## Known failures

{failures.strip()}
"""


def _steadiness(report: Path) -> str:
    if not report.exists():
        return ""
    rows = json.loads(report.read_text())
    errors = rows["mean"]
    return f"""
Warping error of films, mean over {len(rows) - 1} clips, by `python -m benchmarks.translation steady`; *baseline* went on without
the steady term:

| {" | ".join(errors)} |
{"|---" * len(errors)}|
| {" | ".join(f"{error:.3g}" for error in errors.values())} |
"""


if __name__ == "__main__":
    cli()
