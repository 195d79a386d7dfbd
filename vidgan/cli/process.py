"""Commands that process one file: one for each task, and ``vidgan run`` for chains."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgan.cli.messages import note, worded_report
from vidgan.cli.options import (
    HeadedCommand,
    HeadedOption,
    PathType,
    device_option,
    is_required,
    options_for,
    output_options,
    settings_from,
    split_settings,
)
from vidgan.cli.passcode import with_passcodes
from vidgan.cli.progress import Progress
from vidgan.cli.report import counted, write_report
from vidgan.errors import VidganError

if TYPE_CHECKING:
    from vidgan.jobs.plan import JobRequest, Step
    from vidgan.jobs.runner import JobResult
    from vidgan.tasks.task import Task

_VIDEO = "video"
_LARGE = 10_000_000
"""Bytes of an animation from which on pages and chats refuse it."""

RUN_SUMMARY = "Run several steps in one pass: one decode, one encode."
_EXAMPLE = """
\b
Examples:
  vidgan run in.mp4 -o out.mp4 "stylize:style=starry,strength=0.8" "upscale:scale=2"
  vidgan run in.mp4 starry swift
"""


def task_command(task: "Task[Any]") -> click.Command:
    """The command of a task, with the options of its settings."""
    from vidgan.jobs.provenance import ProvenanceSettings
    from vidgan.jobs.settings import JobSettings

    @click.argument("input", type=PathType)
    @output_options
    @device_option
    def process(input: Path, **values: Any) -> None:
        own, values = split_settings(values, task.settings_type)
        if task.subject_field is not None and (video := values.pop(_VIDEO)) is not None:
            own[task.subject_field], input = input, video
        _check_model(task, own)
        _process(input, lambda: [_step(task, own)], values)

    command: click.Command = click.command(task.verb, cls=HeadedCommand, help=task.summary)(process)
    command.params += [each for settings in (task.settings_type, JobSettings, ProvenanceSettings)
                       for each in options_for(settings)]  # fmt: skip
    if task.subject_field is not None:
        command.params.append(_like_option(task.subject_field))
    return command


def _like_option(subject: str) -> click.Option:
    return HeadedOption(
        ["--like", _VIDEO],
        type=PathType,
        metavar="VIDEO|POSES.json",
        heading="Input",
        help=f"Video, or file of 'vidgan poses', whose movement is taken; INPUT is the {subject}'s image then. "
        "Without it INPUT is the video.",
    )


def run_command() -> click.Command:
    """``vidgan run``."""
    from vidgan.jobs.provenance import ProvenanceSettings
    from vidgan.jobs.settings import JobSettings

    @click.argument("input", type=PathType)
    @click.argument("steps", nargs=-1, required=True, metavar="STEP...")
    @output_options
    @device_option
    def run(input: Path, steps: tuple[str, ...], **values: Any) -> None:
        _process(input, lambda: _parsed(steps), values)

    summary = (
        f"{RUN_SUMMARY}\n\n"
        "A STEP is VERB:OPTION=VALUE,... with the options of 'vidgan VERB', or the name of a model.\n"
        + _EXAMPLE
    )
    command: click.Command = click.command("run", cls=HeadedCommand, help=summary)(run)
    command.params += [*options_for(JobSettings), *options_for(ProvenanceSettings)]
    return command


def _parsed(steps: Sequence[str]) -> "list[Step]":
    from vidgan.jobs.plan import Step
    from vidgan.tasks import step_settings

    return [Step(step_settings(each)) for each in steps]


def _step(task: "Task[Any]", values: dict[str, Any]) -> "Step":
    from vidgan.jobs.plan import Step

    return Step(settings_from(task.settings_type, values))


def _check_model(task: "Task[Any]", values: dict[str, Any]) -> None:
    """Refuses a missing model before anything else."""
    field = task.model_field
    if field is None or not is_required(task.settings_type, field) or values.get(field) is not None:
        return
    from vidgan.tasks import shipped_names

    names = ", ".join(shipped_names(task)) or "none that came with vidgan"
    image = ", or an image" if field == "style" else ""
    raise click.UsageError(f"--{field} is missing; there are {names}, or give FILE.onnx{image}")


def _process(input: Path, steps: "Callable[[], list[Step]]", values: dict[str, Any]) -> None:
    """Processes one file and prints what became of it."""
    from vidgan.jobs.paths import Input
    from vidgan.jobs.plan import JobRequest
    from vidgan.jobs.provenance import ProvenanceSettings
    from vidgan.jobs.runner import LocalBackend, run_job
    from vidgan.jobs.settings import JobSettings
    from vidgan.sinks import refuse_input

    job, values = split_settings(values, JobSettings)
    provenance, others = split_settings(values, ProvenanceSettings)
    output, as_json, quiet = others["output"], others["as_json"], others["quiet"]
    if as_json and output == Path("-"):
        raise click.UsageError("--json and '-o -' both want stdout")
    for beside in ("report", "preview"):
        if others[beside] is not None:
            refuse_input(others[beside], [input])
            if others[beside] == output:
                raise click.UsageError(f"--{beside} and --output are one file")
    try:
        request = JobRequest(
            input=Input.at(input),
            output=output,
            steps=with_passcodes(steps()),
            settings=settings_from(JobSettings, job),
            provenance=settings_from(ProvenanceSettings, provenance),
            overwrite=others["force"],
            pipe_format=others["pipe_format"],
        )
        if others["preview"] is not None:
            _preview(request, others)
            return
        with Progress(input.name, quiet=quiet) as progress:
            result = run_job(
                request,
                lambda: LocalBackend(request, others["device"], on_tile=progress.tile),
                on_start=lambda info: progress.start(info.frame_count),
                on_frame=progress.update,
                on_encode=progress.encode,
                on_size=lambda count: progress.notify(_size_line(request.output_path, count)),
            )
    except VidganError as exc:
        if others["report"] is not None:
            write_report(others["report"], worded_report({"input": str(input), "error": str(exc)}))
        raise
    if others["report"] is not None:
        write_report(others["report"], worded_report(result.as_dict()))
    _print(result, as_json=as_json, quiet=quiet, to_stderr=output == Path("-"))


def _size_line(output: Path, count: int) -> str:
    smaller = "; --size makes it smaller, .mp4 much smaller" if count >= _LARGE else ""
    return f"{output}: will have about {count / 1e6:.1f} MB{smaller}"


def _preview(request: "JobRequest", values: dict[str, Any]) -> None:
    from vidgan.jobs.preview import preview

    sheet = values["preview"]
    summary = preview(request, sheet, device=values["device"], overwrite=values["force"])
    click.echo(f"{sheet}: {summary}")


def _print(result: "JobResult", *, as_json: bool, quiet: bool, to_stderr: bool) -> None:
    for warning in [] if quiet else result.warnings:
        note(warning)
    if as_json:
        click.echo(json.dumps(worded_report(result.as_dict()), indent=2))
    elif not quiet:
        model = "" if result.model == "none" else f", {result.model} ({result.precision})"
        click.echo(
            f"{result.output}: {counted(result.frames, 'frame')} {result.width}x{result.height}{model} "
            f"on {result.device}, {result.seconds:.1f} s, {result.fps:.1f} fps",
            err=to_stderr,
        )
