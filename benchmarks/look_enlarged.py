"""A sheet to judge by eye what upscalers make of real, compressed videos.

::

    python -m benchmarks.look_enlarged --peer realesr_animevideov3.safetensors -o SHEET CLIP@FRAME:LEFT,TOP…

A row a place: the video as it is with its pixels made 4 × 4, by bicubic, by every model, and by Real-ESRGAN's
network for video. Frames are enlarged whole, as ``vidgan upscale`` does it.
"""

import re
import tempfile
from fractions import Fraction
from itertools import islice
from pathlib import Path

import click
import cv2
import numpy as np

from benchmarks.upscale import export_peer
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage
from vidgan.sources import open_source
from vidgan.tasks import load_models
from vidgan.tasks.models import StepModels
from vidgan.tasks.upscale import UpscaleEffect, UpscaleSettings

_SCALE = 4
_GAP = 4
_LABEL_HEIGHT = 24
_PLACE = re.compile(r"(.+)@(\d+):(\d+),(\d+)")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("places", nargs=-1, required=True, metavar="CLIP@FRAME:LEFT,TOP…")
@click.option("--model", "models", multiple=True, default=("swift",), show_default=True, help="Repeatable.")
@click.option("--peer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its weights.")
@click.option("--side", default=80, show_default=True, help="Of what is shown, in pixels of the video.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True)
def cli(places: tuple[str, ...], models: tuple[str, ...], peer: Path | None, side: int, output: Path) -> None:
    """Write what models make of PLACES: a clip, the number of a frame, and where in it to look."""
    with tempfile.TemporaryDirectory() as folder:
        upscalers = {name: _loaded(name) for name in models}
        if peer is not None:
            upscalers["Real-ESRGAN"] = _loaded(str(export_peer(peer, Path(folder) / "peer.onnx")))
        sheet = np.vstack([_row(place, upscalers, side) for place in places])
    names = ["the video", "bicubic", *upscalers]
    labels = np.hstack([_label(name, side * _SCALE + _GAP) for name in names])
    cv2.imwrite(str(output), np.vstack([sheet, labels])[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    click.echo(output)


def _loaded(model: str) -> StepModels:
    return load_models(UpscaleSettings(model=model), device="cpu")


def _row(place: str, upscalers: dict[str, StepModels], side: int) -> Pixels:
    found = _PLACE.fullmatch(place)
    if found is None:
        raise click.UsageError(f"{place!r} is no place; expected CLIP@FRAME:LEFT,TOP")
    frame = _frame(Path(found[1]), int(found[2]))
    left, top = int(found[3]), int(found[4])
    height, width = frame.shape[:2]
    if left + side > width or top + side > height:
        raise click.UsageError(f"{place}: frames are {width}x{height}, so not all {side} pixels are inside")
    size = _SCALE * width, _SCALE * height
    larger = [
        cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST),
        cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC),
        *(_enlarged(each, frame, size) for each in upscalers.values()),
    ]
    rows, columns = (slice(_SCALE * start, _SCALE * (start + side)) for start in (top, left))
    gap = ((0, _GAP), (0, _GAP), (0, 0))
    return np.hstack([np.pad(each[rows, columns], gap, constant_values=255) for each in larger])


def _frame(path: Path, number: int) -> Pixels:
    with open_source(path) as source:
        frame = next(islice(source, number, None), None)
    if frame is None:
        raise click.UsageError(f"{path}: has no frame {number}")
    return frame.pixels


def _enlarged(upscaler: StepModels, frame: Pixels, size: tuple[int, int]) -> Pixels:
    effect = UpscaleEffect(upscaler.generator(_SCALE), size=size)
    return effect.apply(Frame(image=RgbImage(frame), pts=0, time_base=Fraction(1))).pixels


def _label(name: str, width: int) -> Pixels:
    label = np.full((_LABEL_HEIGHT, width, 3), 255, np.uint8)
    cv2.putText(label, name, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return label


if __name__ == "__main__":
    cli()
