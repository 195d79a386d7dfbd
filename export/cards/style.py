"""``python -m export.cards.style``: writes the cards of the bundled styles.

Figures come from the JSON file of ``export.evaluate``, titles and known failures from ``training/recipes/bundled.toml``.
"""

import json
from pathlib import Path
from typing import Any

import click

from export.cards import common
from training.cli.bundled import STYLES
from vidgan.models.registry import BUNDLED, bundled_models, find_model


@click.command(context_settings=common.HELP)
@common.figures_option("JSON of export.evaluate.")
@click.option("--hardware", required=True, help="Machine that the styles were trained on.")
def cli(figures: Path, hardware: str) -> None:
    """Write the cards of the styles in vidgan/models."""
    measured = json.loads(figures.read_text())
    styles = common.read_recipes(STYLES)
    common.write_cards(
        BUNDLED, bundled_models("style"), lambda name: card(name, styles[name], measured[name], hardware)
    )


def card(name: str, style: dict[str, Any], figures: dict[str, float], hardware: str) -> str:
    """The card of one style, Markdown."""
    spec = find_model(name, precision="int8")
    recipe = common.trained_config(spec)
    start = f"the weights of `{recipe['init']}`" if recipe["init"] else "fresh weights"
    rows = [
        ("network", f"`{recipe['network']}`, {common.file_sizes(sorted((BUNDLED / name).glob('*.onnx')))}"),
        common.license(spec),
        ("photos", f"{', '.join(recipe['photos'])}: 815 of 835 images of an ImageNet sample (research terms); 20 held out"),
        ("loss network", f"SqueezeNet 1.0, ImageNet weights; content {', '.join(recipe['content_layers'])}; style {', '.join(recipe['style_layers'])}"),
        common.training_command("bundled", name, STYLES, recipe["seed"]),
        ("training", f"{spec.facts['steps']} steps of {recipe['batch']} crops of {recipe['size']} px, from {start}, painting at {recipe['image_size']} px"),
        ("hardware", hardware),
    ]  # fmt: skip
    title = f"{style['title']}. The work is in the public domain (its painter died in 1955 or before)"
    return common.card_text(name, common.header(title, rows), _measured(figures), style["failures"])


def _measured(figures: dict[str, float]) -> str:
    rows = "\n".join(f"| {label} | {figures[key]:.2f} |" for key, label in _rows(figures))
    return f"""The training objective (lower is better), mean over {figures["photos"]} held-out photos at 256 px, by
`python -m export.evaluate`:

| | objective |
|---|---|
{rows}

int8 differs from float32 by {figures["int8-psnr-db"]:.1f} dB PSNR on the same photos."""


def _rows(figures: dict[str, float]) -> list[tuple[str, str]]:
    fixed = {
        "photo": "the photo, left as it is",
        "int8": "this model, int8",
        "int8-yuv420": "this model, int8, in luma and chroma as videos are",
        "float32": "this model, float32",
    }
    rows = [(key, text) for key, text in fixed.items() if key in figures]
    rows += [(key, f"`{key}`, same recipe") for key in figures if key.startswith("johnson")]
    rows += [
        (key, f"direct optimization from noise, {key.removeprefix('lbfgs-')} iterations of L-BFGS")
        for key in figures
        if key.startswith("lbfgs-")
    ]
    return rows


if __name__ == "__main__":
    cli()
