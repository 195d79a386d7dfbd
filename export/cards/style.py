"""``python -m export.cards.style``: writes the cards of the bundled styles from what was measured.

Facts come from the model's metadata, figures from the JSON file of ``export.evaluate``, painting and
known failures from ``training/recipes/bundled.toml``. Nothing in a card is typed in twice.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from training.cli.style import BUNDLED as RECIPES
from vidgan.models.registry import BUNDLED, bundled_models, find_model


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--figures", type=click.Path(exists=True, path_type=Path), required=True, help="JSON of export.evaluate."
)
@click.option("--hardware", required=True, help="What the styles were trained on.")
def cli(figures: Path, hardware: str) -> None:
    """Write vidgan/models/*/card.md."""
    measured = json.loads(figures.read_text())
    styles = tomllib.loads(RECIPES.read_text(encoding="utf-8"))
    for name in bundled_models("style"):
        text = card(name, styles[name], measured[name], hardware)
        (BUNDLED / name / "card.md").write_text(text, encoding="utf-8")
        click.echo(f"{name}: {BUNDLED / name / 'card.md'}")


def card(name: str, style: dict[str, Any], figures: dict[str, float], hardware: str) -> str:
    """The card of one style, Markdown."""
    spec = find_model(name, precision="int8")
    facts = spec.facts
    recipe: Any = facts["recipe"]
    sizes = ", ".join(
        f"{path.stem} {path.stat().st_size / 1e6:.2f} MB" for path in sorted((BUNDLED / name).glob("*.onnx"))
    )
    start = f"the weights of `{recipe['init']}`" if recipe["init"] else "fresh weights"
    rows = "\n".join(f"| {label} | {figures[key]:.2f} |" for key, label in _rows(figures))
    return f"""# {name}

{style["title"]}. The work is in the public domain (its painter died in 1955 or before).

| | |
|---|---|
| network | `{recipe["network"]}`, {sizes} |
| licence of the weights | {spec.license}, see `vidgan/models/LICENSE` |
| photos | {", ".join(recipe["photos"])}: 815 of 835 pictures of an ImageNet sample (research terms); 20 held out |
| loss network | SqueezeNet 1.0, ImageNet weights; content {", ".join(recipe["content_layers"])}; style {", ".join(recipe["style_layers"])} |
| recipe | `python -m training bundled {name}`, settings in `training/recipes/bundled.toml`, seed {recipe["seed"]} |
| training | {facts["steps"]} steps of {recipe["batch"]} crops of {recipe["size"]} px, from {start}, painting at {recipe["image_size"]} px |
| hardware | {hardware} |

## Measured

The training objective (lower is better), mean over {figures["photos"]} held-out photos at 256 px, by
`python -m export.evaluate`:

| | objective |
|---|---|
{rows}

int8 differs from float32 by {figures["int8-psnr-db"]:.1f} dB PSNR on the same photos.

## Known failures

{style["failures"]}
"""


def _rows(figures: dict[str, float]) -> list[tuple[str, str]]:
    fixed = {
        "photo": "the photo, left as it is",
        "int8": "this model, int8",
        "int8-yuv420": "this model, int8, in luma and chroma as films are",
        "float32": "this model, float32",
    }
    rows = [(key, text) for key, text in fixed.items() if key in figures]
    rows += [(key, f"`{key}`, same recipe") for key in figures if key.startswith("johnson")]
    rows += [
        (key, f"direct optimisation from noise, {key.removeprefix('lbfgs-')} iterations of L-BFGS")
        for key in figures
        if key.startswith("lbfgs-")
    ]
    return rows


if __name__ == "__main__":
    cli()
