"""``vidgan batch``."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgan.cli.interruption import look
from vidgan.cli.options import (
    check_label_options,
    film_options,
    film_settings,
    label_options,
    style_options,
    upscale_options,
    upscale_settings,
)
from vidgan.cli.report import write_report
from vidgan.errors import InputError

if TYPE_CHECKING:
    from vidgan.jobs.batch import Batch, Outcome
    from vidgan.jobs.fingerprint import Identity
    from vidgan.jobs.job import JobResult
    from vidgan.models.registry import ModelSpec, Task

_LINE_EVERY_SECONDS = 10.0
_SETTLE_SECONDS = 3.0
_LOOK_EVERY_SECONDS = 1.0

_Folder = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", type=_Folder)
@click.option("-o", "--output", "out", type=_Folder, required=True, help="Folder for the results.")
@style_options
@upscale_options
@label_options
@film_options
@click.option("-r", "--recursive", is_flag=True, help="Folders in the folder too.")
@click.option("--include", multiple=True, metavar="PATTERN", help="Only these, e.g. '*.mp4'; repeatable.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Not these; repeatable.")
@click.option("--workers", type=click.IntRange(1), help="Files at a time; by default 1, or as a cluster can.")
@click.option(
    "--cluster", metavar="ADDRESS|local", help="Paint on a Ray cluster, or on all GPUs of this machine."
)
@click.option("--watch", is_flag=True, help="Go on with files as they arrive, until Ctrl-C.")
@click.option("-f", "--force", is_flag=True, help="Replace outputs that an earlier batch did not make.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a JSON report here.")
@click.pass_context
def batch(
    context: click.Context,
    /,
    folder: Path,
    out: Path,
    style: str | None,
    strength: float,
    preserve_color: bool,
    model: str | None,
    scale: str | None,
    height: int | None,
    palette: Path | None,
    alike: tuple[tuple[str, str], ...],
    device: Any,
    recursive: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    workers: int | None,
    cluster: str | None,
    watch: bool,
    force: bool,
    report: Path | None,
    **settings: Any,
) -> None:
    """Repaint a folder of videos and pictures, or enlarge them; what is done already is skipped."""
    name = style or model
    if name is None or (style is not None and model is not None):
        raise click.UsageError("give --style to repaint, or --model to do anything else")
    check_label_options(palette, alike)
    from vidgan.jobs.batch import Batch, run_batch
    from vidgan.media.label_map import read_palette
    from vidgan.models.registry import find_model, task_of
    from vidgan.tasks.settings import KINDS

    task: Task = "style" if style is not None else task_of(name)
    own: dict[Task, dict[str, Any]] = {
        "style": {"strength": strength, "preserve_color": preserve_color},
        "upscale": upscale_settings(scale, height),
        "colorize": {"strength": strength},
    }
    if palette is not None:
        if task != "translate":
            raise click.UsageError(f"--palette is for label maps, of which {name} makes nothing")
        classes = find_model(name, precision="int8", task=task).classes
        own["translate"] = {"palette": read_palette(palette, classes, dict(alike))}
    if task == "style" and model is not None:
        raise click.UsageError(f"{model} is a style; --style takes it")
    chosen = KINDS[task](**own.get(task, {}), **film_settings(**settings))
    with _painter(cluster, name, task, device) as (specs, paint, slots):
        work = Batch(
            folder=folder,
            out=out,
            models=specs,
            paint=paint,
            settings=chosen,
            recursive=recursive,
            include=include,
            exclude=exclude,
            overwrite=force,
        )
        outcomes: list[Outcome] = []
        try:
            for inputs in _arriving(work) if watch else [work.inputs()]:
                if not inputs:
                    raise InputError(f"{folder}: nothing to work on in it")
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


@contextmanager
def _painter(
    cluster: str | None, model: str, task: "Task", device: Any
) -> "Iterator[tuple[list[ModelSpec], Callable[..., JobResult], int]]":
    """The models, what works on a file with them, and how many files at a time suit that."""
    if cluster is not None:
        from vidgan.jobs.cluster import Cluster

        with Cluster(cluster, model=model, task=task, device=device) as workers:
            yield workers.specs, workers.paint, workers.slots
        return
    from vidgan.jobs import job
    from vidgan.tasks.upscaler import Upscaler

    if task == "upscale":
        upscaler = Upscaler(model, device=device)
        yield upscaler.specs, partial(job.upscale, model=upscaler), 1
        return
    session = job.load_model(model, task, device=device)
    runs: dict[Task, Callable[..., JobResult]] = {
        "style": partial(job.stylize, style=session),
        "translate": partial(job.translate, model=session),
        "segment": partial(job.segment, model=session),
        "colorize": partial(job.colorize, model=session),
    }
    yield [session.spec], runs[task], 1


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
