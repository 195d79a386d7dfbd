"""``python -m export.evaluate``: the training objective that the shipped styles reach.

On the held-out photos, center crops of 256 px, compared with direct optimization (Gatys et al. 2016, by L-BFGS from
noise) after some numbers of iterations, as in figure 5 of Johnson et al. 2016. Lower is better. The objective of each
style is rebuilt from the recipe in its model's metadata.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor

from export.parity import psnr_db
from training.cli.options import Folder, device_option, pick_device, weights_option
from training.core.compatibility import upgrade_config
from training.data.images import center_crop, read_image, to_uint8
from training.data.photos import list_photos, split_held_out
from training.losses.perceptual import StyleObjective
from training.recipes.style import StyleConfig, build_objective
from vidgan.media.image import Pixels, YuvImage
from vidgan.models.registry import ModelSpec, Precision, bundled_models, find_model
from vidgan.session import Session

Figures = dict[str, float]
"""The objective by what was measured."""

_SIDE = 256
_COMPARED: tuple[Precision, Precision] = ("int8", "float32")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("styles", nargs=-1)
@click.option("--paintings", type=Folder, required=True, help="Folder of the paintings.")
@click.option(
    "--photos", type=Folder, required=True, help="Folder of photos that the styles were trained on."
)
@weights_option
@click.option("--reference", type=click.Path(exists=True, path_type=Path), multiple=True,
              help="Another .onnx of the first style to compare, for example of the johnson network.")  # fmt: skip
@click.option(
    "--iterations",
    default="50",
    show_default=True,
    help="Iterations of L-BFGS to report, for example 50,100,200,500; '' for none.",
)
@click.option("--count", default=20, show_default=True, help="Number of held-out photos.")
@device_option
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path),
    help="Also write the figures here; other figures in that file stay.",
)
def cli(
    styles: tuple[str, ...],
    paintings: Path,
    photos: Path,
    weights: dict[str, str],
    reference: tuple[Path, ...],
    iterations: str,
    count: int,
    device: str,
    json_path: Path | None,
) -> None:
    """Print the objective of each style's models and of direct optimization, mean over the photos.

    Models run on the CPU, as they are shipped for; the device is that of the objective.
    """
    _, held_out = split_held_out(list_photos([photos]))
    images = crops_of(held_out[:count])
    marks = sorted({int(each) for each in iterations.split(",") if each})
    results: dict[str, Figures] = (
        json.loads(json_path.read_text()) if json_path is not None and json_path.exists() else {}
    )
    for number, style in enumerate(styles or bundled_models("style")):
        spec = find_model(style, precision="int8")
        objective = build_objective(config_of(spec, paintings, weights), pick_device(device))
        figures = measure_style(spec, style, objective, images, reference if number == 0 else ())
        if marks:
            figures |= direct_optimization(objective, images, marks)
        results[style] = results.get(style, {}) | figures
        click.echo(f"{style:10}" + "".join(f"  {name} {value:.3f}" for name, value in figures.items()))
        if json_path is not None:
            json_path.write_text(json.dumps(results, indent=2) + "\n")


def crops_of(photos: Sequence[Path]) -> list[Tensor]:
    """The middle of each photo, ``(3, 256, 256)`` RGB in [0, 1]."""
    return [center_crop(read_image(path), _SIDE) for path in photos]


def measure_style(
    spec: ModelSpec,
    style: str,
    objective: StyleObjective,
    photos: Sequence[Tensor],
    references: Sequence[Path],
) -> Figures:
    """The objective of the photos, of each of the style's models, and of reference models."""
    int8, float32 = (_run(find_model(style, precision=each), photos) for each in _COMPARED)
    figures = {"photos": len(photos), "photo": _mean(objective, photos, photos)}
    figures |= {"int8": _mean(objective, int8, photos), "float32": _mean(objective, float32, photos)}
    if spec.planar is not None:
        figures["int8-yuv420"] = _mean(objective, _run_planes(spec, photos), photos)
    figures["int8-psnr-db"] = fmean(psnr_db(_bytes(a), _bytes(b)) for a, b in zip(int8, float32, strict=True))
    for path in references:
        outputs = _run(find_model(str(path), precision="float32"), photos)
        figures[path.parent.name] = _mean(objective, outputs, photos)
    return figures


def direct_optimization(
    objective: StyleObjective, photos: Sequence[Tensor], iterations: Sequence[int]
) -> Figures:
    """Mean objective over ``photos`` of images that are optimized one by one from noise, by iteration."""
    curves = []
    for seed, photo in enumerate(photos):
        click.echo(f"direct optimization of photo {seed + 1} of {len(photos)}", err=True)
        curves.append(_optimize(objective, photo, iterations, seed))
    return {f"lbfgs-{n}": fmean(curve[n] for curve in curves) for n in (0, *iterations)}


def _optimize(
    objective: StyleObjective, photo: Tensor, iterations: Sequence[int], seed: int
) -> dict[int, float]:
    device = _device_of(objective)
    content = objective.content_features(photo[None].to(device))
    noise = torch.rand(1, *photo.shape, generator=torch.Generator().manual_seed(seed))
    image = noise.to(device).requires_grad_()
    # Without line search an iteration is one pass through the networks, as in the paper.
    optimizer = torch.optim.LBFGS([image], max_iter=1, history_size=20)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objective(image, content).total.sum()
        loss.backward()
        return loss

    reached = {0: float(objective(image.detach(), content).total)}
    for iteration in range(1, max(iterations) + 1):
        optimizer.step(closure)
        if iteration in iterations:
            reached[iteration] = _value(objective, image.detach().clamp(0, 1), photo)
    return reached


def _run(spec: ModelSpec, photos: Sequence[Tensor]) -> list[Tensor]:
    session = Session(spec, device="cpu")
    results = (session.run(_bytes(photo)[np.newaxis])[0] for photo in photos)
    return [torch.from_numpy(each).permute(2, 0, 1).float() / 255 for each in results]


def _run_planes(spec: ModelSpec, photos: Sequence[Tensor]) -> list[Tensor]:
    """In luma and chroma, as video runs, converted to RGB."""
    session = Session(spec, device="cpu")
    results = (session.run_yuv(YuvImage.from_rgb(_bytes(photo))).pixels for photo in photos)
    return [torch.from_numpy(each).permute(2, 0, 1).float() / 255 for each in results]


def _bytes(image: Tensor) -> Pixels:
    return np.asarray(to_uint8(image).permute(1, 2, 0).numpy())


def _mean(objective: StyleObjective, images: Sequence[Tensor], photos: Sequence[Tensor]) -> float:
    return fmean(_value(objective, a[None], b) for a, b in zip(images, photos, strict=True))


@torch.no_grad()
def _value(objective: StyleObjective, image: Tensor, photo: Tensor) -> float:
    device = _device_of(objective)
    return float(objective(image.to(device), objective.content_features(photo[None].to(device))).total)


def _device_of(objective: StyleObjective) -> torch.device:
    return next(objective.parameters()).device


def config_of(spec: ModelSpec, paintings: Path, weights: dict[str, str]) -> StyleConfig:
    """The settings that a style was trained with, and its painting in a folder."""
    recipe: Any = upgrade_config(spec.facts["recipe"])  # type: ignore[arg-type]
    return StyleConfig(
        **{**recipe, "image": str(paintings / recipe["image"]), "weights": weights, "init": None}
    )


if __name__ == "__main__":
    cli()
