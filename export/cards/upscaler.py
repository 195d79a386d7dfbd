"""``python -m export.cards.upscaler``: writes the cards of the bundled upscalers.

Figures come from the JSON file of ``export.benchmark``, known failures from ``training/recipes/upscalers.toml``.
"""

import json
from pathlib import Path
from typing import Any

import click

from export.cards import common
from training.cli.bundled import UPSCALERS
from training.evaluation.super_resolution import Scores, table
from vidgan.models.registry import BUNDLED, ModelSpec, bundled_models, read_model

Figures = dict[str, dict[str, dict[str, float]]]
"""PSNR, SSIM, LPIPS and shift by model file (``swift-x2 int8``) and benchmark."""


@click.command(context_settings=common.HELP)
@common.figures_option("JSON of export.benchmark.")
def cli(figures: Path) -> None:
    """Write the cards of the upscalers in vidgan/models."""
    measured: Figures = json.loads(figures.read_text())
    recipes = common.read_recipes(UPSCALERS)
    common.write_cards(BUNDLED, bundled_models("upscale"), lambda name: card(name, recipes[name], measured))


def card(name: str, recipe: dict[str, Any], measured: Figures) -> str:
    """The card of one upscaler, Markdown."""
    files = sorted((BUNDLED / name).glob("*.onnx"))
    spec = read_model(files[0])
    trained = common.trained_config(spec)
    start = f"`{trained['init']}`" if trained["init"] else "fresh weights"
    rows = [
        ("network", f"`{trained['network']}` ×{spec.scale}, {common.file_sizes(files)}"),
        common.license(spec),
        ("photos", f"{', '.join(trained['photos'])}: BSDS500's train and test, an ImageNet sample, landscapes of monet2photo (all for research); 20 held out"),
        ("objective", f"{_objective(trained)}; photos made small by `{trained['degradation']}`"),
        common.training_command("upscalers", name, UPSCALERS, trained["seed"]),
        ("training", f"{spec.facts['steps']} steps of {trained['batch']} images of {trained['size']} px, from {start}"),
        ("hardware", recipe["hardware"]),
    ]  # fmt: skip
    figures = table(_rows(name, spec, files, measured))
    text = f"PSNR in dB on luma / SSIM / LPIPS (SqueezeNet; lower is better), by `python -m export.benchmark`:\n\n{figures}"
    return common.card_text(name, common.header(spec.title, rows), text, recipe["failures"])


def _objective(trained: dict[str, Any]) -> str:
    """The losses whose weight is not 0, with their weights."""
    adversarial = f"{trained['gan_mode']} adversarial ({trained.get('discriminator', 'patch')})"
    parts = {
        trained["pixel_loss"]: trained["pixel_weight"],
        "color": trained.get("color_weight", 0),
        f"features of {', '.join(trained['feature_layers'])}": trained["feature_weight"],
        "even spectrum": trained.get("spectrum_weight", 0),
        "even detail": trained.get("checkerboard_weight", 0),
        adversarial: trained["adversarial_weight"],
    }
    return " + ".join(f"{weight:g} · {name}" for name, weight in parts.items() if weight)


def _rows(name: str, spec: ModelSpec, files: list[Path], measured: Figures) -> dict[str, dict[str, Scores]]:
    rows = {f"bicubic ×{spec.scale}": measured[f"bicubic-x{spec.scale}"]}
    rows |= {path.stem: measured[f"{name} {path.stem}"] for path in files}
    return {label: {each: Scores(**scores) for each, scores in row.items()} for label, row in rows.items()}


if __name__ == "__main__":
    cli()
