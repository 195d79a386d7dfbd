"""What commands for one file share: progress, report and result."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgan.cli.options import film_settings
from vidgan.cli.progress import Progress
from vidgan.cli.report import write_report
from vidgan.errors import VidganError

if TYPE_CHECKING:
    from vidgan.jobs.job import JobResult


def check_stdout(output: Path | None, *, as_json: bool) -> None:
    """Refuses two things that want the same place."""
    if as_json and output == Path("-"):
        raise click.UsageError("--json and '-o -' both want stdout")


def run_single(
    run: "Callable[..., JobResult]",
    input: Path,
    output: Path | None,
    *,
    rate: float | None,
    force: bool,
    as_json: bool,
    report: Path | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Works on one file by :func:`vidgan.stylize` or :func:`vidgan.upscale`, and tells what became of it."""
    try:
        with Progress(input.name, quiet=quiet) as progress:
            result = run(
                input,
                output,
                rate=None if rate is None else Fraction(rate).limit_denominator(1001),
                overwrite=force,
                on_start=lambda info: progress.start(info.frame_count),
                on_frame=progress.update,
                **film_settings(**settings),
            )
    except VidganError as exc:
        if report is not None:
            write_report(report, {"input": str(input), "error": str(exc)})
        raise
    if report is not None:
        write_report(report, result.as_dict())
    for notice in result.notices:
        click.echo(f"note: {notice}", err=True)
    if as_json:
        click.echo(json.dumps(result.as_dict(), indent=2))
    else:
        click.echo(
            f"{result.output}: {result.frames} frames {result.width}x{result.height}, {result.model} "
            f"({result.precision}) on {result.device}, {result.seconds:.1f} s, {result.fps:.1f} fps",
            err=output == Path("-"),
        )
