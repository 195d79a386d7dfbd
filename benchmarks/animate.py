"""Figures of pose transfer on people who do not exist and whom nobody trained on.

``python -m benchmarks.animate table RUN...`` compares trained networks, with and without warping blocks, with warping
alone, and ``parts RUN`` prints the IoU of each part, see :mod:`benchmarks.animate_table`. ``videos CLIP...`` compares
the first frame's person in the poses of a clip with the clip, see :mod:`benchmarks.animate_videos`; ``clothes`` and
``turntable`` look at options, see :mod:`benchmarks.animate_synthetic`. ``speed`` times ``vidgan animate`` from file to
file. ``samples`` draws the image and the video of ``samples/``.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import click
import numpy as np
import torch

from benchmarks.animate_synthetic import Somebody, clothes_figures, in_room, some_people, turntable_figures
from benchmarks.animate_table import TrainedRun, part_figures, people_of, read_runs, table_figures
from benchmarks.animate_videos import Clip, PoseEvaluator, measure_video
from training.evaluation.lpips import Lpips
from training.people.body import Rig
from training.people.motion_capture import read_motion
from training.people.pose import standing
from training.people.wardrobe import Wardrobe
from vidgan.errors import InputError
from vidgan.jobs.process_usage import run_command
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.models.registry import find_model
from vidgan.session import Session, cores
from vidgan.sinks import open_sink
from vidgan.tasks.people.source_person import SourcePerson, read_person

_RATE = 15
_FRAMES = 45
_SIDE = 256
_BATCH = 8

_FEW = 8
_ANGLES = 0, 15, 30, 45, 60, 75, 90, 135, 180
"""Degrees of the turntable."""
_File = click.Path(exists=True, dir_okay=False, path_type=Path)
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)
_people = click.option(
    "--people", type=_Folder, required=True, help="Folder of clothes, hair, skins and motions."
)
_pairs = click.option(
    "--pairs", type=click.IntRange(1), default=64, show_default=True, help="Pairs of images."
)
_lpips = click.option(
    "--lpips", "extractor", type=_File, required=True, help="SqueezeNet 1.1 with the heads of LPIPS."
)


@click.group()
def cli() -> None:
    """Measure pose transfer, and draw its samples."""


@cli.command()
@click.argument("runs", type=_Folder, nargs=-1, required=True)
@_pairs
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also as JSON.")
def table(runs: tuple[Path, ...], pairs: int, report: Path | None) -> None:
    """Print SSIM, LPIPS and the IoU of parts on held-out people, in the order of the paper's ablation.

    Runs are of either network, trained on the same people at the same size.
    """
    torch.set_num_threads(1)
    found = _read_runs(runs)
    config, people = found[0].config, people_of(found[0].config)
    figures = table_figures(found, people, Lpips(Path(config.feature_extractor)), config.size, pairs)
    click.echo(f"{pairs} pairs of {len(people.held_out)} held-out people, {config.size} px")
    for each in found:
        click.echo(f"{each.row}: {each.folder}, {each.steps} steps")
    for name, values in figures.items():
        click.echo(_line(name, values))
    if report is not None:
        steps = {str(each.folder): each.steps for each in found}
        report.write_text(json.dumps({"steps": steps, "size": config.size, "figures": figures}, indent=2))


@cli.command()
@click.argument("run", type=_Folder)
@_pairs
def parts(run: Path, pairs: int) -> None:
    """Print the IoU of each part, as far as points are true, sides are confused, and borders are off."""
    torch.set_num_threads(1)
    (found,) = _read_runs([run])
    for name, values in part_figures(found, people_of(found.config), pairs).items():
        click.echo(_line(name, values))


def _read_runs(folders: Sequence[Path]) -> list[TrainedRun]:
    try:
        return read_runs(folders)
    except (ValueError, FileNotFoundError) as exc:
        raise click.ClickException(str(exc)) from exc


@cli.command()
@click.argument("clips", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--model", default="person", show_default=True, help="Generator: a name, or a model file.")
@_lpips
@click.option("--evaluator", type=_File, required=True, help="SimplePose as ONNX.")
@click.option("--frames", type=click.IntRange(1), default=12, show_default=True, help="Frames of each clip.")
@click.option("--person", "images", type=_File, multiple=True, help="Who moves instead; repeatable.")
def videos(
    clips: tuple[Path, ...],
    model: str,
    extractor: Path,
    evaluator: Path,
    frames: int,
    images: tuple[Path, ...],
) -> None:
    """Print figures of the persons of CLIPS, who are those of the first frames where no others are given."""
    torch.set_num_threads(1)
    session = _session(model)
    side = session.spec.side
    assert side is not None
    lpips, poses = Lpips(extractor), PoseEvaluator(evaluator)
    rows = []
    for path in clips:
        try:
            clip = Clip(path, frames)
            people: list[SourcePerson | None] = [read_person(each) for each in images] or [None]
            figures = [measure_video(clip, each, session, side, lpips, poses) for each in people]
        except (ValueError, InputError) as exc:
            click.echo(f"{path.name}: {exc}")
            continue
        rows.append({name: float(np.mean([row[name] for row in figures])) for name in figures[0]})
        click.echo(_line(path.name, rows[-1]))
    if len(rows) > 1:
        click.echo(_line("mean", {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}))


def _session(model: str) -> Session:
    return Session(find_model(model, precision="float32", task="animate"), device="cpu", threads=1)


def _line(name: str, values: dict[str, float]) -> str:
    return f"{name:32}  " + "  ".join(f"{key} {value:.3f}" for key, value in values.items())


@cli.command()
@click.option("--samples", "folder", type=_Folder, default=Path("samples"), show_default=True)
@click.option("--model", default="person", show_default=True, help="Generator: a name, or a model file.")
def speed(folder: Path, model: str) -> None:
    """Print frames a second from file to file, start-up left out: the whole video less its first frames."""
    runs = []
    with tempfile.TemporaryDirectory() as made:
        for count in (_FEW, _FRAMES):
            out = Path(made) / f"{count}.mp4"
            command = [sys.executable, "-m", "vidgan", "animate", folder / "person.jpg", "--like"]
            command += [folder / "dance.mp4", "--frames", count, "--model", model, "-o", out, "--quiet"]
            runs.append(run_command([*map(str, command), "--consent", "Nobody: they do not exist"]))
    few, all_ = runs
    frames = _FRAMES - _FEW
    wall, cpu = (all_.wall - few.wall) / frames, (all_.cpu - few.cpu) / frames
    click.echo(
        f"{_SIDE}x{_SIDE}: {1 / wall:.1f} fps; {1000 * cpu:.0f} ms of a processor a frame, {cores()} cores; "
        f"load {os.getloadavg()[0]:.1f}"
    )


@cli.command()
@_people
@click.option("-o", "--out", type=_Folder, required=True, help="Folder for person.jpg and dance.mp4.")
def samples(people: Path, out: Path) -> None:
    """Draw somebody who does not exist, and somebody else who dances."""
    rig, wardrobe = Rig(), Wardrobe(people)
    captured, rate = read_motion(people / "motions" / "rokoko_jesse_dance.bvh.gz")
    step = max(1, round(rate / _RATE))
    moves = captured[::step][:_FRAMES]
    for name, poses, seed in (("person.jpg", [standing()], 3), ("dance.mp4", moves, 11)):
        write(out / name, [in_room(view) for view in Somebody.drawn(rig, wardrobe, seed).views(poses)])


@cli.command()
@_people
@_lpips
@click.option("--model", default="person", show_default=True, help="Generator: a name, or a model file.")
@click.option("--count", type=click.IntRange(2), default=16, show_default=True, help="People.")
def clothes(people: Path, extractor: Path, model: str, count: int) -> None:
    """Print how near people are to themselves in the clothes of the next one, before and after."""
    torch.set_num_threads(1)
    for name, values in clothes_figures(
        some_people(people, count), _session(model), Lpips(extractor)
    ).items():
        click.echo(_line(name, values))


@cli.command()
@_people
@_lpips
@click.option("--model", default="person", show_default=True, help="Generator: a name, or a model file.")
@click.option("--count", type=click.IntRange(1), default=12, show_default=True, help="People.")
def turntable(people: Path, extractor: Path, model: str, count: int) -> None:
    """Print how near people who are turned are to themselves from there, by angle."""
    torch.set_num_threads(1)
    figures = turntable_figures(some_people(people, count), _session(model), Lpips(extractor), _ANGLES)
    for name, values in figures.items():
        click.echo(_line(name, values))


def write(path: Path, images: list[Pixels]) -> None:
    """Writes an image, or a video."""
    info = VideoInfo(width=_SIDE, height=_SIDE, time_base=Fraction(1, _RATE), frame_rate=Fraction(_RATE))
    with open_sink(path, info, overwrite=True) as sink:
        for number, pixels in enumerate(images):
            sink.write(Frame(image=RgbImage(pixels), pts=number, time_base=Fraction(1, _RATE), duration=1))


if __name__ == "__main__":
    cli()
