"""``python -m training refine``: a style made of an image, trained further on that image for some minutes."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from training.cli.options import (
    File,
    device_option,
    photos_option,
    pick_device,
    pick_precision,
    weights_option,
)
from training.cli.train import RESUME, train_run
from training.core.run_folder import CHECKPOINT, read_config
from training.recipes.style import STYLE, StyleConfig, StyleRecipe

_TIMED_STEPS = 8
_UNTIMED_STEPS = 2
"""First steps, which also allocate memory."""
_CHECKPOINTS_SHARE = 0.05
"""Share of the time that checkpoints and sample sheets take."""


@click.command(help=f"Train the style of IMAGE further, from a model that was made of it.\n\n{RESUME}")
@click.argument("image", type=File)
@click.option(
    "--init", type=File, required=True, help="Its float32.onnx, as 'vidgan stylize --style IMAGE' keeps it."
)
@photos_option
@weights_option
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="Time to train for; decides the number of steps when the run begins.",
)
@click.option(
    "--image-size",
    type=click.IntRange(16),
    default=StyleConfig.image_size,
    show_default=True,
    help="Long side of the image in pixels; smaller means smaller strokes.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option("--seed", default=0, show_default=True, help="Seed of all random numbers.")
@device_option
def refine(
    image: Path, init: Path, minutes: float, out: Path, device: str, **settings: Any
) -> None:  # fmt: skip
    config = StyleConfig(
        image=str(image),
        init=str(init),
        palette_steps=0,
        norm_fade=[0.0, 0.0],
        precision=pick_precision("auto", device),
        **settings,
    )
    if (out / CHECKPOINT).exists():
        steps = int(read_config(out)["steps"])
    else:
        steps = steps_within(60 * minutes, config, device)
        click.echo(f"{steps} steps in about {minutes:g} minutes")
    train_run(STYLE, replace(config, steps=steps), out, device=device)


def steps_within(seconds: float, config: StyleConfig, device: str) -> int:
    """Number of training steps that take about so long on this machine, 1 at least.

    Some steps of another run are timed; it leaves nothing.
    """
    recipe = StyleRecipe(replace(config, steps=_UNTIMED_STEPS + _TIMED_STEPS), pick_device(device))
    for index in range(_UNTIMED_STEPS):
        recipe.step(index)
    started = time.perf_counter()
    for index in range(_UNTIMED_STEPS, _UNTIMED_STEPS + _TIMED_STEPS):
        # A step ends with losses as numbers, which waits for the device.
        recipe.step(index)
    step_seconds = (time.perf_counter() - started) / _TIMED_STEPS
    return max(1, int((1 - _CHECKPOINTS_SHARE) * seconds / step_seconds))
