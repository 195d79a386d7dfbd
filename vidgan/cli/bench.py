"""``vidgan bench``."""

import json
from pathlib import Path

import click

from vidgan.cli.options import Size

_Path = click.Path(path_type=Path)


@click.command()
@click.argument("input", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("-s", "--style", default="starry", show_default=True, metavar="NAME|FILE.onnx")
@click.option(
    "--size",
    "sizes",
    type=Size(),
    multiple=True,
    default=("640x360",),
    show_default=True,
    metavar="WxH",
    help="Of the frames; repeatable.",
)
@click.option("--frames", type=click.IntRange(20), default=250, show_default=True, help="Of a run.")
@click.option(
    "--smooth", type=click.Choice(["off", "blend", "flow"]), default="flow", show_default=True,
    help="In the run of the whole.",
)  # fmt: skip
@click.option("--plot", type=_Path, help="Draw where the time goes: .png, .svg or .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bench(
    input: Path | None,
    style: str,
    sizes: tuple[str, ...],
    frames: int,
    smooth: str,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Say where the time of a film goes on this machine, and how close the whole comes to what is possible.

    Without INPUT a moving texture is painted. Each stage is measured alone, then the whole, as 'vidgan
    stylize' runs it.
    """
    from vidgan.measures.speed import measure_speed, plot_speed

    speeds = []
    for size in sizes:
        click.echo(f"measuring {size}, {frames} frames ...", err=True)
        speeds.append(
            measure_speed(input, style=style, size=size, frames=frames, options=("--smooth", smooth))
        )
        if not as_json:
            _print(speeds[-1].as_dict())
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in speeds], indent=2))
    if plot is not None:
        try:
            plot_speed(speeds, plot)
        except ImportError:
            raise click.UsageError("--plot needs matplotlib; pip install 'vidgan[plot]'") from None


def _print(found: dict[str, object]) -> None:
    stages = found["stages"]
    assert isinstance(stages, dict)
    click.echo(f"{found['width']}x{found['height']}, {found['frames']} frames, {found['cores']} cores")
    click.echo(f"  {'ms a frame, alone':22}" + "".join(f"{name:>10}" for name in stages))
    for what in ("wall", "cpu"):
        click.echo(f"  {what:22}" + "".join(f"{stage[what]:10.2f}" for stage in stages.values()))
    click.echo(f"  {'whole, processor':22}{found['cpu_ms']:10.2f} ms a frame")
    click.echo(f"  {'whole, end to end':22}{found['fps']:10.2f} fps")
    click.echo(
        f"  {'whole, frames only':22}{found['fps_frames_only']:10.2f} fps, {found['share']:.2f} of the bound "
        f"of {found['bound_fps']:.2f} that decode, model and encode set"
    )
    click.echo(f"  {'first frame after':22}{found['first_frame_seconds']:10.2f} s")
    if found["peak_mb"] is not None:
        click.echo(f"  {'most memory':22}{found['peak_mb']:10.0f} MB")
