"""The command line of training, one module a recipe; every option's default is its recipe's."""

import sys

import click
import torch

from training.cli.any_style import any_style
from training.cli.cyclegan import cyclegan, cyclegans
from training.cli.evaluate import evaluate
from training.cli.style import bundled, style
from training.cli.super_resolution import sr, upscalers
from training.cli.translation import colorize, pix2pix, segmentation, translators, vid2vid
from training.cli.unpaired import evaluate_cyclegan


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train vidgan's generators."""


for _command in (
    style, bundled, any_style, sr, upscalers, pix2pix, colorize, segmentation, vid2vid, translators,
    cyclegan, cyclegans, evaluate,
):  # fmt: skip
    cli.add_command(_command)
evaluate.add_command(evaluate_cyclegan)


def main() -> None:
    """Runs the command line; expected errors become one line and exit code 1."""
    # Runs go through pictures of one size.
    torch.backends.cudnn.benchmark = True
    try:
        cli(standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; the same command continues from the last checkpoint", err=True)
        sys.exit(130)
    except (OSError, ValueError) as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(1)
