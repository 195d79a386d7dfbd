"""What trained networks reach, in the numbers that papers report."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch

from training.cli.options import File, Folder, Output, Size
from training.core.trainer import CHECKPOINT, CONFIG, write_picture
from training.data.photos import list_photos, read_picture
from training.evaluation.colour import Colour, at_side, colour_scores, colour_sheet, colour_table
from training.evaluation.crops import crop_sheet, cut_out
from training.evaluation.lpips import Lpips
from training.evaluation.super_resolution import SETS, Upscale, as_json, bicubic, score_all, table
from training.evaluation.translation import TRUTH, Paint, fcn_scores, fcn_table
from training.networks import build_upscaler
from training.networks.cost import multiplications
from training.networks.translators import (
    LabelPainter,
    Segmenter,
    SequencePainter,
    Translator,
    on_any_size,
)
from training.recipes.runs import load_translator, read_run

PUBLISHED = {
    "bicubic": ((28.43, 0.8211), (25.99, 0.7486), (25.94, 0.6935)),
    "SRResNet": ((32.05, 0.9019), (28.49, 0.8184), (27.58, 0.7620)),
    "SRGAN": ((29.40, 0.8472), (26.02, 0.7397), (25.16, 0.6688)),
}
"""PSNR and SSIM of Ledig et al. 2017, table 2, ×4, by benchmark."""


report_option = click.option("--json", "report", type=Output, help="Also as JSON.")


_COLUMNS = 6

_size = click.option(
    "--size", type=Size(), default="256x192", show_default=True, help="At which all of it happens."
)
_err = partial(click.echo, err=True)


@click.group()
def evaluate() -> None:
    """Measure trained networks on benchmarks."""


@evaluate.command()
@click.argument("runs", nargs=-1, type=Folder)
@click.option("--bench", type=Folder, required=True, help=f"Folder with {', '.join(SETS)}.")
@click.option("--lpips", type=File, required=True, help="SqueezeNet 1.1 with LPIPS heads, safetensors.")
@report_option
def sr(runs: tuple[Path, ...], bench: Path, lpips: Path, report: Path | None) -> None:
    """Upscalers of training runs, beside bicubic: PSNR / SSIM / LPIPS, a row each."""
    upscalers = {run.name: _load(run) for run in runs}
    rows = score_all(upscalers, bench, Lpips(lpips), partial(click.echo, err=True))
    costs = {
        name: multiplications(upscale)
        for name, (upscale, _) in upscalers.items()
        if isinstance(upscale, torch.nn.Module)
    }
    click.echo(f"PSNR in dB / SSIM / LPIPS\n\n{table(rows)}\n")
    for name, published in PUBLISHED.items():
        cells = "  ".join(f"{psnr:.2f}/{ssim:.4f}" for psnr, ssim in published)
        click.echo(f"published ×4, {name}: {cells}")
    for name, cost in costs.items():
        shift = max(each.shift for each in rows[name].values())
        click.echo(
            f"{name}: {cost / 1000:.1f}k MAC per input pixel, channels shift by {shift:.2f}/255 on average"
        )
    write_report(report, {"scores": as_json(rows), "mac_per_pixel": costs})


@evaluate.command()
@click.argument("runs", nargs=-1, type=Folder, required=True)
@click.option(
    "--picture",
    "pictures",
    multiple=True,
    required=True,
    metavar="FILE:LEFT,TOP",
    help="A picture, and where in it to look; repeatable.",
)
@click.option("--side", type=click.IntRange(min=64), default=160, show_default=True, help="Of what is shown.")
@click.option("--output", "-o", type=Output, required=True)
def crops(runs: tuple[Path, ...], pictures: tuple[str, ...], side: int, output: Path) -> None:
    """Draw details as upscalers of training runs make them, beside bicubic and the truth."""
    places = [text.rpartition(":")[::2] for text in pictures]
    truths = [cut_out(read_picture(Path(file)), place, side // 4 * 4, Path(file)) for file, place in places]
    upscalers = {run.name: _load(run) for run in runs}
    scale = min(scale for _, scale in upscalers.values())
    write_picture(output, crop_sheet({f"bicubic x{scale}": (bicubic(scale), scale)} | upscalers, truths))


@evaluate.command()
@click.argument("runs", nargs=-1, type=Folder, required=True)
@click.option("--judge", type=Folder, required=True, help="Run of a segmentation network.")
@click.option("--labels", type=Folder, required=True, help="Label maps that were not trained on.")
@click.option("--photos", type=Folder, required=True, help="Their photos.")
@_size
@report_option
def fcn(
    runs: tuple[Path, ...],
    judge: Path,
    labels: Path,
    photos: Path,
    size: tuple[int, int],
    report: Path | None,
) -> None:
    """Painters of label maps: what a segmentation network finds in their pictures, and in photos."""
    rows = fcn_scores(
        {run.name: _painter(run) for run in runs},
        _segmenter(judge),
        labels,
        photos,
        size=size,
        report=_err,
    )
    click.echo(fcn_table(rows))
    write_report(report, {name: asdict(row) for name, row in rows.items()})


@evaluate.command()
@click.argument("runs", nargs=-1, type=Folder, required=True)
@click.option("--labels", type=Folder, required=True, help="Folder of label maps that were not trained on.")
@click.option("--photos", type=Folder, required=True, help="Folder of what they were drawn from.")
@_size
@report_option
def labels(
    runs: tuple[Path, ...], labels: Path, photos: Path, size: tuple[int, int], report: Path | None
) -> None:
    """Networks that find label maps in photos: how many of the pixels they get right."""
    rows = {
        run.name: fcn_scores({}, _segmenter(run), labels, photos, size=size, report=_err)[TRUTH]
        for run in runs
    }
    click.echo(fcn_table(rows))
    write_report(report, {name: asdict(row) for name, row in rows.items()})


@evaluate.command()
@click.argument("runs", nargs=-1, type=Folder, required=True)
@click.option("--photos", type=Folder, required=True, help="Photos in colour that were not trained on.")
@click.option("--sheet", type=Output, help="Draw the first photos.")
@report_option
def colour(runs: tuple[Path, ...], photos: Path, sheet: Path | None, report: Path | None) -> None:
    """Networks that colour grey photos: how colourful, how wrong, how easily told from the truth."""
    colours = {run.name: _colour(run) for run in runs}
    files = list_photos([photos])
    if sheet is not None:
        write_picture(sheet, colour_sheet(colours, files[:_COLUMNS]))
    rows = colour_scores(colours, files)
    click.echo(colour_table(rows))
    write_report(report, {name: asdict(row) for name, row in rows.items()})


def _colour(run: Path) -> Colour:
    config, _ = read_run(run)
    return partial(at_side, partial(on_any_size, _translator(run)), config["height"])


def _translator(run: Path) -> Translator:
    network = load_translator(run)
    if isinstance(network, SequencePainter):
        raise ValueError(f"{run}: paints films, not single pictures")
    return network


def _painter(run: Path) -> Paint:
    network = _translator(run)
    if not isinstance(network, LabelPainter):
        raise ValueError(f"{run}: paints no label maps")
    return partial(on_any_size, network)


def _segmenter(run: Path) -> Segmenter:
    network = load_translator(run)
    if not isinstance(network, Segmenter):
        raise ValueError(f"{run}: is not the run of a segmentation network")
    return network


def write_report(report: Path | None, figures: Any) -> None:
    if report is not None:
        report.write_text(json.dumps(figures, indent=1) + "\n")


def _load(run: Path) -> tuple[Upscale, int]:
    """The trained generator, folded, and its scale."""
    config = json.loads((run / CONFIG).read_text())
    generator = build_upscaler(config["network"], config["scale"])
    saved = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    generator.load_state_dict(saved["generator"])
    generator.eval()
    generator.fold()
    return generator, config["scale"]
