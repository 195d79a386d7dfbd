"""Figures of a de-identifier on a video with one face: whether the new one stays, and moves as the old one.

``python -m benchmarks.face_videos CLIP… --model MODEL.onnx --alternatives --data FOLDER`` measures a generator alone,
and blur and pixelation beside it: faces are found in the plainest way, YuNet on every frame, the points smoothed by
half. ``--runtime NAME`` measures what ``vidgan deidentify`` makes, with its tracks, in the same places.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.face_coverage import deidentified
from benchmarks.face_evaluators import Bytes, Detector, Floats, Landmarks, People, Recognizer
from benchmarks.face_figures import displaced, openings
from benchmarks.face_ways import ALTERNATIVES, generated
from vidgan.media.face_alignment import SIDE, TEMPLATE, aligned_by_mesh, inverse, moved, similarity
from vidgan.media.face_guides import Points
from vidgan.media.optical_flow import estimate_flow
from vidgan.sources import open_source
from vidgan.tasks.deidentify import DeidentifySettings
from vidgan.temporal.flicker import warping_error

_KEPT = 0.5
"""Share of the points of the frame before."""
_DETECTED = 640
_SCORE = 0.6

_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Track:
    """A face through a video, aligned.

    Attributes:
        images: ``(T, 144, 144, 3)``.
        points: ``(T, 468, 2)``, in their pixels.
        frames: numbers of the frames that they are in, ``(T,)``.
        placed: similarities from the frames, ``(T, 2, 3)``.
    """

    images: Bytes
    points: Floats
    frames: NDArray[np.int64]
    placed: Floats

    def of(self, frames: Sequence[Bytes]) -> Bytes:
        """The same places in other frames, aligned."""
        return np.stack(
            [_warped(frames[n], placed) for n, placed in zip(self.frames, self.placed, strict=True)]
        )


def follow(frames: Iterator[Bytes], weights: Path) -> Track:
    """The largest face of each frame; where none is found, it is where it was."""
    landmarks, images, found = Landmarks(weights), [], []
    numbers, places = [], []
    smoothed: Points | None = None
    detector: Any = None
    for number, frame in enumerate(frames):
        height, width = frame.shape[:2]
        scale = min(1.0, _DETECTED / max(height, width))
        small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if detector is None:
            file = str(weights / "faces" / "yunet_n_dynamic.onnx")
            detector = cv2.FaceDetectorYN.create(file, "", small.shape[1::-1], _SCORE)
        faces = detector.detect(np.ascontiguousarray(small[..., ::-1]))[1]
        if faces is not None:
            largest = max(faces, key=lambda face: face[2] * face[3])
            placed = similarity(largest[4:14].reshape(5, 2) / scale, TEMPLATE)
        elif smoothed is not None:
            placed = aligned_by_mesh(smoothed)
        else:
            continue
        points = moved(landmarks(_warped(frame, placed)[np.newaxis])[0], inverse(placed))
        smoothed = points if smoothed is None else _KEPT * smoothed + (1 - _KEPT) * points
        placed = aligned_by_mesh(smoothed)
        numbers.append(number)
        places.append(placed)
        images.append(_warped(frame, placed))
        found.append(moved(smoothed, placed))
    if not images:
        raise click.ClickException("no face in it")
    return Track(np.stack(images), np.stack(found), np.array(numbers), np.stack(places))


def measure(track: Track, made: Bytes, weights: Path) -> dict[str, float]:
    """Figures of a track and what became of it."""
    recognizer, landmarks = Recognizer(weights), Landmarks(weights)
    before, after = recognizer(track.images), recognizer(made)
    neighbors, originals = (np.sum(each[1:] * each[:-1], 1) for each in (after, before))
    points = landmarks(made)
    opened = openings(landmarks(track.images)), openings(points)
    mouth, eyes = (
        float(np.corrcoef(opened[0][:, some].ravel(), opened[1][:, some].ravel())[0, 1])
        for some in (slice(1), slice(1, 3))
    )
    errors = [
        (
            warping_error(made[n], made[n + 1], *pair, estimate_flow),
            warping_error(*pair, *pair, estimate_flow),
        )
        for n, pair in enumerate(zip(track.images, track.images[1:], strict=False))
    ]
    changed, unchanged = np.mean(errors, 0)
    spread = after @ after.T
    return {
        "neighbors": float(neighbors.mean()),
        "neighbors p5": float(np.percentile(neighbors, 5)),
        "neighbors, original": float(originals.mean()),
        "any two frames": float(spread[np.triu_indices(len(spread), 1)].mean()),
        "to the original": float(np.sum(before * after, 1).mean()),
        "found": float(Detector(weights)(made).mean()),
        "points": float(np.median(displaced(track.points, points))),
        "mouth": mouth,
        "eyes": eyes,
        "warping error ratio": float(changed / unchanged),
    }


@click.command()
@click.argument("clips", nargs=-1, required=True, type=_File)
@click.option("--model", "models", type=_File, multiple=True, help="A generator of faces; repeatable.")
@click.option(
    "--runtime", "named", multiple=True, help="A generator, as 'vidgan deidentify' runs it; repeatable."
)
@click.option("--alternatives", is_flag=True, help="Also blurred and pixelated faces.")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--frames", type=int, default=120, show_default=True)
@click.option(
    "--strip",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw some frames; clips that may be shown.",
)
def cli(
    clips: tuple[Path, ...],
    models: tuple[Path, ...],
    named: tuple[str, ...],
    alternatives: bool,
    data: Path,
    frames: int,
    strip: Path | None,
) -> None:
    """Steadiness, expression and recognition of a de-identified face through CLIPS."""
    changes, weights = [*(ALTERNATIVES if alternatives else ()), *map(generated, models)], data / "weights"
    if not changes and not named:
        raise click.UsageError("nothing to measure; give --model, --runtime or --alternatives")
    rows, strips = {}, []
    for clip in clips:
        track = follow(_frames(clip, frames), weights)
        people = People(track.images, track.points, np.array([clip.stem] * len(track.images)))
        shown = [track.images]
        for change in changes:
            shown.append(change.apply(people))
            rows[f"{clip.stem}, {change.name}"] = measure(track, shown[-1], weights)
        for name in named:
            pairs = deidentified(clip, DeidentifySettings().with_(model=name), frames, 1.0)
            shown.append(track.of([after.pixels for _, after in pairs]))
            rows[f"{clip.stem}, vidgan deidentify, {Path(name).stem}"] = measure(track, shown[-1], weights)
        some = slice(None, None, max(1, len(track.images) // 8))
        strips.append(np.concatenate([np.concatenate(list(each[some][:8]), 1) for each in shown]))
    figures = list(next(iter(rows.values())))
    click.echo(f"| | {' | '.join(figures)} |\n|{'---|' * (len(figures) + 1)}")
    for name, row in rows.items():
        click.echo(f"| {name} | {' | '.join(f'{value:.3f}' for value in row.values())} |")
    if strip is not None:
        cv2.imwrite(str(strip), np.concatenate(strips)[..., ::-1])


def _frames(clip: Path, count: int) -> Iterator[Bytes]:
    with open_source(clip) as source:
        for number, frame in enumerate(source):
            if number == count:
                return
            yield frame.pixels


def _warped(frame: Bytes, placed: NDArray[np.float32]) -> Bytes:
    return np.asarray(
        cv2.warpAffine(frame, placed, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)
    )


if __name__ == "__main__":
    cli()
