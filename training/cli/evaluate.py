"""Commands that measure trained networks, in the figures that papers report."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import torch

from training.cli.options import File, Folder, Output, SizeType, weights_option
from training.core.weights import load_weights
from training.data.domains import split_domain
from training.data.image_crops import square_images
from training.data.images import read_image, write_image
from training.data.photos import list_photos
from training.evaluation.colorization import color_scores, color_sheet, color_table, resized
from training.evaluation.crops import cut_out, upscaling_sheet
from training.evaluation.distribution import FeatureExtractor
from training.evaluation.fcn_score import PHOTOS, fcn_scores, fcn_table
from training.evaluation.lpips import Lpips
from training.evaluation.super_resolution import SETS, Upscale, as_json, bicubic, score_all, table
from training.evaluation.unpaired import (
    Translate,
    TranslationScores,
    measure_milliseconds,
    score,
    translation_sheet,
    translation_table,
)
from training.networks.cost import multiplications
from training.networks.image_generator import Upscaler
from training.networks.swift import Swift
from training.networks.translators import Colorizer, LabelsToImage, Segmenter, run_padded
from training.recipes.cyclegan import A_TO_B, B_TO_A, CYCLEGAN, DIRECTIONS, CycleGANConfig
from training.recipes.runs import load_network, read_run

PUBLISHED = {
    "bicubic": ((28.43, 0.8211), (25.99, 0.7486), (25.94, 0.6935)),
    "SRResNet": ((32.05, 0.9019), (28.49, 0.8184), (27.58, 0.7620)),
    "SRGAN": ((29.40, 0.8472), (26.02, 0.7397), (25.16, 0.6688)),
}
"""PSNR and SSIM of Ledig et al. 2017, table 2, ×4, by benchmark."""

_COLUMNS = 6
_N = TypeVar("_N")

_report_option = click.option("--json", "report", type=Output, help="Also write the figures as JSON.")
_runs_argument = click.argument("runs", nargs=-1, type=Folder, required=True)
_size_option = click.option(
    "--size",
    type=SizeType(),
    default="256x192",
    show_default=True,
    help="Size that label maps and photos are resized to.",
)
_err = partial(click.echo, err=True)


@click.group()
def evaluate() -> None:
    """Measure trained networks on benchmarks."""


@evaluate.command()
@click.argument("runs", nargs=-1, type=Folder)
@click.option("--bench", type=Folder, required=True, help=f"Folder with {', '.join(SETS)}.")
@click.option("--lpips", type=File, required=True, help="SqueezeNet 1.1 with LPIPS heads, safetensors.")
@_report_option
def sr(runs: tuple[Path, ...], bench: Path, lpips: Path, report: Path | None) -> None:
    """Upscalers: PSNR / SSIM / LPIPS, one row each, beside bicubic."""
    networks = {run.name: _load(run, Upscaler, "is not the run of an upscaler") for run in runs}
    upscalers: dict[str, tuple[Upscale, int]] = {name: (each, each.scale) for name, each in networks.items()}
    rows = score_all(upscalers, bench, Lpips(lpips), _err)
    costs = {name: multiplications(each) for name, each in networks.items()}
    click.echo(f"PSNR in dB / SSIM / LPIPS\n\n{table(rows)}\n")
    for name, published in PUBLISHED.items():
        cells = "  ".join(f"{psnr:.2f}/{ssim:.4f}" for psnr, ssim in published)
        click.echo(f"published ×4, {name}: {cells}")
    for name, cost in costs.items():
        shift = max(each.shift for each in rows[name].values())
        click.echo(
            f"{name}: {cost / 1000:.1f}k MAC per input pixel, channels shift by {shift:.2f}/255 on average"
        )
    _write_report(report, {"scores": as_json(rows), "mac_per_pixel": costs})


@evaluate.command()
@_runs_argument
@click.option(
    "--image",
    "images",
    multiple=True,
    required=True,
    metavar="FILE:LEFT,TOP",
    help="An image, and the position of the crop in it; repeatable.",
)
@click.option(
    "--side", type=click.IntRange(min=64), default=160, show_default=True, help="Side of the crops."
)
@click.option("--output", "-o", type=Output, required=True, help="Image file to write.")
def crops(runs: tuple[Path, ...], images: tuple[str, ...], side: int, output: Path) -> None:
    """Draw crops as upscalers render them, beside bicubic and the original."""
    places = [text.rpartition(":")[::2] for text in images]
    targets = [cut_out(read_image(Path(file)), place, side // 4 * 4, Path(file)) for file, place in places]
    networks = {run.name: _load(run, Upscaler, "is not the run of an upscaler") for run in runs}
    scale = min(each.scale for each in networks.values())
    upscalers: dict[str, tuple[Upscale, int]] = {f"bicubic x{scale}": (bicubic(scale), scale)}
    upscalers |= {name: (each, each.scale) for name, each in networks.items()}
    write_image(output, upscaling_sheet(upscalers, targets))


@evaluate.command()
@_runs_argument
@click.option("--segmenter", type=Folder, required=True, help="Run of a segmentation network.")
@click.option("--labels", type=Folder, required=True, help="Folder of label maps that were not trained on.")
@click.option("--photos", type=Folder, required=True, help="Folder of their photos.")
@_size_option
@_report_option
def fcn(
    runs: tuple[Path, ...],
    segmenter: Path,
    labels: Path,
    photos: Path,
    size: tuple[int, int],
    report: Path | None,
) -> None:
    """Labels to photos, FCN-score: what a segmentation network finds in the outputs, and in photos."""
    generators = {run.name: _load(run, LabelsToImage, "does not take label maps") for run in runs}
    rows = fcn_scores(
        {name: partial(run_padded, each) for name, each in generators.items()},
        _segmenter(segmenter),
        labels,
        photos,
        size=size,
        report=_err,
    )
    click.echo(fcn_table(rows))
    _write_report(report, {name: asdict(row) for name, row in rows.items()})


@evaluate.command()
@_runs_argument
@click.option("--labels", type=Folder, required=True, help="Folder of label maps that were not trained on.")
@click.option("--photos", type=Folder, required=True, help="Folder of their photos.")
@_size_option
@_report_option
def labels(
    runs: tuple[Path, ...], labels: Path, photos: Path, size: tuple[int, int], report: Path | None
) -> None:
    """Photos to labels: accuracy per pixel and per class, and class IoU."""
    rows = {
        run.name: fcn_scores({}, _segmenter(run), labels, photos, size=size, report=_err)[PHOTOS]
        for run in runs
    }
    click.echo(fcn_table(rows))
    _write_report(report, {name: asdict(row) for name, row in rows.items()})


@evaluate.command()
@_runs_argument
@click.option("--photos", type=Folder, required=True, help="Folder of color photos that were not trained on.")
@click.option("--sheet", type=Output, help="Draw the first photos in this file.")
@_report_option
def color(runs: tuple[Path, ...], photos: Path, sheet: Path | None, report: Path | None) -> None:
    """Colorizers: colorfulness, error, and how often a classifier tells them from real photos."""
    networks = {run.name: _load(run, Colorizer, "is not the run of a colorizer") for run in runs}
    colorizers = {
        name: partial(resized, partial(run_padded, each), each.side) for name, each in networks.items()
    }
    files = list_photos([photos])
    if sheet is not None:
        write_image(sheet, color_sheet(colorizers, files[:_COLUMNS]))
    rows = color_scores(colorizers, files)
    click.echo(color_table(rows))
    _write_report(report, {name: asdict(row) for name, row in rows.items()})


@evaluate.command()
@click.argument("runs", nargs=-1, type=Folder)
@click.option(
    "--style", "styles", type=File, multiple=True, help="float32.onnx of a style to compare; repeatable."
)
@weights_option
@click.option("--a", type=Folder, help="Folder of images to translate; default: the first run's.")
@click.option("--b", type=Folder, help="Folder of images to compare with; default: the first run's.")
@click.option(
    "--trim", type=float, help="Share to cut off the sides of b's images; default: the first run's."
)
@click.option(
    "--side", type=click.IntRange(min=64), default=256, show_default=True, help="Side of the images."
)
@click.option("--count", type=click.IntRange(min=2), help="Images of a folder at most.")
@click.option("--sheet", type=Output, help="Draw held-out images and their translations from a to b.")
@_report_option
def cyclegan(
    runs: tuple[Path, ...],
    styles: tuple[Path, ...],
    weights: dict[str, str],
    a: Path | None,
    b: Path | None,
    trim: float | None,
    side: int,
    count: int | None,
    sheet: Path | None,
    report: Path | None,
) -> None:
    """Unpaired translators: distance to real images, cycle consistency, content and variety.

    Fréchet distance (FD) and KID are on features of SqueezeNet 1.0 and not comparable with published ones.
    """
    a, b, trim = _domains(runs, a, b, trim)
    domains = [_images(a, side, count, trim=0.0), _images(b, side, count, trim=trim)]
    squeezenet = Path(weights["squeezenet"]) if "squeezenet" in weights else None
    extractor = FeatureExtractor(squeezenet, torch.device("cpu"))
    rows: dict[str, TranslationScores] = {}
    translators: list[Translate] = []
    costs: dict[str, dict[str, float]] = {}
    for run in runs:
        both = _both_directions(run)
        translators.append(both[A_TO_B])
        for there, back, (images, real) in ((A_TO_B, B_TO_A, domains), (B_TO_A, A_TO_B, domains[::-1])):
            rows[f"{run.name} {there}"] = score(both[there], both[back], images, real, extractor)
        costs[run.name] = {
            "mac_per_pixel": multiplications(both[A_TO_B]),
            "ms_640x360": measure_milliseconds(both[A_TO_B], 360, 640),
        }
    for file in styles:
        translators.append(_style(file))
        rows[file.parent.name] = score(translators[-1], None, domains[0], domains[1], extractor)
    click.echo(f"{len(domains[0])} images of {a.name}, {len(domains[1])} of {b.name}\n")
    click.echo(f"{translation_table(rows)}\n")
    for name, cost in costs.items():
        click.echo(
            f"{name}: {cost['mac_per_pixel'] / 1000:.1f}k MAC per pixel, "
            f"{cost['ms_640x360']:.0f} ms for 640x360 in PyTorch, {torch.get_num_threads()} threads"
        )
    if sheet is not None:
        write_image(sheet, translation_sheet(domains[0][:_COLUMNS], translators))
    _write_report(report, {"scores": {name: asdict(row) for name, row in rows.items()}, "costs": costs})


def _load(folder: Path, kind: type[_N], otherwise: str) -> _N:
    """The trained network of a run.

    Raises:
        ValueError: it is not of that kind.
    """
    network = load_network(read_run(folder))
    if not isinstance(network, kind):
        raise ValueError(f"{folder}: {otherwise}")
    return network


def _segmenter(folder: Path) -> Segmenter:
    return _load(folder, Segmenter, "is not the run of a segmentation network")


def _domains(
    runs: tuple[Path, ...], a: Path | None, b: Path | None, trim: float | None
) -> tuple[Path, Path, float]:
    """The folders and the trim of b, by default those of the first run."""
    if not runs:
        if not (a and b):
            raise click.UsageError("give a run, or --a and --b")
        return a, b, trim or 0.0
    config = read_run(runs[0]).config
    if not isinstance(config, CycleGANConfig):
        raise ValueError(f"{runs[0]}: is not the run of a CycleGAN")
    return a or Path(config.a), b or Path(config.b), config.trim if trim is None else trim


def _both_directions(folder: Path) -> dict[str, torch.nn.Module]:
    run = read_run(folder)
    if run.entry is not CYCLEGAN:
        raise ValueError(f"{folder}: is not the run of a CycleGAN")
    return {direction: load_network(run, direction) for direction in DIRECTIONS}


def _style(file: Path) -> Translate:
    swift = Swift()
    load_weights(swift, file)
    return swift.eval()


def _images(folder: Path, side: int, count: int | None, *, trim: float) -> torch.Tensor:
    """Squares of a folder's images, held-out ones first."""
    training, held_out = split_domain(folder)
    return square_images([*held_out, *training][:count], side, trim=trim)


def _write_report(report: Path | None, figures: Any) -> None:
    if report is not None:
        report.write_text(json.dumps(figures, indent=1) + "\n")
