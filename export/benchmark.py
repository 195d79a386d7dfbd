"""``python -m export.benchmark FILE.onnx …``: exported upscalers on Set5, Set14 and BSD100.

As ``python -m training evaluate sr``, but for the model files, int8 included, run by onnxruntime.
"""

import json
from functools import partial
from pathlib import Path

import click
import torch
from torch import Tensor

from training.evaluation.lpips import Lpips
from training.evaluation.super_resolution import Upscale, as_json, score_all, table
from vidgan.errors import ModelError
from vidgan.models.registry import find_model
from vidgan.session.runtime import ort


def open_upscaler(path: Path) -> tuple[Upscale, int]:
    """A model file as a function of RGB in [0, 1], ``(1, 3, h, w)``, and its scale.

    Raises:
        ModelError: the file is damaged, or is no upscaler.
    """
    spec = find_model(str(path), precision="float32", task="upscale")
    session = ort.InferenceSession(spec.file.data, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def upscale(low: Tensor) -> Tensor:
        images = (low * 255).round().byte().permute(0, 2, 3, 1).numpy()
        (output,) = session.run(None, {name: images})
        return torch.from_numpy(output).permute(0, 3, 1, 2).float() / 255

    return upscale, spec.scale


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--bench", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the benchmarks."
)
@click.option(
    "--lpips", type=click.Path(exists=True, path_type=Path), required=True,
    help="SqueezeNet 1.1 with LPIPS heads, safetensors.",
)  # fmt: skip
@click.option(
    "--json",
    "report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the figures as JSON.",
)
def cli(files: tuple[Path, ...], bench: Path, lpips: Path, report: Path | None) -> None:
    """Print PSNR in dB / SSIM / LPIPS of model FILES, beside bicubic."""
    try:
        upscalers = {f"{path.parent.name} {path.stem}": open_upscaler(path) for path in files}
    except ModelError as exc:
        raise click.UsageError(str(exc)) from exc
    rows = score_all(upscalers, bench, Lpips(lpips), partial(click.echo, err=True))
    click.echo(table(rows))
    if report is not None:
        report.write_text(json.dumps(as_json(rows), indent=1) + "\n")


if __name__ == "__main__":
    cli()
