"""Faces that slip out: frames in which the runtime leaves a visible face as it was.

``python -m benchmarks.face_coverage CLIP…`` de-identifies clips as ``vidgan deidentify`` does. A reference
search finds the faces of each source frame at twice the size that the runtime searches it in; the pixels of all
of them have to have changed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click
import cv2
import numpy as np

from vidgan.jobs.chain import Chain
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage, YuvImage
from vidgan.session.output_check import CheckedModel
from vidgan.sources import open_source
from vidgan.tasks import load_models
from vidgan.tasks.deidentify import TASK, DeidentifySettings
from vidgan.tasks.faces.box import Box
from vidgan.tasks.faces.finder import FaceFinder
from vidgan.tasks.task import StepContext

LEAST_HEIGHT = 24
"""Pixels of a face in the source."""
_SCORE = 0.6
_TIMES = 2
_SAME = 2
"""Levels of luma by which a pixel counts as unchanged."""
_LEFT = 0.5
"""The share of unchanged pixels from which on a face counts as left as it was."""
_CORE = 0.8
"""The ellipse that is looked at, over the box of a face."""

_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass
class Coverage:
    """Counts of a clip.

    Attributes:
        frames: of the clip.
        faces: that the reference search finds in them.
        left: frames in which one of them is left as it was.
        changed: the mean share of the pixels of a face that have changed.
    """

    frames: int = 0
    faces: int = 0
    left: int = 0
    changed: float = 0.0


def unchanged_share(before: Frame, after: Frame, box: Box) -> float:
    """The share of the pixels of a face that are as they were."""
    rows, columns = np.mgrid[: before.size[1], : before.size[0]]
    inside = np.hypot((columns - box[0]) / box[2], (rows - box[1]) / box[3]) < _CORE / 2
    one, other = (each.image.yuv().luma.astype(np.int16) for each in (before, after))
    return float((np.abs(one - other)[inside] <= _SAME).mean()) if inside.any() else 0.0


def covered(pairs: Iterator[tuple[Frame, Frame]], reference: FaceFinder) -> Coverage:
    """Counts over frames before and after."""
    found, shares = Coverage(), []
    for before, after in pairs:
        found.frames += 1
        same = [unchanged_share(before, after, box) for box in visible_faces(before, reference)]
        found.faces += len(same)
        found.left += any(share > _LEFT for share in same)
        shares += same
    found.changed = 1 - float(np.mean(shares)) if shares else 1.0
    return found


def visible_faces(frame: Frame, reference: FaceFinder) -> list[Box]:
    """The boxes of faces of at least :data:`LEAST_HEIGHT`, searched in the enlarged frame."""
    large = cv2.resize(frame.pixels, None, fx=_TIMES, fy=_TIMES, interpolation=cv2.INTER_CUBIC)
    faces = reference.find(RgbImage(np.asarray(large, np.uint8)))
    boxes = [face.box / np.float32(_TIMES) for face in faces if face.score >= _SCORE]
    return [box for box in boxes if box[3] >= LEAST_HEIGHT]


def deidentified(
    clip: Path, settings: DeidentifySettings, count: int, scale: float
) -> Iterator[tuple[Frame, Frame]]:
    """The frames of a clip, scaled, before and after."""
    with open_source(clip, yuv=True) as source:
        frames = [_scaled(frame, scale) for frame in islice(source, count)]
        info = source.info
    chain = Chain([TASK.open(settings, _context(clip, settings, info))], workers=1)
    outputs = chain.run(frames, {"effect": 0.0, "smooth": 0.0})
    return ((before, after.frame) for before, after in zip(frames, outputs, strict=True))


def _scaled(frame: Frame, scale: float) -> Frame:
    if scale == 1:
        return frame
    small = cv2.resize(frame.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return frame.with_image(YuvImage.from_rgb(np.asarray(small, np.uint8)))


def _context(clip: Path, settings: DeidentifySettings, info: VideoInfo) -> StepContext:
    models = load_models(settings, device="cpu")
    specs = TASK.select(models.variants, settings, clip, info)
    sessions = models.sessions(specs)
    return StepContext(
        input=clip,
        specs=specs,
        models={role: CheckedModel(each, lambda: None) for role, each in sessions.items()},
        sessions=sessions,
        input_info=info,
        output_info=info,
    )


@click.command()
@click.argument("clips", nargs=-1, required=True, type=_File)
@click.option("--model", type=_File, help="A generator of faces; pixelated without one.")
@click.option("--frames", type=int, default=200, show_default=True, help="At most, of each clip.")
@click.option("--look-ahead", type=int, default=25, show_default=True)
@click.option("--scale", type=float, default=1.0, show_default=True, help="Of the clips, for smaller faces.")
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also as JSON.")
def cli(
    clips: Sequence[Path], model: Path | None, frames: int, look_ahead: int, scale: float, report: Path | None
) -> None:
    """Count the frames of CLIPS in which a visible face is left as it was."""
    reference = FaceFinder(1280)
    settings = DeidentifySettings(pixelate=model is None, look_ahead=look_ahead)
    if model is not None:
        settings = settings.with_(model=str(model))
    rows = {clip.stem: covered(deidentified(clip, settings, frames, scale), reference) for clip in clips}
    total = Coverage(
        *(sum(getattr(row, name) for row in rows.values()) for name in ("frames", "faces", "left"))
    )
    total.changed = sum(row.changed * row.faces for row in rows.values()) / max(1, total.faces)
    click.echo("| clip | frames | faces | left as they were | pixels changed |\n|---|---|---|---|---|")
    for name, row in {**rows, "all": total}.items():
        click.echo(f"| {name} | {row.frames} | {row.faces} | {row.left} | {row.changed:.3f} |")
    if report is not None:
        report.write_text(json.dumps({name: vars(row) for name, row in rows.items()}, indent=2) + "\n")


if __name__ == "__main__":
    cli()
