"""What a cluster costs where one machine would do: ``vidgan batch`` with and without ``--cluster local``.

::

    python -m benchmarks.cluster [INPUT] --frames 500 --files 2

Both process the same folder of clips on the same cores, as whole processes, in turn; figures are medians over
the rounds. Start-up is what a folder with one image takes. With smoothing, workers also process the frames
before a segment by which smoothers are warmed up; ``--smooth off`` goes without.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import click

from benchmarks.stylize import SAMPLE, describe_machine
from vidgan.jobs.speed import make_clip

_WAYS = {"batch": (), "batch --cluster local": ("--cluster", "local")}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("input", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=SAMPLE)
@click.option("--size", default="640x360", show_default=True)
@click.option("--frames", type=click.IntRange(1), default=500, show_default=True, help="Of each clip.")
@click.option("--files", type=click.IntRange(1), default=2, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=2, show_default=True)
@click.option("--smooth", type=click.Choice(["off", "flow"]), default="flow", show_default=True)
def cli(input: Path, size: str, frames: int, files: int, rounds: int, smooth: str) -> None:
    """Measure both on copies of INPUT (default: the sample clip)."""
    for key, value in describe_machine(None).items():
        click.echo(f"{key:20} {value}")
    click.echo(f"{'clips':20} {files} of {frames} frames, {size}, --smooth {smooth}; {rounds} rounds\n")
    with tempfile.TemporaryDirectory() as name:
        clips, image = Path(name) / "clips", Path(name) / "image"
        clips.mkdir()
        image.mkdir()
        (image / "photo.jpg").write_bytes(SAMPLE.with_name("bunny.jpg").read_bytes())
        for index in range(files):
            make_clip(input, clips / f"{index}.mp4", size=size, frames=frames)
        walls: dict[str, list[float]] = {way: [] for way in _WAYS}
        starts: dict[str, list[float]] = {way: [] for way in _WAYS}
        for _ in range(rounds):
            for way, options in _WAYS.items():
                starts[way].append(_seconds(image, *options))
                walls[way].append(_seconds(clips, "--smooth", smooth, *options))
    click.echo(f"{'':24}{'all files':>12}{'start-up':>12}{'frames a second':>18}")
    work: dict[str, float] = {}
    for way in _WAYS:
        wall, start = median(walls[way]), median(starts[way])
        work[way] = wall - start
        click.echo(f"{way:24}{wall:10.1f} s{start:10.1f} s{files * frames / work[way]:18.1f}")
    plain, cluster = work.values()
    click.echo(f"\nbeyond start-up the cluster takes {cluster / plain:.2f} times as long")


def _seconds(folder: Path, *options: str) -> float:
    """Wall time of a batch over the folder."""
    with tempfile.TemporaryDirectory() as out:
        command = [
            sys.executable,
            "-m",
            "vidgan",
            "batch",
            str(folder),
            "-o",
            out,
            "--style",
            "starry",
            *options,
        ]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        wall = time.perf_counter() - started
    if done.returncode:
        raise click.ClickException(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return wall


if __name__ == "__main__":
    cli()
