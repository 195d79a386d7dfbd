"""``python -m export.benchmark FILE.onnx …``: exported upscalers on Set5, Set14 and BSD100.

As ``python -m training evaluate sr``, but of the files that are shipped, int8 ones too, run by onnxruntime.
"""

import json
from dataclasses import asdict
from pathlib import Path

import click
import onnxruntime
import torch
from torch import Tensor

from training.cli.evaluate import SETS
from training.evaluation.lpips import Lpips
from training.evaluation.super_resolution import Scores, Upscale, bicubic, score, table
from vidgan.model import read_model


def upscaler_of(path: Path) -> tuple[Upscale, int]:
    """What a model file does to RGB in [0, 1], ``(1, 3, h, w)``, and its scale."""
    spec = read_model(path)
    session = onnxruntime.InferenceSession(spec.file.data, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def upscale(small: Tensor) -> Tensor:
        pictures = (small * 255).round().byte().permute(0, 2, 3, 1).numpy()
        (large,) = session.run(None, {name: pictures})
        return torch.from_numpy(large).permute(0, 3, 1, 2).float() / 255

    return upscale, int(spec.file.metadata["vidgan.scale"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--bench", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of them.")
@click.option("--lpips", type=click.Path(exists=True, path_type=Path), required=True, help="Its weights.")
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also as JSON.")
def cli(files: tuple[Path, ...], bench: Path, lpips: Path, report: Path | None) -> None:
    """Print PSNR in dB / SSIM / LPIPS of model FILES, beside bicubic."""
    distance = Lpips(lpips)
    upscalers = {f"{path.parent.name} {path.stem}": upscaler_of(path) for path in files}
    scales = sorted({scale for _, scale in upscalers.values()})
    rows: dict[str, dict[str, Scores]] = {}
    for name, (upscale, scale) in (
        {f"bicubic-x{each}": (bicubic(each), each) for each in scales} | upscalers
    ).items():
        rows[name] = {each: score(upscale, scale, bench / each, distance) for each in SETS}
        click.echo(f"{name}: done", err=True)
    click.echo(table(rows))
    if report is not None:
        values = {name: {each: asdict(scores) for each, scores in row.items()} for name, row in rows.items()}
        report.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    cli()
