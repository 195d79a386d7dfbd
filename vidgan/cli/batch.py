"""``vidgan batch``."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgan.cli.batch_lines import BatchLines, summarize
from vidgan.cli.interruption import look
from vidgan.cli.messages import note, worded, worded_report
from vidgan.cli.options import (
    HeadedCommand,
    HeadedOption,
    device_option,
    options_for,
    options_of_all,
    settings_from,
    split_settings,
)
from vidgan.cli.passcode import with_passcodes
from vidgan.cli.report import counted, duration, write_report
from vidgan.errors import InputError

if TYPE_CHECKING:
    from vidgan.jobs.batch import Batch, Outcome, Process
    from vidgan.jobs.fingerprint import FileFingerprint
    from vidgan.jobs.plan import Step
    from vidgan.models.registry import ModelSpec
    from vidgan.tasks.task import Task

_SETTLE_SECONDS = 3.0
_LOOK_EVERY_SECONDS = 1.0
_INTERRUPTED = 130

_Folder = click.Path(path_type=Path, file_okay=False)


def batch_command() -> click.Command:
    """``vidgan batch``, with the options of all tasks."""
    from vidgan.jobs.provenance import ProvenanceSettings
    from vidgan.jobs.settings import JobSettings
    from vidgan.tasks import all_tasks

    command = copy(batch)
    command.params = [
        *batch.params,
        *options_of_all(each.settings_type for each in all_tasks()),
        *options_for(JobSettings),
        *options_for(ProvenanceSettings),
    ]
    return command


@click.command(cls=HeadedCommand)
@click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="INPUT...")
@click.option(
    "-o", "--output", "out", type=_Folder, required=True, cls=HeadedOption, help="Folder for the results."
)
@click.option(
    "--step",
    "steps",
    multiple=True,
    metavar="STEP",
    cls=HeadedOption,
    heading="Model",
    help="A step of a chain instead of --style or --model, as of 'vidgan run'; repeatable.",
)
@click.option(
    "--name",
    metavar="TEMPLATE",
    cls=HeadedOption,
    help="Names of the outputs.  [default: {stem}.{model}{ext}]",
)
@click.option(
    "-r", "--recursive", is_flag=True, cls=HeadedOption, heading="Input", help="Also process subfolders."
)
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    cls=HeadedOption,
    heading="Input",
    help="Only these, such as '*.mp4'; repeatable.",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    cls=HeadedOption,
    heading="Input",
    help="Not these; repeatable.",
)
@click.option(
    "--watch",
    is_flag=True,
    cls=HeadedOption,
    heading="Input",
    help="Also process files as they arrive, until Ctrl-C.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    cls=HeadedOption,
    help="List the outputs, with an estimate of time and disk space, and process nothing.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    cls=HeadedOption,
    heading="Device",
    help="Files at a time.  [default: 1, or as many as a cluster can]",
)
@click.option(
    "--cluster",
    metavar="ADDRESS|local",
    cls=HeadedOption,
    heading="Device",
    help="Process on a Ray cluster, or on all GPUs of this machine.",
)
@click.option(
    "-f",
    "--force",
    is_flag=True,
    cls=HeadedOption,
    help="Replace outputs that a batch with these settings did not make.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    cls=HeadedOption,
    heading="Reporting",
    help="Write a JSON report here.",
)
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    cls=HeadedOption,
    heading="Reporting",
    help="Print failures and errors only.",
)
@device_option
@click.pass_context
def batch(
    context: click.Context,
    /,
    places: tuple[Path, ...],
    out: Path,
    steps: tuple[str, ...],
    name: str | None,
    device: Any,
    recursive: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    workers: int | None,
    cluster: str | None,
    watch: bool,
    dry_run: bool,
    force: bool,
    report: Path | None,
    quiet: bool,
    **values: Any,
) -> None:
    """Process files, folders of them, and patterns such as 'clips/*.mp4'; done files are skipped."""
    from vidgan.jobs.batch import DEFAULT_NAME, Batch
    from vidgan.jobs.batch_inputs import BatchInputs
    from vidgan.jobs.provenance import ProvenanceSettings
    from vidgan.jobs.settings import JobSettings

    job, values = split_settings(values, JobSettings)
    provenance, others = split_settings(values, ProvenanceSettings)
    chosen = _steps(steps, others)
    if not dry_run:
        chosen = with_passcodes(chosen)
    settings = settings_from(JobSettings, job)
    with _backend(cluster, chosen, device) as (loaded, specs, process, slots):
        work = Batch(
            inputs=BatchInputs(places=places, out=out, recursive=recursive, include=include, exclude=exclude),
            steps=loaded,
            models=specs,
            process=process,
            settings=settings,
            provenance=settings_from(ProvenanceSettings, provenance),
            name=name or DEFAULT_NAME,
            overwrite=force,
        )
        for skipped in [] if quiet else work.inputs.skipped_folders():
            note(f"{skipped}: is a folder; --recursive takes it too")
        if dry_run:
            _print_estimates(work)
            return
        outcomes: dict[str, Outcome] = {}
        try:
            _process(work, outcomes, workers=workers or slots, watch=watch, quiet=quiet)
        except KeyboardInterrupt as exc:
            done = sum(each.status == "done" for each in outcomes.values())
            said = f"{counted(done, 'file')} done; the same command continues"
            if not watch:
                exc.add_note(said)
                raise
            # Nothing else ends a watch.
            if not quiet:
                click.echo(f"\nno longer watching; {said}", err=True)
            context.exit(_INTERRUPTED)
        finally:
            if not quiet:
                summarize(list(outcomes.values()))
            if report is not None:
                write_report(report, _report(work, list(outcomes.values())))
    if any(each.status == "failed" for each in outcomes.values()):
        context.exit(1)


def _process(
    work: "Batch", outcomes: "dict[str, Outcome]", *, workers: int, watch: bool, quiet: bool
) -> None:
    """Runs the batch; the last outcome of each input counts."""
    from vidgan.jobs.batch import run_batch

    if watch and not quiet:
        names = ", ".join(map(str, work.inputs.places))
        click.echo(f"watching {names}; Ctrl-C ends it", err=True)
    for inputs in _arriving(work) if watch else [work.inputs.find()]:
        if not inputs:
            raise InputError(f"{work.inputs.places[0]}: has no videos or images")
        lines = BatchLines(inputs, outcomes, quiet=quiet)
        run_batch(work, inputs, workers=workers, on_outcome=lines.notify, on_frame=lines.frame_done)


def _print_estimates(work: "Batch") -> None:
    from vidgan.jobs.estimate import estimate_batch

    inputs = work.inputs.find()
    work.check_names(inputs)
    found = estimate_batch(work, inputs)
    for each in found:
        frames = "unknown length" if each.frames is None else counted(each.frames, "frame")
        size = "" if each.bytes is None else f", about {each.bytes / 1e6:.1f} MB"
        time_ = "" if each.seconds is None else f", about {duration(each.seconds)}"
        words = "done already" if each.done else worded(each.error or frames + time_ + size)
        click.echo(f"{each.input} -> {each.output}: {words}")
    seconds, size_ = (sum(getattr(each, name) or 0 for each in found) for name in ("seconds", "bytes"))
    failing = sum(each.error is not None for each in found)
    done = sum(each.done for each in found)
    said = f"; {failing} will fail" if failing else ""
    said += f"; {done} done already" if done else ""
    click.echo(
        f"{counted(len(found) - failing - done, 'file')}, about {duration(seconds)}, about {size_ / 1e6:.1f} MB{said}"
    )


def _report(work: "Batch", outcomes: "Sequence[Outcome]") -> dict[str, Any]:
    """Settings, totals and the outcome of each file."""
    return {
        "steps": [{"task": each.settings.task, **each.settings.as_json()} for each in work.steps],
        "settings": work.settings.as_json(),
        "totals": {
            status: sum(each.status == status for each in outcomes)
            for status in ("done", "skipped", "failed")
        }
        | {
            "frames": sum(each.frames for each in outcomes),
            "seconds": sum(each.seconds for each in outcomes),
        },
        "files": [worded_report(each.as_dict()) for each in outcomes],
    }


def _steps(texts: Sequence[str], values: dict[str, Any]) -> "list[Step]":
    """The steps that the options ask for."""
    from vidgan.jobs.plan import Step
    from vidgan.tasks import step_settings

    style, model = values.get("style"), values.get("model")
    if sum(map(bool, (texts, style, model))) > 1:
        raise click.UsageError("--style, --model and --step each say what to do; give one of them")
    if texts:
        return [Step(step_settings(each)) for each in texts]
    name = style or model
    if name is None:
        raise click.UsageError("give --style to repaint, --model for any other task, or --step for a chain")
    return [_step(name, is_style=style is not None, values=values)]


def _step(name: str, *, is_style: bool, values: dict[str, Any]) -> "Step":
    from vidgan.jobs.plan import Step
    from vidgan.tasks import task_named, task_of_model

    task = task_named("style") if is_style else task_of_model(name)
    if task.model_field == "style" and not is_style:
        raise click.UsageError(f"{name} is a style; --style takes it")
    own, others = split_settings(values, task.settings_type)
    _refuse_others(task, name, others)
    return Step(settings_from(task.settings_type, own))


def _refuse_others(task: "Task[Any]", name: str, values: dict[str, Any]) -> None:
    """Refuses options of other tasks than the one that was chosen."""
    for parameter, value in values.items():
        if value not in (None, ()) and parameter not in ("style", "model"):
            raise click.UsageError(
                f"--{parameter.replace('_', '-')} is not an option of 'vidgan {task.verb}', which {name} is for"
            )


@contextmanager
def _backend(
    cluster: str | None, steps: "list[Step]", device: Any
) -> "Iterator[tuple[list[Step], list[ModelSpec], Process, int]]":
    """The steps with their models, what processes a file with them, and how many files at a time suit that."""
    from dataclasses import replace

    if cluster is not None:
        from vidgan.jobs.cluster import Cluster

        with Cluster(cluster, steps, device=device) as workers:
            variants = [each for models in workers.models for each in models.variants.values()]
            yield steps, [spec for specs in variants for spec in specs], workers.run, workers.slots
        return
    from vidgan.jobs.runner import LocalBackend, run_job

    loaded = [replace(each, models=each.loaded(device=device)) for each in steps]
    for step in loaded:
        for warning in [] if step.models is None else step.models.take_warnings():
            note(warning)
    specs = [spec for each in loaded if each.models is not None for spec in each.models.specs]
    yield (
        loaded,
        specs,
        lambda request, **options: run_job(request, lambda: LocalBackend(request), **options),
        1,
    )


def _arriving(work: "Batch") -> Iterator[list[Path]]:
    """Files that are complete and were not seen as they are, a few at a time, for ever."""
    from vidgan.jobs.batch_inputs import SettledInputs

    settled = SettledInputs(work.inputs, _SETTLE_SECONDS)
    seen: set[tuple[Path, FileFingerprint]] = set()
    while True:
        fresh = [each for each in settled.find() if each not in seen]
        seen.update(fresh)
        if fresh:
            yield [path for path, _ in fresh]
        time.sleep(_LOOK_EVERY_SECONDS)
        look()
