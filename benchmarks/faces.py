"""Figures of a de-identifier: whom recognizers find, whether a face is found, where its features are.

``python -m benchmarks.faces images MODEL.onnx --data FOLDER`` measures a model on people whom nobody
trained on, by recognizers that nobody trained against, beside the unchanged images, blur and pixelation.
``passcode`` measures what right and wrong passcodes show, ``woven`` what a network of passcodes brings back.
``sheet`` shows faces that may be shown.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
import torch

from benchmarks.face_evaluators import Bytes, DlibRecognizer, Evaluators, Landmarks, Looks, People, names_of
from benchmarks.face_figures import AdaptiveRecognizer, Names, figures_of, figures_of_training, table
from benchmarks.face_passcodes import figure_of_bits, figures_of_images, wrong_passcodes
from benchmarks.face_passcodes import table as passcode_table
from benchmarks.face_vaults import figures_of_clips
from benchmarks.face_ways import ALTERNATIVES, UNCHANGED, Change, generated
from benchmarks.face_woven import table_of_woven, write_sheet
from training.data.photos import list_photos

_PART = 100
"""Images between two lines of progress; a run that was stopped goes on after the last part."""
_WORK = Path(tempfile.gettempdir()) / "vidgan-faces"

Evaluator = Callable[[Bytes], Looks]

_File = click.Path(exists=True, dir_okay=False, path_type=Path)
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)
_data = click.option("--data", type=_Folder, required=True, help="Folder with faces/ and weights/.")


class Parts:
    """What evaluators see in images, a part at a time, kept in files.

    Args:
        folder: of the files.
        landmarks: of the images, which generators need.
    """

    def __init__(self, folder: Path, landmarks: Landmarks) -> None:
        self._folder, self._landmarks = folder, landmarks
        folder.mkdir(parents=True, exist_ok=True)

    def look(
        self, paths: Sequence[Path], change: Change, evaluator: Evaluator, *, apart: bool = False
    ) -> Looks:
        """What ``evaluator`` sees of the changed images.

        Args:
            apart: every image becomes a person of its own, whoever is in it.
        """
        label = f"{paths[0].parent.name}, {change.name}, {evaluator.__qualname__}"
        seen = []
        for start in range(0, len(paths), _PART):
            some = list(paths[start : start + _PART])
            file = self._folder / f"{_digest(some, change, evaluator)}.npz"
            if not file.exists():
                _write(file, evaluator(self._changed(some, change, apart)))
            with np.load(file) as kept:
                seen.append(dict(kept))
            click.echo(f"{label}: {start + len(some)} of {len(paths)}", err=True)
        return {name: np.concatenate([each[name] for each in seen]) for name in seen[0]}

    def look_by_all(self, paths: Sequence[Path], change: Change, evaluators: Sequence[Evaluator]) -> Looks:
        """What several evaluators see."""
        seen: Looks = {}
        for evaluator in evaluators:
            seen |= self.look(paths, change, evaluator)
        return seen

    def _changed(self, paths: list[Path], change: Change, apart: bool) -> Bytes:
        people = People.read(paths, self._landmarks)
        return change.apply(
            replace(people, names=np.array([each.stem for each in paths])) if apart else people
        )


def _digest(paths: list[Path], change: Change, evaluator: Evaluator) -> str:
    stamps = ",".join(f"{each.parent.name}/{each.name}/{each.stat().st_mtime_ns}" for each in paths)
    told = f"{change.key}/{evaluator.__qualname__}/{stamps}"
    return f"{change.key}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _write(file: Path, looks: Looks) -> None:
    part = file.with_suffix(".part.npz")
    np.savez(part, **looks)  # type: ignore[arg-type]
    part.replace(file)


@click.group()
def cli() -> None:
    """Measure and show what a de-identifier makes of faces."""
    # More threads than idle cores make torch many times slower.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@cli.command()
@click.argument("models", nargs=-1, type=_File)
@_data
@click.option("--images", "limit", type=int, help="So many images alone, for a quick look.")
@click.option("--learn-from", type=int, default=3000, show_default=True, help="Most images of faces/lfw_train "
              "that the adaptive recognizer is fitted to and resemblance is sought in; 0 leaves both out.")  # fmt: skip
@click.option("--alternatives", is_flag=True, help="Also unchanged, blurred and pixelated images.")
@click.option("--without-dlib", is_flag=True, help="Leave out dlib's recognizer.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), default=_WORK, show_default=True,
              help="What evaluators saw is kept here, for the next run.")  # fmt: skip
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also as JSON.")
def images(
    models: tuple[Path, ...],
    data: Path,
    limit: int | None,
    learn_from: int,
    alternatives: bool,
    without_dlib: bool,
    work: Path,
    report: Path | None,
) -> None:
    """Recognition, detection, landmarks and a distance to real faces, on faces/lfw_eval."""
    evaluators = Evaluators.load(data / "weights")
    looks = [evaluators.look] if without_dlib else [evaluators.look, DlibRecognizer().look]
    parts = Parts(work, evaluators.landmarks)
    paths = list_photos([data / "faces" / "lfw_eval"])[:limit]
    training = list_photos([data / "faces" / "lfw_train"])[:learn_from]
    before = parts.look_by_all(paths, UNCHANGED, looks)
    changes = [*((UNCHANGED, *ALTERNATIVES) if alternatives else ()), *map(generated, models)]
    learned = parts.look(training, UNCHANGED, evaluators.look_for_clues) if training else None
    rows = {}
    for change in changes:
        after = parts.look_by_all(paths, change, looks)
        rows[change.name] = figures_of(before, after, names_of(paths))
        if learned is not None:
            seen = parts.look(training, change, evaluators.look_for_clues, apart=True)
            adaptive = AdaptiveRecognizer(seen["clues"], learned["mobilefacenet"], names_of(training))
            rows[change.name] |= figures_of_training(before, after, names_of(paths), learned, adaptive)
        click.echo(table({change.name: rows[change.name]}), err=True)
    click.echo(table(rows))
    if report is not None:
        report.write_text(json.dumps(rows, indent=2) + "\n")


@cli.command()
@click.argument("clips", nargs=-1, type=_File)
@_data
@click.option("--generator", metavar="NAME|FILE", help="Of the faces that are shown; without one they are "
              "pixelated.")  # fmt: skip
@click.option("--people", "limit", type=int, default=300, show_default=True, help="Images of faces/lfw_eval.")
@click.option("--wrong", type=int, default=20, show_default=True, help="Wrong passcodes.")
@click.option("--seconds", type=float, default=4.0, show_default=True, help="Length of each clip.")
def passcode(
    clips: tuple[Path, ...], data: Path, generator: str | None, limit: int, wrong: int, seconds: float
) -> None:
    """What right and wrong passcodes show, on faces/lfw_eval and in CLIPS, and what tells one from the other."""
    paths, wrongly = list_photos([data / "faces" / "lfw_eval"])[:limit], wrong_passcodes(wrong)
    figures = figures_of_images(paths, data / "weights", generator, wrongly)
    if clips:
        figures += figures_of_clips(clips, generator, seconds, wrongly)
    click.echo(passcode_table([*figures, figure_of_bits()]))


@cli.command()
@click.argument("run", type=_Folder)
@_data
@click.option("--images", "limit", type=int, help="So many images of faces/lfw_eval alone.")
@click.option("--sheet", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also draw faces of "
              "faces/nobody and faces/congress: as they were, changed, brought back, with a wrong code; then "
              "through crf 23.")  # fmt: skip
def woven(run: Path, data: Path, limit: int | None, target: Path | None) -> None:
    """What comes back from faces changed by the trained network of RUN, without a codec and through H.264."""
    landmarks = Landmarks(data / "weights")
    if target is not None:
        paths = list_photos([data / "faces" / name for name in ("nobody", "congress")])
        write_sheet(run, People.read(paths[:: len(paths) // 9][:10], landmarks), target, (None, 23))
    paths = list_photos([data / "faces" / "lfw_eval"])[:limit]
    click.echo(table_of_woven(run, People.read(paths, landmarks), data / "weights"))


@cli.command()
@click.argument("model", type=_File)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@_data
@click.option("--count", type=int, default=40, show_default=True)
def sheet(model: Path, target: Path, data: Path, count: int) -> None:
    """Draw faces of faces/nobody and faces/congress, each above what becomes of it."""
    paths = list_photos([data / "faces" / name for name in ("nobody", "congress")])
    people = People.read(paths[:: max(1, len(paths) // count)][:count], Landmarks(data / "weights"))
    apart: Names = np.arange(len(people.names)).astype(str)
    changed = generated(model).apply(replace(people, names=apart))
    pairs = np.concatenate([people.images, changed], 1)
    columns = 10
    rows = [
        np.concatenate(list(pairs[n : n + columns]), 1) for n in range(0, len(pairs) - columns + 1, columns)
    ]
    cv2.imwrite(str(target), np.concatenate(rows)[..., ::-1])


if __name__ == "__main__":
    cli()
