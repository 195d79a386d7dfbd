"""``vidgan batch``."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgan.cli.interruption import look
from vidgan.cli.options import (
    HeadedCommand,
    HeadedOption,
    device_option,
    options_for,
    options_of_all,
    settings_from,
    split_settings,
)
from vidgan.cli.report import write_report
from vidgan.errors import InputError

if TYPE_CHECKING:
    from vidgan.jobs.batch import Batch, Outcome, Process
    from vidgan.jobs.fingerprint import Identity
    from vidgan.jobs.plan import Step
    from vidgan.models.registry import ModelSpec
    from vidgan.tasks.task import Task

_LINE_EVERY_SECONDS = 10.0
_SETTLE_SECONDS = 3.0
_LOOK_EVERY_SECONDS = 1.0

_Folder = click.Path(path_type=Path, file_okay=False)


def batch_command() -> click.Command:
    """``vidgan batch``, with the options of all tasks."""
    from vidgan.jobs.settings import JobSettings
    from vidgan.tasks import all_tasks

    batch.params += options_of_all(each.settings_type for each in all_tasks())
    batch.params += options_for(JobSettings)
    return batch


@click.command(cls=HeadedCommand)
@click.argument("folder", type=_Folder)
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
@device_option
@click.pass_context
def batch(
    context: click.Context,
    /,
    folder: Path,
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
    force: bool,
    report: Path | None,
    **values: Any,
) -> None:
    """Process every video and image of a folder; what is done already is skipped."""
    from vidgan.jobs.batch import DEFAULT_NAME, Batch, run_batch
    from vidgan.jobs.settings import JobSettings

    job, others = split_settings(values, JobSettings)
    chosen = _steps(steps, others)
    settings = settings_from(JobSettings, job)
    with _backend(cluster, chosen, device) as (loaded, specs, process, slots):
        work = Batch(
            folder=folder,
            out=out,
            steps=loaded,
            models=specs,
            process=process,
            settings=settings,
            name=name or DEFAULT_NAME,
            recursive=recursive,
            include=include,
            exclude=exclude,
            overwrite=force,
        )
        outcomes: list[Outcome] = []
        try:
            for inputs in _arriving(work) if watch else [work.inputs()]:
                if not inputs:
                    raise InputError(f"{folder}: has no videos or images")
                lines = _Lines(inputs, outcomes)
                run_batch(
                    work, inputs, workers=workers or slots, on_outcome=lines.say, on_frame=lines.frame_done
                )
        finally:
            _summarise(outcomes)
            if report is not None:
                write_report(report, [each.as_dict() for each in outcomes])
    if any(each.status == "failed" for each in outcomes):
        context.exit(1)


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
    specs = [spec for each in loaded if each.models is not None for spec in each.models.specs]
    yield (
        loaded,
        specs,
        lambda request, **options: run_job(request, lambda: LocalBackend(request), **options),
        1,
    )


def _arriving(work: "Batch") -> Iterator[list[Path]]:
    """Files that are complete and were not seen as they are, a few at a time, for ever."""
    from vidgan.jobs.batch import settled_inputs

    seen: set[tuple[Path, Identity]] = set()
    while True:
        fresh = [each for each in settled_inputs(work, _SETTLE_SECONDS) if each not in seen]
        seen.update(fresh)
        if fresh:
            yield [path for path, _ in fresh]
        time.sleep(_LOOK_EVERY_SECONDS)
        look()


class _Lines:
    """A line for each file that ends, and one now and then for those in the making."""

    def __init__(self, inputs: list[Path], outcomes: "list[Outcome]") -> None:
        self._outcomes = outcomes
        self._bytes = {str(path): path.stat().st_size for path in inputs}
        self._done = self._done_bytes = self._skipped_bytes = 0
        self._started = self._last_line = time.monotonic()

    def say(self, outcome: "Outcome") -> None:
        self._outcomes.append(outcome)
        size = self._bytes[outcome.input]
        self._done += 1
        self._done_bytes += size
        if outcome.status == "skipped":
            self._skipped_bytes += size
        words = {
            "done": f"{outcome.frames} frames, {outcome.frames / max(outcome.seconds, 1e-9):.1f} fps",
            "skipped": "done already",
            "failed": f"failed: {outcome.error}",
        }[outcome.status]
        name = outcome.output if outcome.status == "done" else outcome.input
        click.echo(f"[{self._done}/{len(self._bytes)}] {name}: {words}{self._left()}", err=True)
        for notice in outcome.notices:
            click.echo(f"  note: {notice}", err=True)

    def frame_done(self, path: Path, count: int) -> None:
        look()
        now = time.monotonic()
        if now - self._last_line >= _LINE_EVERY_SECONDS:
            self._last_line = now
            click.echo(f"  {path}: {count} frames{self._left()}", err=True)

    def _left(self) -> str:
        """By bytes, which is all that is known of files that nobody has opened yet."""
        worked = self._done_bytes - self._skipped_bytes
        left = sum(self._bytes.values()) - self._done_bytes
        if not worked or not left:
            return ""
        seconds = int((time.monotonic() - self._started) * left / worked)
        return f" ({seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} left)"


def _summarise(outcomes: "list[Outcome]") -> None:
    for status in ("done", "skipped", "failed"):
        those = [each for each in outcomes if each.status == status]
        if those:
            frames = sum(each.frames for each in those)
            click.echo(f"{status:8}{len(those):6} files" + (f"{frames:9} frames" if frames else ""))
    for each in outcomes:
        if each.status == "failed":
            click.echo(f"  {each.error}")
