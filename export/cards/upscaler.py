"""``python -m export.cards.upscaler``: writes the cards of the bundled upscalers from what was measured.

Facts come from the models' metadata, figures from the JSON file of ``export.benchmark``, known failures from
``training/recipes/upscalers.toml``.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from training.cli.super_resolution import RECIPES
from training.evaluation.super_resolution import Scores, table
from vidgan.models.registry import BUNDLED, ModelSpec, bundled_models, read_model

Figures = dict[str, dict[str, dict[str, float]]]
"""PSNR, SSIM, LPIPS and shift by model file (``swift-x2 int8``) and benchmark."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--figures", type=click.Path(exists=True, path_type=Path), required=True, help="JSON of export.benchmark."
)
def cli(figures: Path) -> None:
    """Write the cards of vidgan/models' upscalers."""
    measured: Figures = json.loads(figures.read_text())
    recipes = tomllib.loads(RECIPES.read_text(encoding="utf-8"))
    for name in bundled_models("upscale"):
        path = BUNDLED / name / "card.md"
        path.write_text(card(name, recipes[name], measured), encoding="utf-8")
        click.echo(f"{name}: {path}")


def card(name: str, recipe: dict[str, Any], measured: Figures) -> str:
    """The card of one upscaler, Markdown."""
    files = sorted((BUNDLED / name).glob("*.onnx"))
    spec = read_model(files[0])
    trained: Any = spec.facts["recipe"]
    sizes = ", ".join(f"{path.stem} {path.stat().st_size / 1e6:.2f} MB" for path in files)
    start = f"`{trained['init']}`" if trained["init"] else "fresh weights"
    return f"""# {name}

{spec.title}.

| | |
|---|---|
| network | `{trained["network"]}` ×{spec.scale}, {sizes} |
| licence of the weights | {spec.license}, see `vidgan/models/LICENSE` |
| photos | {", ".join(trained["photos"])}: BSDS500's train and test, an ImageNet sample, landscapes of monet2photo (all for research); 20 held out |
| objective | {_objective(trained)}; photos made small by `{trained["degradation"]}` |
| recipe | `python -m training upscalers {name}`, settings in `training/recipes/upscalers.toml`, seed {trained["seed"]} |
| training | {spec.facts["steps"]} steps of {trained["batch"]} pictures of {trained["size"]} px, from {start} |
| hardware | {recipe["hardware"]} |

## Measured

PSNR in dB on luma / SSIM / LPIPS (SqueezeNet; lower is better), by `python -m export.benchmark`:

{table(_rows(name, spec, files, measured))}

## Known failures

{recipe["failures"]}
"""


def _objective(trained: dict[str, Any]) -> str:
    """In words, with the weights of what is not 0."""
    parts = {
        trained["pixel"]: trained["pixel_weight"],
        "colour": trained.get("colour_weight", 0),
        f"features of {', '.join(trained['feature_layers'])}": trained["feature_weight"],
        "even spectrum": trained.get("spectrum_weight", 0),
        "even detail": trained.get("grid_weight", 0),
        f"{trained['adversarial']} adversarial ({trained.get('discriminator', 'patch')})": trained[
            "adversarial_weight"
        ],
    }
    return " + ".join(f"{weight:g} · {name}" for name, weight in parts.items() if weight)


def _rows(name: str, spec: ModelSpec, files: list[Path], measured: Figures) -> dict[str, dict[str, Scores]]:
    rows = {f"bicubic ×{spec.scale}": measured[f"bicubic-x{spec.scale}"]}
    rows |= {path.stem: measured[f"{name} {path.stem}"] for path in files}
    return {label: {each: Scores(**scores) for each, scores in row.items()} for label, row in rows.items()}


if __name__ == "__main__":
    cli()
