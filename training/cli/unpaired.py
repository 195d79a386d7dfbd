"""How near translators without pairs come, and what comes back."""

import json
from dataclasses import asdict
from pathlib import Path

import click
import torch

from training.cli.evaluate import report_option, write_report
from training.cli.options import File, Folder, Output, parse_weights, weights_option
from training.core.trainer import CONFIG, write_picture
from training.core.weights import load_weights
from training.data.domains import split_domain, squares
from training.evaluation.distribution import Eye
from training.evaluation.unpaired import (
    Translate,
    TranslationScores,
    milliseconds,
    score,
    translation_sheet,
)
from training.networks.cost import multiplications
from training.networks.swift import Swift
from training.recipes.cyclegan import A_TO_B, B_TO_A, DIRECTIONS
from training.recipes.runs import load_direction

_COLUMNS = 6


@click.command("cyclegan")
@click.argument("runs", nargs=-1, type=Folder)
@click.option("--style", "styles", type=File, multiple=True, help="A style's float32.onnx beside them.")
@weights_option
@click.option("--a", type=Folder, help="Pictures to translate; default: those of the first run.")
@click.option("--b", type=Folder, help="What they shall look like; default: likewise.")
@click.option("--trim", type=float, help="Share to cut off the sides of b's pictures; default: likewise.")
@click.option(
    "--side", type=click.IntRange(min=64), default=256, show_default=True, help="Of what is looked at."
)
@click.option("--count", type=click.IntRange(min=2), help="Pictures of a folder at most.")
@click.option("--sheet", type=Output, help="Draw some held-out pictures and what a-to-b makes of them.")
@report_option
def evaluate_cyclegan(
    runs: tuple[Path, ...],
    styles: tuple[Path, ...],
    weights: tuple[str, ...],
    a: Path | None,
    b: Path | None,
    trim: float | None,
    side: int,
    count: int | None,
    sheet: Path | None,
    report: Path | None,
) -> None:
    """Translators of training runs: distance to the real ones, what comes back, content and variety.

    Fréchet distance (FD) and KID are on SqueezeNet 1.0's features and cannot be compared with published ones.
    """
    config = json.loads((runs[0] / CONFIG).read_text()) if runs else {}
    if not runs and not (a and b):
        raise click.UsageError("give a run, or --a and --b")
    folders = a or Path(config["a"]), b or Path(config["b"])
    kinds = [
        _pictures(folder, side, count, trim=share)
        for folder, share in zip(
            folders, (0.0, config.get("trim", 0.0) if trim is None else trim), strict=True
        )
    ]
    files = parse_weights(weights)
    eye = Eye(Path(files["squeezenet"]) if "squeezenet" in files else None, torch.device("cpu"))
    rows: dict[str, TranslationScores] = {}
    translators: list[Translate] = []
    costs: dict[str, dict[str, float]] = {}
    for run in runs:
        both = {direction: load_direction(run, direction) for direction in DIRECTIONS}
        translators.append(both[A_TO_B])
        for there, back, (pictures, real) in ((A_TO_B, B_TO_A, kinds), (B_TO_A, A_TO_B, kinds[::-1])):
            rows[f"{run.name} {there}"] = score(both[there], both[back], pictures, real, eye)
        costs[run.name] = {
            "mac_per_pixel": multiplications(both[A_TO_B]),
            "ms_640x360": milliseconds(both[A_TO_B], 360, 640),
        }
    for file in styles:
        translators.append(_style(file))
        rows[file.parent.name] = score(translators[-1], None, kinds[0], kinds[1], eye)
    click.echo(f"{len(kinds[0])} pictures of {folders[0].name}, {len(kinds[1])} of {folders[1].name}\n")
    click.echo(f"{translation_table(rows)}\n")
    for name, cost in costs.items():
        click.echo(
            f"{name}: {cost['mac_per_pixel'] / 1000:.1f}k MAC per pixel, "
            f"{cost['ms_640x360']:.0f} ms for 640x360 in PyTorch, {torch.get_num_threads()} threads"
        )
    if sheet is not None:
        write_picture(sheet, translation_sheet(kinds[0][:_COLUMNS], translators))
    scores = {name: asdict(row) for name, row in rows.items()}
    write_report(report, {"scores": scores, "costs": costs})


def translation_table(rows: dict[str, TranslationScores]) -> str:
    """Markdown, a translator a row."""
    lines = [
        "| | FD | of untouched | KID | of untouched | cycle L1 | content | variety |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = (
            f"{row.frechet:.2f}", f"{row.frechet / row.untouched_frechet:.2f}",
            f"{row.kernel:.3f}", f"{row.kernel / row.untouched_kernel:.2f}",
            f"{row.cycle:.3f}" if row.cycle is not None else "–", f"{row.content:.2f}", f"{row.variety:.2f}",
        )  # fmt: skip
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _style(file: Path) -> Translate:
    swift = Swift()
    load_weights(swift, file)
    return swift.eval()


def _pictures(folder: Path, side: int, count: int | None, *, trim: float) -> torch.Tensor:
    """Of the folder, what was held out first."""
    kept, held_out = split_domain(folder)
    return squares([*held_out, *kept][:count], side, trim=trim)
