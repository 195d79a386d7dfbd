"""``python -m export.evaluate``: what the shipped styles reach of the objective they were trained on.

On the held-out photos, centre crops of 256 px, against what direct optimisation (Gatys et al.
2016, by L-BFGS from noise) reaches after so many iterations, as in figure 5 of Johnson et al. 2016.
Lower is better. The objective of each style is rebuilt from the recipe in its model's metadata.
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
from training.cli.options import device_option, pick_device
from training.data.photos import centre_crop, list_photos, read_picture, split_held_out
from training.losses.perceptual import StyleObjective
from training.recipes.style import StyleConfig, build_objective
from vidgan.media.image import Pixels, YuvImage
from vidgan.models.registry import ModelSpec, Precision, bundled_models, find_model
from vidgan.session import Session

_SIDE = 256
_COMPARED: tuple[Precision, Precision] = ("int8", "float32")
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("styles", nargs=-1)
@click.option("--paintings", type=_Folder, required=True, help="Folder with the paintings.")
@click.option(
    "--photos", type=_Folder, required=True, help="Folder of photos that the styles were trained on."
)
@click.option("--weights", multiple=True, metavar="NETWORK=FILE", help="As for training.")
@click.option("--reference", type=click.Path(exists=True, path_type=Path), multiple=True,
              help="Another .onnx of the first style to compare, e.g. the johnson network's.")  # fmt: skip
@click.option(
    "--iterations",
    default="50",
    show_default=True,
    help="Of L-BFGS to report, e.g. 50,100,200,500; '' for none.",
)
@click.option("--count", default=20, show_default=True, help="How many of the held-out photos.")
@device_option
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path),
    help="Also write the figures here; others in that file stay.",
)
def cli(
    styles: tuple[str, ...],
    paintings: Path,
    photos: Path,
    weights: tuple[str, ...],
    reference: tuple[Path, ...],
    iterations: str,
    count: int,
    device: str,
    json_path: Path | None,
) -> None:
    """Print the objective of each style's models and of direct optimisation, mean over the photos.

    Models paint on the CPU, as they are shipped for; the device is for the objective.
    """
    _, held_out = split_held_out(list_photos([photos]))
    pictures = [centre_crop(read_picture(path), _SIDE) for path in held_out[:count]]
    place = pick_device(device)
    marks = sorted({int(each) for each in iterations.split(",") if each})
    results: dict[str, dict[str, float]] = (
        json.loads(json_path.read_text()) if json_path is not None and json_path.exists() else {}
    )
    for number, style in enumerate(styles or bundled_models("style")):
        spec = find_model(style, precision="int8")
        objective = build_objective(_config(spec, paintings, weights), place)
        figures = {"photos": len(pictures), "photo": _mean(objective, pictures, pictures)}
        int8, float32 = (_painted(find_model(style, precision=each), pictures) for each in _COMPARED)
        figures["int8"] = _mean(objective, int8, pictures)
        figures["float32"] = _mean(objective, float32, pictures)
        if spec.planar is not None:
            figures["int8-yuv420"] = _mean(objective, _painted_planes(spec, pictures), pictures)
        figures["int8-psnr-db"] = fmean(
            psnr_db(_bytes(a), _bytes(b)) for a, b in zip(int8, float32, strict=True)
        )
        for path in reference if number == 0 else ():
            painted = _painted(find_model(str(path), precision="float32"), pictures)
            figures[path.parent.name] = _mean(objective, painted, pictures)
        if marks:
            figures |= direct_optimisation(objective, pictures, marks)
        results[style] = results.get(style, {}) | figures
        click.echo(f"{style:10}" + "".join(f"  {name} {value:.3f}" for name, value in figures.items()))
        if json_path is not None:
            json_path.write_text(json.dumps(results, indent=2) + "\n")


def direct_optimisation(
    objective: StyleObjective, photos: Sequence[Tensor], iterations: Sequence[int]
) -> dict[str, float]:
    """Mean objective over ``photos`` of pictures optimised one by one from noise, by iteration."""
    curves = []
    for seed, photo in enumerate(photos):
        click.echo(f"direct optimisation of photo {seed + 1} of {len(photos)}", err=True)
        curves.append(_optimise(objective, photo, iterations, seed))
    return {f"lbfgs-{n}": fmean(curve[n] for curve in curves) for n in (0, *iterations)}


def _optimise(
    objective: StyleObjective, photo: Tensor, iterations: Sequence[int], seed: int
) -> dict[int, float]:
    place = _device_of(objective)
    content = objective.content_features(photo[None].to(place))
    noise = torch.rand(1, *photo.shape, generator=torch.Generator().manual_seed(seed))
    picture = noise.to(place).requires_grad_()
    # Without line search an iteration is one pass through the networks, as in the paper.
    optimizer = torch.optim.LBFGS([picture], max_iter=1, history_size=20)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objective(picture, content).total.sum()
        loss.backward()
        return loss

    reached = {0: float(objective(picture.detach(), content).total)}
    for iteration in range(1, max(iterations) + 1):
        optimizer.step(closure)
        if iteration in iterations:
            reached[iteration] = _one(objective, picture.detach().clamp(0, 1), photo)
    return reached


def _painted(spec: ModelSpec, photos: Sequence[Tensor]) -> list[Tensor]:
    session = Session(spec, device="cpu")
    results = (session.run(_bytes(photo)[np.newaxis])[0] for photo in photos)
    return [torch.from_numpy(each).permute(2, 0, 1).float() / 255 for each in results]


def _painted_planes(spec: ModelSpec, photos: Sequence[Tensor]) -> list[Tensor]:
    """As films are painted, back in RGB."""
    session = Session(spec, device="cpu")
    results = (session.run_yuv(YuvImage.from_rgb(_bytes(photo))).pixels for photo in photos)
    return [torch.from_numpy(each).permute(2, 0, 1).float() / 255 for each in results]


def _bytes(picture: Tensor) -> Pixels:
    return np.asarray((picture * 255).round().byte().permute(1, 2, 0).numpy())


def _mean(objective: StyleObjective, pictures: Sequence[Tensor], photos: Sequence[Tensor]) -> float:
    return fmean(_one(objective, a[None], b) for a, b in zip(pictures, photos, strict=True))


@torch.no_grad()
def _one(objective: StyleObjective, picture: Tensor, photo: Tensor) -> float:
    place = _device_of(objective)
    return float(objective(picture.to(place), objective.content_features(photo[None].to(place))).total)


def _device_of(objective: StyleObjective) -> torch.device:
    return next(objective.parameters()).device


def _config(spec: ModelSpec, paintings: Path, weights: Sequence[str]) -> StyleConfig:
    recipe: Any = spec.facts["recipe"]
    files = dict(pair.split("=", 1) for pair in weights)
    return StyleConfig(
        **{**recipe, "image": str(paintings / recipe["image"]), "weights": files, "init": None}
    )


if __name__ == "__main__":
    cli()
