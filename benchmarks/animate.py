"""Figures of pose transfer on people who do not exist and whom nobody trained on.

``python -m benchmarks.animate table RUN`` compares the trained network with warping alone: by distances to the limbs,
without learning, and as the network warps. ``videos CLIP...`` compares the first frame's person in the poses of a
clip with the clip, see :mod:`benchmarks.animate_videos`; ``clothes`` and ``turntable`` look at options, see
:mod:`benchmarks.animate_synthetic`. ``speed`` times ``vidgan animate`` from file to file. ``samples`` draws the image
and the video of ``samples/``.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import click
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.animate_synthetic import Somebody, clothes_figures, in_room, some_people, turntable_figures
from benchmarks.animate_videos import Clip, PoseEvaluator, measure_video
from training.data.photos import list_photos
from training.evaluation.fidelity import luma, ssim
from training.evaluation.lpips import Lpips
from training.networks.pose_transfer import PoseInput, PoseOutput, PoseTransfer, blended, sample
from training.people.body import Rig
from training.people.dataset import PairBatch, People
from training.people.motion_capture import read_motion
from training.people.pose import standing
from training.people.wardrobe import Wardrobe
from training.recipes.pose_transfer import PoseTransferConfig
from training.recipes.runs import load_network, read_run
from vidgan.errors import InputError
from vidgan.jobs.process_usage import run_command
from vidgan.media.body_parts import LABELS
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
_lpips = click.option(
    "--lpips", "extractor", type=_File, required=True, help="SqueezeNet 1.1 with the heads of LPIPS."
)


@click.group()
def cli() -> None:
    """Measure pose transfer, and draw its samples."""


@cli.command()
@click.argument("run", type=_Folder)
@click.option("--pairs", type=click.IntRange(1), default=64, show_default=True, help="Pairs of images.")
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also as JSON.")
def table(run: Path, pairs: int, report: Path | None) -> None:
    """Print SSIM, LPIPS and the IoU of parts on held-out people of RUN's data."""
    torch.set_num_threads(1)
    found = read_run(run)
    network, config = load_network(found), found.config
    assert isinstance(network, PoseTransfer) and isinstance(config, PoseTransferConfig)
    photos = list_photos([Path(each) for each in config.photos])
    people = People(Path(config.people), config.count, config.held_out, photos)
    figures = measured(network, people, Lpips(Path(config.feature_extractor)), config.size, pairs)
    click.echo(
        f"{pairs} pairs of {len(people.held_out)} held-out people, {config.size} px, {found.steps} steps"
    )
    for name, values in figures.items():
        click.echo(_line(name, values))
    if report is not None:
        report.write_text(
            json.dumps({"steps": found.steps, "size": config.size, "figures": figures}, indent=2)
        )


Drawing = Callable[[PairBatch, PoseInput, PoseOutput], Tensor]


@torch.no_grad()
def measured(
    network: PoseTransfer, people: People, lpips: Lpips, side: int, pairs: int
) -> dict[str, dict[str, float]]:
    """Figures by way of drawing: SSIM of luma and LPIPS of whole images; IoU of parts, averaged over labels."""
    ways: dict[str, Drawing] = {
        "warping, by distances": _by_distances,
        "warping, as learned": _as_learned,
        "network": lambda batch, given, made: made.over(batch.backgrounds),
    }
    random = torch.Generator().manual_seed(0)
    scores: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    both, either = torch.zeros(LABELS), torch.zeros(LABELS)
    for start in range(0, pairs, _BATCH):
        batch = people.batch(min(_BATCH, pairs - start), 0, side, random, held_out=True)
        given = PoseInput(batch.sources, batch.source_guides, batch.guides, batch.shares, batch.affines)
        made = network(given)
        wanted = (batch.targets + 1) / 2
        for name, draw in ways.items():
            drawn = ((draw(batch, given, made) + 1) / 2).clamp(0, 1)
            distances = lpips(drawn, wanted).tolist()
            alike = [ssim(luma(a), luma(b)) for a, b in zip(drawn, wanted, strict=True)]
            scores[name] += zip(alike, distances, strict=True)
        labels, target = made.parts.argmax(1), batch.parts[:, ::2, ::2]
        for label in range(LABELS):
            both[label] += ((labels == label) & (target == label)).sum()
            either[label] += ((labels == label) | (target == label)).sum()
    means = {name: np.mean(rows, 0) for name, rows in scores.items()}
    figures = {name: {"SSIM": float(mean[0]), "LPIPS": float(mean[1])} for name, mean in means.items()}
    figures["network"]["part IoU"] = float((both / either.clamp(min=1))[1:].mean())
    return figures


def _by_distances(batch: PairBatch, given: PoseInput, made: PoseOutput) -> Tensor:
    """The source's pixels by affine maps and distances, cut out by the true mask."""
    side = given.sources.shape[3]
    places = F.interpolate(blended(given.affines, given.shares, side), scale_factor=2, mode="bilinear")
    return torch.lerp(batch.backgrounds, sample(given.sources, places, side), batch.masks)


def _as_learned(batch: PairBatch, given: PoseInput, made: PoseOutput) -> Tensor:
    """The source's pixels where the network has them from, cut out by the true mask."""
    return torch.lerp(batch.backgrounds, made.warped, batch.masks)


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
    return f"{name:32}" + "  ".join(f"{key} {value:.3f}" for key, value in values.items())


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
