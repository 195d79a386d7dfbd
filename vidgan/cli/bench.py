"""``vidgan bench``."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from vidgan.cli.options import DEVICES, SizeType
from vidgan.errors import OutputError

_Path = click.Path(path_type=Path)


class _WithDefault(click.Group):
    """A group whose first command is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["video", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_WithDefault)
def bench() -> None:
    """Measure this machine: 'vidgan bench [INPUT]' where the time of a video goes, 'vidgan bench live' the
    latency of live frames.
    """


@bench.command()
@click.argument("input", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("-s", "--style", default="starry", show_default=True, metavar="NAME|FILE.onnx")
@click.option("--model", metavar="NAME|FILE.onnx", help="Of any task, instead of a style.")
@click.option("--scale", type=click.IntRange(2, 4), help="Factor of a --model that upscales.  [default: 2]")
@click.option(
    "--size",
    "sizes",
    type=SizeType(),
    multiple=True,
    default=("640x360",),
    show_default=True,
    metavar="WxH",
    help="Of the frames; repeatable.",
)
@click.option("--frames", type=click.IntRange(20), default=250, show_default=True, help="Of a run.")
@click.option(
    "--smooth", type=click.Choice(["off", "blend", "flow"]),
    help="In the run of the whole; by default as the command has it.",
)  # fmt: skip
@click.option("--plot", type=_Path, help="Draw where the time goes: .png, .svg or .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def video(
    input: Path | None,
    style: str,
    model: str | None,
    scale: int | None,
    sizes: tuple[str, ...],
    frames: int,
    smooth: str | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure where the time of a video goes on this machine, and how close the whole comes to its bound.

    Without INPUT a moving texture is taken. Each stage is measured alone, then the whole, as 'vidgan
    stylize' runs it, or whichever command --model is for.
    """
    from vidgan.jobs.speed import measure_speed, plot_speed, work_of

    name = model or style
    work = work_of(name, scale=scale)
    if work.reads_labels and input is None:
        raise click.UsageError(f"{name} takes label maps; give a video of them, such as samples/street.mkv")
    options = ("--smooth", smooth) if smooth else ()
    speeds = []
    for size in sizes:
        click.echo(f"measuring {size}, {frames} frames ...", err=True)
        speeds.append(measure_speed(input, work, size=size, frames=frames, options=options))
        if not as_json:
            _print(speeds[-1].as_dict())
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in speeds], indent=2))
    if plot is not None:
        try:
            plot_speed(speeds, plot)
        except ImportError:
            raise click.UsageError("--plot needs matplotlib; pip install 'vidgan[plot]'") from None


@bench.command()
@click.argument("clip", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("-s", "--style", default="starry", show_default=True, metavar="NAME|FILE.onnx")
@click.option(
    "--deidentify", "hide_faces", is_flag=False, flag_value="nobody", default="",
    metavar="[nobody|pixelate|blur|FILE.onnx]", help="Hide faces, as 'vidgan live' does, and apply no style.",
)  # fmt: skip
@click.option(
    "--size", type=SizeType(), default="640x360", show_default=True, metavar="WxH", help="Of the source."
)
@click.option("--fixed-size", is_flag=True, help="Process at that size, however slow it is.")
@click.option("--fps", type=click.FloatRange(1, 240), default=30.0, show_default=True, help="Of the source.")
@click.option("--seconds", type=click.FloatRange(4, 36000), default=20.0, show_default=True, help="How long.")
@click.option(
    "--changes", type=click.IntRange(0), default=0, show_default=True, help="Of the style meanwhile."
)
@click.option("--window/--no-window", default=False, show_default=True, help="Show it, and measure that.")
@click.option("--web", is_flag=True, help="Serve it on a page, and measure what a client of it decodes.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def live(size: str, window: bool, as_json: bool, **options: Any) -> None:
    """Measure the latency of live frames where they arrive, and how many are dropped.

    A source, of drifting clouds or of CLIP's frames, carries a number in its pixels, which is read where they
    arrive: in the recording,
    in the window once it has been drawn, and of the page in a client of this process (aiortc) once it has
    been sent by WebRTC and decoded. The first second is not counted.
    """
    if window:
        from vidgan.live.window.display import open_display

        open_display()
    if options["web"] and find_spec("aiortc") is None:
        raise OutputError("--web: needs aiohttp and aiortc; pip install 'vidgan[web]'")
    from vidgan.live.benchmark.latency import measure_latency

    width, height = map(int, size.split("x"))
    found = measure_latency(size=(width, height), window=window, **options)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
        return
    click.echo(
        f"{size} at {found.fps:g} fps, processed at {found.output_width}x{found.output_height} in the end, "
        f"{found.seconds:g} s, {found.style_changes} changes of style, {found.cores} cores"
    )
    columns = "fps", "median_ms", "p95_ms", "p99_ms", "jitter_ms", "longest_gap_ms", "dropped"
    click.echo(f"  {'':10}" + "".join(f"{name.replace('_', ' '):>16}" for name in columns))
    for name, arrivals in found.as_dict()["sinks"].items():
        click.echo(f"  {name:10}" + "".join(f"{arrivals[column]:16.1f}" for column in columns))
    click.echo(f"  times in the recording are off by {found.recording_error_ms:.1f} ms at most")
    if found.memory_mb is not None:
        click.echo("  memory {:.0f} MB after a quarter, {:.0f} MB at the end".format(*found.memory_mb))


def _print(found: dict[str, object]) -> None:
    stages = found["stages"]
    assert isinstance(stages, dict)
    click.echo(f"{found['width']}x{found['height']}, {found['frames']} frames, {found['cores']} cores")
    click.echo(f"  {'ms a frame, alone':22}" + "".join(f"{name:>13}" for name in stages))
    for what in ("wall", "cpu"):
        click.echo(f"  {what:22}" + "".join(f"{stage[what]:13.2f}" for stage in stages.values()))
    click.echo(f"  {'whole, processor':22}{found['cpu_ms']:10.2f} ms a frame")
    click.echo(f"  {'whole, end to end':22}{found['fps']:10.2f} fps")
    click.echo(
        f"  {'whole, frames only':22}{found['fps_frames_only']:10.2f} fps, {found['share']:.2f} of the bound "
        f"of {found['bound_fps']:.2f} that decode, model and encode set"
    )
    click.echo(f"  {'model ran for':22}{found['generated_share']:10.0%} of the frames")
    click.echo(f"  {'first frame after':22}{found['first_frame_seconds']:10.2f} s")
    if found["peak_mb"] is not None:
        click.echo(f"  {'most memory':22}{found['peak_mb']:10.0f} MB")
