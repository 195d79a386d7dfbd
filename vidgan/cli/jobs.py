"""``vidgan jobs``."""

import contextlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidgan.cli.messages import error, note
from vidgan.cli.passcode import with_passcodes
from vidgan.cli.progress import Progress
from vidgan.cli.report import counted
from vidgan.errors import VidganError

if TYPE_CHECKING:
    from vidgan.jobs.unfinished import Job

_where = click.argument("where", nargs=-1, type=click.Path(path_type=Path))
_recursive = click.option("-r", "--recursive", is_flag=True, help="Folders in the folder too.")


@click.group()
def jobs() -> None:
    """Videos in the making: list them, go on with them, or throw them away.

    WHERE is a folder, or an output that was not finished; the current folder if nothing is given.
    """


@jobs.command("list")
@_where
@_recursive
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(where: tuple[Path, ...], recursive: bool, as_json: bool) -> None:
    """Show what is unfinished."""
    from vidgan.jobs.unfinished import expected_frames

    found = [(job, expected_frames(job)) for job in _found(where, recursive)]
    if as_json:
        entries = [asdict(job) | {"expected_frames": expected} for job, expected in found]
        click.echo(json.dumps(entries, indent=2, default=str))
        return
    for job, expected in found:
        click.echo(
            f"{job.output or job.folder}: {job.state}, {job.frames} of {expected or '?'} frames done, "
            f"{_model(job)}, {_ago(job.age_seconds)} ago, {job.bytes / 1e6:.1f} MB"
        )
    if not found:
        _say_nothing_found(where)


@jobs.command()
@_where
@_recursive
@click.option("-f", "--force", is_flag=True, help="Replace outputs that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.pass_context
def resume(
    context: click.Context, /, where: tuple[Path, ...], recursive: bool, force: bool, quiet: bool
) -> None:
    """Go on with what was interrupted, with the settings it began with."""
    from vidgan.jobs.unfinished import resume as run

    failed = 0
    found = _found(where, recursive)
    for job in found:
        name = job.output or job.folder
        if job.state == "running":
            note(f"{name}: another vidgan is at work on it")
            continue
        try:
            with Progress(name.name, quiet=quiet) as progress:
                result = run(
                    job,
                    overwrite=force,
                    complete=with_passcodes,
                    on_start=lambda info, shown=progress: shown.start(info.frame_count),  # type: ignore[misc]
                    on_frame=progress.update,
                    on_encode=progress.encode,
                )
        except Exception as exc:  # One video must not end the work on the others.
            unexpected = "" if isinstance(exc, VidganError) else f"{name}: unexpected {type(exc).__name__}: "
            error(f"{unexpected}{exc}")
            failed += 1
            continue
        if not quiet:
            for warning in result.warnings:
                note(warning)
            frames = counted(result.frames, "frame")
            click.echo(f"{result.output}: {frames}, {result.resumed_frames} of them from before")
    if not (found or quiet):
        _say_nothing_found(where)
    if failed:
        context.exit(1)


@jobs.command()
@_where
@_recursive
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def clean(context: click.Context, /, where: tuple[Path, ...], recursive: bool, yes: bool) -> None:
    """Throw away what is unfinished, unless somebody is at work on it."""
    from vidgan.jobs.unfinished import clean as run

    found = [job for job in _found(where, recursive) if job.state != "running"]
    size = sum(job.bytes for job in found)
    if found and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("say --yes where nobody can be asked")
        click.confirm(
            f"Throw away {counted(len(found), 'unfinished output')}, {size / 1e6:.1f} MB?", abort=True
        )
    gone = freed = 0
    for job in found:
        try:
            freed += run(job)
        except VidganError as exc:
            error(exc)
            continue
        gone += 1
        if job.folder.exists():
            note(f"{job.folder}: has something else in it, and stays")
    if found:
        said = f"{freed / 1e6:.1f} MB ({counted(freed, 'byte')})"
        click.echo(f"{counted(gone, 'unfinished output')} thrown away, {said}")
    else:
        _say_nothing_found(where)
    if gone < len(found):
        context.exit(1)


def _say_nothing_found(where: tuple[Path, ...]) -> None:
    places = ", ".join(map(str, where or (Path.cwd(),)))
    click.echo(f"nothing is unfinished in {places}")


def _found(where: tuple[Path, ...], recursive: bool) -> "list[Job]":
    from vidgan.jobs.unfinished import find_jobs

    found = [job for each in where or (Path(),) for job in find_jobs(each, recursive=recursive)]
    return list({job.folder.absolute(): job for job in found}.values())


def _model(job: "Job") -> str:
    if job.model is None:
        return "unknown model"
    from vidgan.models.registry import read_model

    path = Path(job.model)
    with contextlib.suppress(VidganError):
        # Exports are all called int8.onnx, and styles of images are kept by checksums.
        return read_model(path).name
    return path.parent.name if path.stem in ("int8", "float16", "float32") else path.stem


def _ago(seconds: float) -> str:
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return counted(round(seconds), "second")
