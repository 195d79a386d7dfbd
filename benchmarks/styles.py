"""Trained styles beside others of the same paintings: how near the style, how near the photo.

::

    python -m benchmarks.styles [STYLE…] --exports FOLDER --paintings FOLDER --photos FOLDER --weights vgg16=FILE
        --out FOLDER

Held-out photos are processed by the styles that come with vidgan and by those in ``--exports``, a folder with one of
``python -m export`` for each style, by its name. Both are measured as in :mod:`benchmarks.any_style`: the relative
distance of Gram matrices to the painting in a VGG-16, and the cosine distance to the photo in EfficientNet-Lite0.

A sheet shows four of the photos in all styles: painting, then vidgan's and the other in turn.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

import click
import onnx
import torch

from benchmarks.image_sheet import BLANK, read_image, write_sheet
from benchmarks.stylize import describe_machine
from export.evaluate import config_of
from export.parity import open_session, run_session
from training.cli.options import Folder, photos_option, weights_option
from training.data.photos import list_photos, split_held_out
from training.evaluation.style import StyleYardstick
from vidgan.media.image import Pixels
from vidgan.models.registry import bundled_models, find_model
from vidgan.session.runtime import ort

_SHOWN = 4

Figures = dict[str, dict[str, float]]
"""Distances of style and of content, by whose model it is: "vidgan" and "other"."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("styles", nargs=-1)
@click.option("--exports", type=Folder, required=True, help="Folder of exported styles.")
@click.option("--paintings", type=Folder, required=True, help="Folder of the paintings.")
@photos_option
@weights_option
@click.option("--size", default=512, show_default=True, help="Long side of the photos in pixels.")
@click.option("--photo-count", default=20, show_default=True, help="Photos.")
@click.option("--precision", default="int8", show_default=True, help="Which model of a style is measured.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for figures and sheet.")
def cli(
    styles: tuple[str, ...], exports: Path, paintings: Path, photos: list[str], weights: dict[str, str],
    size: int, photo_count: int, precision: str, out: Path,
) -> None:  # fmt: skip
    """Measure the styles that come with vidgan, or those named, beside those of the same name in --exports."""
    torch.set_num_threads(1)
    ort.set_default_logger_severity(3)
    out.mkdir(parents=True, exist_ok=True)
    yardstick = StyleYardstick(Path(weights["vgg16"]))
    _, held_out = split_held_out(list_photos([Path(each) for each in photos]))
    taken = [read_image(path, size) for path in held_out[:photo_count]]
    figures: dict[str, Figures] = {}
    rows = [[BLANK, *(tile for photo in taken[:_SHOWN] for tile in (photo, BLANK))]]
    for name in styles or [each for each in bundled_models("style") if (exports / each).is_dir()]:
        spec = find_model(name, precision="float32")
        painting = read_image(Path(config_of(spec, paintings, {}).image), size)
        outputs = {
            who: list(_stylized(folder / f"{precision}.onnx", taken))
            for who, folder in (("vidgan", spec.file.path.parent), ("other", exports / name))
        }
        figures[name] = {
            who: {"style": yardstick.style(images, painting), "content": yardstick.content(images, taken)}
            for who, images in outputs.items()
        }
        click.echo(f"{name:16}{_words(figures[name])}")
        both = zip(outputs["vidgan"][:_SHOWN], outputs["other"][:_SHOWN], strict=True)
        rows.append([painting, *(image for pair in both for image in pair)])
    write_sheet(out / "sheet.jpg", rows)
    click.echo(f"{'mean':16}{_words(mean_figures(list(figures.values())))}")
    written = json.dumps({"machine": describe_machine(None), **figures}, indent=2)
    (out / "figures.json").write_text(f"{written}\n")


def mean_figures(figures: Sequence[Figures]) -> Figures:
    """The mean over styles."""
    return {
        who: {kind: fmean(each[who][kind] for each in figures) for kind in ("style", "content")}
        for who in ("vidgan", "other")
    }


def _stylized(model: Path, photos: Sequence[Pixels]) -> Iterator[Pixels]:
    session = open_session(onnx.load(model))
    for photo in photos:
        yield run_session(session, photo)


def _words(figures: Figures) -> str:
    ratios = {kind: figures["other"][kind] / figures["vidgan"][kind] for kind in ("style", "content")}
    return "   ".join(
        f"{kind} {figures['vidgan'][kind]:.3f} -> {figures['other'][kind]:.3f} ({ratio:.3f})"
        for kind, ratio in ratios.items()
    )


if __name__ == "__main__":
    cli()
