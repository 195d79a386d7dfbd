"""Runs a command line: expected errors become one line and an exit code."""

import sys

import click


def run_program(
    command: click.Command, *, expected: tuple[type[Exception], ...], interrupted: str = ""
) -> None:
    """Runs ``command`` with the arguments of the process.

    Args:
        expected: errors whose message is enough for the user; they end with exit code 1.
        interrupted: message after an interruption, which ends with exit code 130.
    """
    try:
        command(standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        if interrupted:
            click.echo(interrupted, err=True)
        sys.exit(130)
    except expected as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(1)
