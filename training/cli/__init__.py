"""The command line of training. Options come from the settings of the recipes."""

import click
import torch

from training.cli.bundled import bundled, cyclegans, translators, upscalers
from training.cli.deidentify import deidentify, mean_face, woven
from training.cli.evaluate import evaluate
from training.cli.people import render
from training.cli.program import run_program
from training.cli.refine import refine
from training.cli.train import any_style, colorize, pix2pix, style, train_commands


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train vidgan's generators."""


for _command in (
    style,
    refine,
    any_style,
    pix2pix,
    colorize,
    *train_commands(),
    deidentify,
    woven,
    mean_face,
    render,
    bundled,
    upscalers,
    translators,
    cyclegans,
    evaluate,
):
    cli.add_command(_command)


def main() -> None:
    """Runs the command line; expected errors become one line and exit code 1."""
    # The images of a run have one size.
    torch.backends.cudnn.benchmark = True
    run_program(
        cli,
        expected=(OSError, ValueError),
        interrupted="stopped; the same command continues from the last checkpoint",
    )
