"""Time that ``vidgan stylize`` takes until its first frame.

::

    python -m benchmarks.start_up --runs 10

Each run is a process of its own, on the CPU, with Python's bytecode cached, as in all runs but the first:

- *file*: until the first frame has gone through the style and the temporal filter, on its way to the encoder;
- *pipe*: until the first frame has come out of ``-o - --pipe-format y4m``, which is never signed.

It prints the least and the median of the wall time, and of the processor time of all threads, which other load on the
machine hardly moves.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import click

from benchmarks.stylize import PEER, SAMPLE, describe_machine
from vidgan.jobs.speed import first_frame_seconds, make_clip, work_of

_FRAMES = 30

_PROGRAM = """
import json, sys, time
from vidgan.cli import main, progress

update = progress.Progress.update

def updated(self, frames):
    if frames == 1:
        print(json.dumps([time.perf_counter(), time.process_time()]), flush=True)
    update(self, frames)

progress.Progress.update = updated
main()
"""
"""The command, which says when its first frame is done."""


@dataclass(frozen=True, kw_only=True)
class FirstFrame:
    """Seconds until the first frame of one run.

    Attributes:
        wall: of the clock.
        cpu: of the processor, all threads together.
    """

    wall: float
    cpu: float


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--runs", type=click.IntRange(1), default=10, show_default=True, help="Processes of each way.")
@click.option("--size", default="640x360", show_default=True, help="Of the clip.")
@click.option("--style", default="starry", show_default=True)
def cli(runs: int, size: str, style: str) -> None:
    """Measure the time until the first frame of a stylized video."""
    click.echo("\n".join(f"{key:20} {value}" for key, value in describe_machine(None).items() if key != PEER))
    with tempfile.TemporaryDirectory() as name:
        clip = make_clip(SAMPLE, Path(name) / "clip.mp4", size=size, frames=_FRAMES)
        environment = with_bytecode(Path(name) / "bytecode")
        files = [first_of_file(clip, style, environment) for _ in range(runs + 1)][1:]
        work = work_of(style)
        pipes = [first_frame_seconds(clip, work, environment=environment) for _ in range(runs + 1)][1:]
    _print("file, wall", [each.wall for each in files])
    _print("file, processor", [each.cpu for each in files])
    _print("pipe, wall", pipes)


def with_bytecode(folder: Path) -> dict[str, str]:
    """An environment in which Python keeps the bytecode of all modules in a folder."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder)}


def first_of_file(clip: Path, style: str, environment: dict[str, str]) -> FirstFrame:
    """Stylizes a clip into a file.

    Raises:
        click.ClickException: the command failed.
    """
    options = [
        "--style",
        style,
        "--device",
        "cpu",
        "--quiet",
        "--force",
        "-o",
        str(clip.with_name("out.mp4")),
    ]
    command = [sys.executable, "-c", _PROGRAM, "stylize", str(clip), *options]
    started = perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(done.stderr.strip()[-2000:])
    # The clock is that of the system, the same one in all processes.
    ended, cpu = json.loads(done.stdout)
    return FirstFrame(wall=ended - started, cpu=cpu)


def _print(what: str, seconds: Sequence[float]) -> None:
    click.echo(f"{what:20} least {min(seconds):.3f} s, median {median(seconds):.3f} s")


if __name__ == "__main__":
    cli()
