"""The command line: one module a command. Only here is anything printed, and only here the process exits.

Exit codes: 0 done, 1 an error that the message explains, 2 wrong usage, 130 interrupted.
"""

import os
import sys
from typing import NoReturn

import click

from vidgan import __version__
from vidgan.cli.allocator import keep_freed_memory
from vidgan.cli.batch import batch
from vidgan.cli.bench import bench
from vidgan.cli.check import check
from vidgan.cli.doctor import doctor
from vidgan.cli.interruption import listen
from vidgan.cli.jobs import jobs
from vidgan.cli.live import devices, live
from vidgan.cli.measure import measure
from vidgan.cli.models import models
from vidgan.cli.stylize import stylize
from vidgan.cli.translate import colorize, segment, translate
from vidgan.cli.upscale import upscale
from vidgan.errors import VidganError

DEBUG_VARIABLE = "VIDGAN_DEBUG"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="vidgan")
@click.option("--debug", is_flag=True, help=f"Show tracebacks (also: {DEBUG_VARIABLE}=1).")
def cli(debug: bool) -> None:
    """Put learned image generators on video."""
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


for command in (
    stylize, upscale, translate, segment, colorize, batch, jobs,
    live, devices, models, measure, check, bench, doctor,
):  # fmt: skip
    cli.add_command(command)


def main() -> NoReturn:
    """Runs the command line and exits."""
    listen()
    keep_freed_memory()
    sys.exit(_run())


def _run() -> int:
    try:
        return cli(standalone_mode=False) or 0
    except click.UsageError as exc:
        exc.show()
        return 2
    except click.ClickException as exc:
        exc.show()
        return 1
    except (click.Abort, KeyboardInterrupt) as exc:
        click.echo("interrupted; no output was left", err=True)
        # click puts its own exception in the place of Ctrl-C's.
        _say_notes(exc.__cause__ or exc)
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except VidganError as exc:
        return _explain(exc)
    except Exception as exc:  # The edge of the program: nothing reaches the user as a traceback.
        return _explain(exc, f"unexpected {type(exc).__name__}: {exc} (VIDGAN_DEBUG=1 shows where)")


def _explain(exc: Exception, message: str | None = None) -> int:
    if os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"):
        raise exc
    click.echo(f"error: {message or exc}", err=True)
    _say_notes(exc)
    return 1


def _say_notes(exc: BaseException) -> None:
    for note in getattr(exc, "__notes__", []):
        click.echo(f"note: {note}", err=True)
