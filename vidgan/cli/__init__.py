"""The command line: one module for each command. Only here is anything printed, and only here the process exits.

Exit codes: 0 done, 1 an error that the message explains, 2 wrong usage, 130 interrupted.
"""

import difflib
import os
import sys
from typing import NoReturn

import click

from vidgan import __version__
from vidgan.cli.allocator import keep_freed_memory
from vidgan.cli.batch import batch, batch_command
from vidgan.cli.bench import bench
from vidgan.cli.cameras import cameras, devices
from vidgan.cli.check import check
from vidgan.cli.doctor import doctor
from vidgan.cli.garbage_collection import collect_once_loaded
from vidgan.cli.help import completion, help_
from vidgan.cli.interruption import came, listen
from vidgan.cli.jobs import jobs
from vidgan.cli.live import live
from vidgan.cli.measure import measure
from vidgan.cli.messages import error, note
from vidgan.cli.models import models
from vidgan.cli.poses import poses
from vidgan.cli.process import RUN_SUMMARY, run_command, task_command
from vidgan.cli.refine import refine
from vidgan.errors import ModelTaskError, VidganError

DEBUG_VARIABLE = "VIDGAN_DEBUG"


class _Commands(click.Group):
    """The commands: those of the tasks, which are made when they are asked for, and the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from vidgan.tasks import listed_tasks

        return [*(task.verb for task in listed_tasks()), "run", "batch", *self.commands]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in self.commands:
            return self.commands[name]
        if name == "run":
            return run_command()
        if name == "batch":
            return batch_command()
        from vidgan.tasks import task_for_verb

        task = task_for_verb(name)
        return None if task is None else task_command(task)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without loading the tasks."""
        from vidgan.tasks import listed_tasks

        summaries = {task.verb: task.summary for task in listed_tasks()} | {"run": RUN_SUMMARY}
        commands = {name: click.Command(name, help=summary) for name, summary in summaries.items()}
        commands |= {"batch": batch, **self.commands}
        shown = {name: each for name, each in commands.items() if not each.hidden}
        limit = formatter.width - 6 - max(map(len, shown))
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(limit)) for name, each in shown.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as exc:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near:
                raise
            raise click.UsageError(f"{exc.message} Did you mean {near[0]!r}?", ctx) from None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="vidgan")
@click.option("--debug", is_flag=True, help=f"Show tracebacks (also: {DEBUG_VARIABLE}=1).")
def cli(debug: bool) -> None:
    """Run style transfer, super-resolution, image translation, segmentation and colorization on video."""
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


for command in (
    jobs,
    live,
    cameras,
    devices,
    models,
    refine,
    poses,
    measure,
    check,
    bench,
    doctor,
    help_,
    completion,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Runs the command line and exits."""
    collect_once_loaded()
    listen()
    keep_freed_memory()
    code = _run()
    # A KeyboardInterrupt that passed an exec() of text, as in the making of a dataclass, is remembered by Python, which
    # then ends by SIGINT whatever the exit code. The next exec() forgets it.
    exec("")
    sys.exit(code)


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
        # click puts its own exception in the place of Ctrl-C's.
        return _interrupted(exc.__cause__ or exc)
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except VidganError as exc:
        return _explain(exc)
    except Exception as exc:  # The edge of the program: nothing reaches the user as a traceback.
        # A library that is interrupted while it loads says that it cannot be loaded.
        if came():
            return _interrupted(exc)
        return _explain(exc, f"unexpected {type(exc).__name__}: {exc} (VIDGAN_DEBUG=1 shows where)")


def _interrupted(exc: BaseException) -> int:
    kept = getattr(exc, "__notes__", [])
    click.echo("interrupted" if kept else "interrupted; no output was left", err=True)
    _say_notes(exc)
    return 130


def _explain(exc: Exception, message: str | None = None) -> int:
    if os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"):
        raise exc
    error(f"{message or exc}{_hint(exc)}")
    _say_notes(exc)
    return 1


def _hint(exc: Exception) -> str:
    """The command for a model of another task; models do not know of commands."""
    if isinstance(exc, ModelTaskError):
        from vidgan.tasks import task_named

        task = task_named(exc.task)
        return f"; 'vidgan {task.verb} --{task.model_field}' takes it"
    return ""


def _say_notes(exc: BaseException) -> None:
    for each in getattr(exc, "__notes__", []):
        note(each)
