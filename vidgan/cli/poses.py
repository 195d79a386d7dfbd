"""``vidgan poses``."""

from pathlib import Path

import click

from vidgan.cli.messages import note
from vidgan.cli.progress import Progress

_Path = click.Path(path_type=Path)


@click.command()
@click.argument("video", type=_Path)
@click.option("-o", "--output", type=_Path, help="File of poses; default: VIDEO's name with .json.")
@click.option("-f", "--force", is_flag=True, help="Replace an output that is there.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def poses(video: Path, output: Path | None, force: bool, quiet: bool) -> None:
    """Write the poses of a person in VIDEO, or of a skeleton drawn there, as JSON.

    The file drives 'vidgan animate' as a video does, and holds no image: 19 key points a frame, which may be edited.
    """
    from vidgan.jobs.poses import write_poses_of
    from vidgan.sinks import check_output, refuse_input

    output = output or video.with_suffix(".json")
    refuse_input(output, [video])
    check_output(output, overwrite=force)
    with Progress(video.name, quiet=quiet) as progress:
        written = write_poses_of(video, output, progress.start, progress.update)
    held = f", {written.lost} of them without a person" if written.lost else ""
    click.echo(f"{output}: {written.frames} frames{held}")
    for warning in [] if quiet else written.warnings:
        note(warning)
