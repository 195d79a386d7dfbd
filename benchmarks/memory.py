"""Most memory of ``vidgan stylize``, by size of the frames.

::

    python -m benchmarks.memory --size 1920x1080 --size 3840x2160 --frames 40

For each size it prints the peak of the resident set of the command on the CPU, from file to file, and that of a
million pixels. Memory does not depend on the number of frames once all queues and the encoder's look-ahead are full,
which takes about 30.
"""

import sys
import tempfile
from pathlib import Path

import click

from benchmarks.stylize import PEER, describe_machine
from vidgan.errors import VidganError
from vidgan.jobs.process_usage import run_command
from vidgan.jobs.speed import make_clip

ROOT = Path(__file__).resolve().parent.parent


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--size", "sizes", multiple=True, default=("640x360", "1920x1080", "3840x2160"))
@click.option("--style", default="starry", show_default=True)
@click.option("--reuse", default="off", show_default=True)
@click.option("--frames", default=40, show_default=True)
def cli(sizes: tuple[str, ...], style: str, reuse: str, frames: int) -> None:
    """Measure the most memory that stylizing a video takes."""
    click.echo("\n".join(f"{key:20} {value}" for key, value in describe_machine(None).items() if key != PEER))
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            clip = make_clip(
                ROOT / "samples" / "bunny.mp4", Path(folder) / "in.mp4", size=size, frames=frames
            )
            peak = peak_mb(clip, style, reuse)
        width, height = map(int, size.split("x"))
        click.echo(f"{size:12}{peak:8.0f} MB{1e6 * peak / (width * height):8.0f} MB for a million pixels")


def peak_mb(clip: Path, style: str, reuse: str) -> float:
    """Peak of the resident set, in 10⁶ bytes.

    Raises:
        VidganError: the command failed, or the system does not say.
    """
    command = [sys.executable, "-m", "vidgan", "stylize", str(clip), "-o", str(clip.with_name("out.mp4"))]
    run = run_command([*command, "--style", style, "--reuse", reuse, "--device", "cpu", "--quiet"])
    if run.peak_mb is None:
        raise VidganError("the system does not say how much memory a command took")
    return run.peak_mb


if __name__ == "__main__":
    cli()
