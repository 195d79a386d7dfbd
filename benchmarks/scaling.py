"""How costs grow with pixels, frames and cores.

::

    python -m benchmarks.scaling --plot docs/scaling.svg

Processor time of whole runs of ``vidgan stylize --reuse off``, from file to file on the CPU: of a frame by its size,
without start-up, and of a video by its number of frames. Each is compared with the line that fits best.

Cores are simulated: the stages of a frame are measured alone, and scheduled on one to eight cores as the pipeline
does it (:func:`simulated_seconds`), so that neither load nor the number of cores of this machine matters. What such a
schedule leaves out is what cores share: memory and caches.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.stylize import PEER, SAMPLE, describe_machine
from vidgan.jobs.pipeline import opencv_on_one_thread
from vidgan.jobs.process_usage import run_command
from vidgan.jobs.speed import SHORT, make_clip, measure_stages, work_of
from vidgan.sources import open_source
from vidgan.temporal.motion import estimate_motion, flow_luma

_SIZES = "320x180", "640x360", "960x540", "1280x720", "1920x1080"
_FRAMES = 30, 60, 120, 240
_CORES = 1, 2, 4, 8
_SIMULATED_FRAMES = 400
_QUEUED = 4
"""Frames of a queue between two threads."""


@dataclass(frozen=True)
class SimulatedStage:
    """A stage of each frame's way.

    Attributes:
        milliseconds: of one core.
        in_order: frames go through it one after the other, as through a thread of its own; otherwise on as many
            cores as are free.
    """

    milliseconds: float
    in_order: bool


@dataclass(frozen=True)
class Line:
    """The line that fits measured costs best.

    Attributes:
        slope, intercept: of it.
        largest_error: of a measured value, as a share of it.
    """

    slope: float
    intercept: float
    largest_error: float

    @classmethod
    def through(cls, places: Sequence[float], values: Sequence[float]) -> "Line":
        """Least squares of relative errors, so that small values count as much as large ones."""
        x, y = np.asarray(places, float), np.asarray(values, float)
        slope, intercept = np.polyfit(x, y, 1, w=1 / y)
        errors = np.abs(slope * x + intercept - y) / y
        return cls(float(slope), float(intercept), float(errors.max()))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--style", default="starry", show_default=True)
@click.option("--frames", type=click.IntRange(2), default=30, show_default=True, help="Of each size.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the curves here.")
def cli(style: str, frames: int, plot: Path | None) -> None:
    """Measure how costs grow with pixels and frames, and simulate how they spread over cores."""
    click.echo("\n".join(f"{key:20} {value}" for key, value in describe_machine(None).items() if key != PEER))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_size = {_megapixels(size): frame_ms(folder, style, size, frames) for size in _SIZES}
        by_count = {float(count): video_seconds(folder, style, count) for count in _FRAMES}
        stages = measured_stages(make_clip(SAMPLE, folder / "clip.mp4", size="640x360", frames=60), style)
    by_cores = {
        float(cores): _SIMULATED_FRAMES / simulated_seconds(stages, cores, _SIMULATED_FRAMES)
        for cores in _CORES
    }
    _print("megapixels", "ms of a frame", by_size)
    _print("frames", "s of a video of 640x360", by_count)
    click.echo(
        "ms of the stages:  " + "  ".join(f"{name} {each.milliseconds:.1f}" for name, each in stages.items())
    )
    for cores, fps in by_cores.items():
        click.echo(f"{cores:12g} cores {fps:8.1f} fps, {fps / by_cores[1.0]:.2f} times one core")
    if plot is not None:
        draw(plot, by_size, by_count, by_cores)


def frame_ms(folder: Path, style: str, size: str, frames: int) -> float:
    """Milliseconds of the processor that a further frame takes."""
    short, long = (_cpu_seconds(folder, style, size, count) for count in (SHORT, SHORT + frames))
    return 1000 * (long - short) / frames


def video_seconds(folder: Path, style: str, frames: int) -> float:
    """Seconds of the processor that a video takes, start-up included."""
    return _cpu_seconds(folder, style, "640x360", frames)


def _cpu_seconds(folder: Path, style: str, size: str, frames: int) -> float:
    clip = make_clip(SAMPLE, folder / f"{size}-{frames}.mp4", size=size, frames=frames)
    command = [sys.executable, "-m", "vidgan", "stylize", str(clip), "--style", style, "--reuse", "off"]
    return run_command([*command, "-o", str(folder / "out.mp4"), "--device", "cpu", "--force", "--quiet"]).cpu


def measured_stages(clip: Path, style: str) -> dict[str, SimulatedStage]:
    """The stages of the pipeline, from what each takes alone: which thread does what is said in ``jobs/chain.py``."""
    alone = {name: each.cpu for name, each in measure_stages(clip, work_of(style)).items()}
    motion = min(motion_ms(clip), alone["smooth"])
    return {
        "read": SimulatedStage(alone["decode"] + alone["convert in"], in_order=True),
        "motion, model": SimulatedStage(motion + alone["model"], in_order=False),
        "filter": SimulatedStage(alone["smooth"] - motion, in_order=True),
        "convert": SimulatedStage(alone["convert out"], in_order=True),
        "encode": SimulatedStage(alone["encode"], in_order=False),
    }


def motion_ms(clip: Path) -> float:
    """Milliseconds of the motion between two frames, which workers estimate."""
    with open_source(clip, yuv=True) as source:
        frames = list(islice(source, 30))
    started = time.process_time()
    with opencv_on_one_thread():
        for pair in pairwise([flow_luma(frame) for frame in frames]):
            estimate_motion(*pair)
    return 1000 * (time.process_time() - started) / len(frames)


def simulated_seconds(stages: dict[str, SimulatedStage], cores: int, frames: int) -> float:
    """Seconds of a video on so many cores: whichever frame is farthest on its way goes first.

    Args:
        stages: in the order of a frame's way.
        frames: all of the same cost.
    """
    steps = list(stages.values())
    most = _QUEUED * 2 + cores
    arrived = [0] * len(steps)  # Frames that the stage before is done with.
    done: list[set[int]] = [set() for _ in steps]
    begun, busy = [0] * len(steps), [False] * len(steps)
    arrived[0] = frames
    running: list[tuple[float, int, int]] = []
    now = 0.0

    def startable(stage: int) -> bool:
        waits = steps[stage].in_order and busy[stage]
        full = stage == 0 and begun[0] - arrived[-1] >= most
        return begun[stage] < arrived[stage] and not waits and not full

    while arrived[-1] < frames or begun[-1] < frames or running:
        for stage in reversed(range(len(steps))):
            while len(running) < cores and startable(stage):
                heappush(running, (now + steps[stage].milliseconds, stage, begun[stage]))
                begun[stage] += 1
                busy[stage] = True
        now, stage, frame = heappop(running)
        busy[stage] = False
        done[stage].add(frame)
        if stage + 1 < len(steps):
            while arrived[stage + 1] in done[stage]:  # Frames leave a stage in order.
                arrived[stage + 1] += 1
    return now / 1000


def draw(
    path: Path, by_size: dict[float, float], by_count: dict[float, float], by_cores: dict[float, float]
) -> None:
    """Draws the three curves beside each other.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (sizes, counts, cores) = plt.subplots(1, 3, figsize=(12, 3.6))
    _draw_line(sizes, by_size)
    sizes.set(xlabel="megapixels", ylabel="processor time of a frame, ms")
    _draw_line(counts, by_count)
    counts.set(xlabel="frames of 640x360", ylabel="processor time of the video, s")
    cores.plot(
        list(by_cores), [each * by_cores[1.0] for each in by_cores], "--", color="gray", label="in proportion"
    )
    cores.plot(list(by_cores), list(by_cores.values()), "o-", label="simulated")
    cores.set(xlabel="cores", ylabel="frames of 640x360 per second", ylim=(0, None))
    cores.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120, metadata=_UNDATED if path.suffix == ".svg" else None)
    plt.close(figure)


_UNDATED = {"Date": None}
"""So that the same figures make the same file."""


def _draw_line(axes: Any, values: dict[float, float]) -> None:
    line = Line.through(list(values), list(values.values()))
    ends = np.array([0, max(values)])
    axes.plot(ends, line.slope * ends + line.intercept, "--", color="gray", label="best line")
    axes.plot(list(values), list(values.values()), "o", label="measured")
    axes.set_ylim(0, None)
    axes.legend()


def _print(places: str, what: str, values: dict[float, float]) -> None:
    line = Line.through(list(values), list(values.values()))
    for place, value in values.items():
        click.echo(f"{place:12g} {places} {value:8.2f} {what}")
    click.echo(
        f"{'':12} line: {line.slope:.4g} each and {line.intercept:.4g}, off by {line.largest_error:.1%} at most"
    )


def _megapixels(size: str) -> float:
    width, height = map(int, size.split("x"))
    return width * height / 1e6


if __name__ == "__main__":
    cli()
