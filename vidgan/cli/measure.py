"""``vidgan measure``."""

import json
from pathlib import Path

import click

from vidgan.cli.progress import Progress

_Path = click.Path(path_type=Path)


@click.group()
def measure() -> None:
    """Say in numbers how good a result is."""


@measure.command()
@click.argument("output", type=_Path)
@click.option("--source", type=_Path, required=True, help="What OUTPUT was made of.")
@click.option("--frame-by-frame", type=_Path, help="The same result with --smooth off, to compare with.")
@click.option("--chroma", is_flag=True, help="Measure chroma alone, for colorization.")
@click.option("--plot", type=_Path, help="Draw the error over time: .png, .svg or .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, with the error of every frame.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def flicker(
    output: Path,
    source: Path,
    frame_by_frame: Path | None,
    chroma: bool,
    plot: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure how much OUTPUT flickers: the warping error of Lai et al. 2018, lower is less.

    The motion is estimated on the source by DIS optical flow. Frame by frame styles have about
    0.01 to 0.05, a filmed scene about 0.001.
    """
    from vidgan.temporal.flicker import measure_flicker, plot_flicker

    with Progress(output.name, quiet=quiet) as progress:
        found = measure_flicker(
            output,
            source,
            frame_by_frame=frame_by_frame,
            chroma=chroma,
            on_start=progress.start,
            on_frame=progress.update,
        )
    if plot is not None:
        try:
            plot_flicker({output.name: found}, plot)
        except ImportError:
            raise click.UsageError("--plot needs matplotlib; pip install 'vidgan[plot]'") from None
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2))
        return
    worst = max(found.warping_errors)
    where = found.warping_errors.index(worst) + 1
    click.echo(f"warping error  {found.warping_error:.5f}  (worst {worst:.5f} at frame {where})")
    if found.sharpness is not None:
        fidelity = "equal" if found.fidelity_db is None else f"{found.fidelity_db:.1f} dB"
        click.echo(f"sharpness      {found.sharpness:.3f}  of the frame-by-frame result")
        click.echo(f"fidelity       {fidelity}  to the frame-by-frame result")
