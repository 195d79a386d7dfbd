"""Figures of vaults: how exactly faces come back, what a wrong passcode shows, sizes and times.

``python -m benchmarks.passcode videos CLIP…`` hides and reveals faces, by the right passcode and by wrong ones.
``python -m benchmarks.passcode images --data FOLDER`` measures recognition on people whom nobody trained on.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

import vidgan
from benchmarks.face_evaluators import MARGIN, Bytes, Detector, Recognizer, names_of
from benchmarks.face_figures import recognized
from training.data.image_crops import read_all
from training.data.photos import list_photos
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage
from vidgan.sources import open_source
from vidgan.sources.vault import find_vault
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder
from vidgan.tasks.faces.hiding import ellipse, hide
from vidgan.tasks.faces.tracking import Track, area_of
from vidgan.tasks.faces.vault.crops import cut
from vidgan.tasks.faces.vault.decoys import Decoys
from vidgan.tasks.faces.vault.opened import OpenedVault
from vidgan.tasks.faces.vault.passcode import Passcode
from vidgan.tasks.faces.vault.recorder import VaultRecorder
from vidgan.tasks.reveal import Revealing

_RIGHT = "the right passcode"
_ANOTHER_PERSON = 0.348
"""Cosine of the held-out recognizer below which two images are of two people, at a FAR of 1e-2."""
_RATE = Fraction(25)
_CLIP = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def cli() -> None:
    """Measure vaults."""


@cli.command()
@click.argument("clips", nargs=-1, required=True, type=_CLIP)
@click.option("--seconds", type=float, default=4.0, show_default=True, help="Length of each clip.")
@click.option("--wrong", type=int, default=3, show_default=True, help="Wrong passcodes for each clip.")
def videos(clips: tuple[Path, ...], seconds: float, wrong: int) -> None:
    """Through files: PSNR of the crops, bytes a second and face, lengths and times of outputs."""
    click.echo(
        "| clip | faces × s | kB/s a face | PSNR mean / least, dB | length, wrong / right "
        "| processor time, wrong / right, medians |"
    )
    click.echo("|---|---|---|---|---|---|")
    for clip in clips:
        with TemporaryDirectory() as folder:
            click.echo(_video_row(clip, Path(folder), seconds, wrong))


def _video_row(clip: Path, folder: Path, seconds: float, wrong: int) -> str:
    video = folder / f"video{clip.suffix}"
    vidgan.deidentify(clip, video, pixelate=True, passcode=_RIGHT, trim=(0, seconds))
    data = find_vault(video)
    assert data is not None
    psnr, face_seconds = _crops(clip, OpenedVault(data, Passcode(_RIGHT)), seconds)
    # By turns, so that what else the machine does falls on both.
    pairs = [
        [_revealed_file(video, folder, code) for code in (_RIGHT, f"wrong passcode {number}")]
        for number in range(wrong)
    ]
    lengths = [other[0] / right[0] for right, other in pairs]
    right, other = (float(np.median([pair[at][1] for pair in pairs])) for at in range(2))
    return (
        f"| {clip.stem} | {face_seconds:.1f} | {len(data) / 1000 / max(face_seconds, 1e-9):.1f} "
        f"| {np.mean(psnr):.1f} / {min(psnr):.1f} | {min(lengths):.3f} to {max(lengths):.3f} | {other / right:.2f} |"
    )


def _revealed_file(video: Path, folder: Path, code: str) -> tuple[int, float]:
    """Length of the output, and processor time in seconds."""
    started, output = time.process_time(), folder / f"shown{video.suffix}"
    vidgan.reveal(video, output, passcode=code, overwrite=True)
    return output.stat().st_size, time.process_time() - started


def _crops(clip: Path, vault: OpenedVault, seconds: float) -> tuple[list[float], float]:
    """PSNR of the luma of each crop, and seconds of faces."""
    found = []
    trim = vidgan.Trim(end=Fraction(seconds).limit_denominator(1000))
    with open_source(clip, yuv=True, trim=trim) as source:
        length = 1_000_000 / float(source.info.frame_rate or _RATE)
        for frame in source:
            for place, crop in vault.faces_at(round(frame.pts_seconds * 1_000_000), length):
                assert crop is not None
                error = (cut(frame.image, place).luma.astype(float) - crop.luma) ** 2
                found.append(float(10 * np.log10(255**2 / max(error.mean(), 1e-3))))
    return found, len(found) * length / 1_000_000


@dataclass(frozen=True)
class _Portrait:
    """An image as a frame of a video.

    Attributes:
        frame: with a margin.
        hidden: the same, pixelated.
        track: its face.
    """

    frame: Frame
    hidden: Frame
    track: Track


@cli.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
              help="Folder with faces/ and weights/.")  # fmt: skip
@click.option("--people", "limit", type=int, default=300, show_default=True, help="Images of faces/lfw_eval.")
@click.option("--wrong", type=int, default=20, show_default=True, help="Wrong passcodes.")
def images(data: Path, limit: int, wrong: int) -> None:
    """True accepts, faces found, and whether two wrong passcodes show two people, without a generator."""
    paths = list_photos([data / "faces" / "lfw_eval"])[:limit]
    names = names_of(paths)
    originals = np.stack([each.permute(1, 2, 0).numpy() for each in read_all(paths)])
    recognizer, detector = Recognizer(data / "weights"), Detector(data / "weights")
    embeddings = recognizer(originals)
    portraits = _portraits(originals)
    vault = _stored(portraits)
    click.echo("| | TAR at FAR 1e-2 | 1e-3 | YuNet finds a face |\n|---|---|---|---|")
    shown = {"unchanged": originals, "right passcode": _revealed(portraits, vault, _RIGHT)}
    wrongly = [_revealed(portraits, vault, f"wrong passcode {number}") for number in range(wrong)]
    for name, changed in [*shown.items(), *((f"wrong {n}", each) for n, each in enumerate(wrongly))]:
        found = recognized(embeddings, recognizer(changed), names)
        click.echo(
            f"| {name} | {found.other[0]:.3f} | {found.other[1]:.3f} | {detector(changed).mean():.3f} |"
        )
    codes = [recognizer(each) for each in wrongly]
    alike = np.concatenate([(one * other).sum(1) for one, other in pairwise(codes)])
    click.echo(f"\ntwo wrong passcodes show two people: {(alike < _ANOTHER_PERSON).mean():.3f}")


def _portraits(originals: Bytes) -> list[_Portrait]:
    finder, made = FaceFinder(originals.shape[1] + 2 * MARGIN), []
    for number, original in enumerate(originals):
        image = RgbImage(np.pad(original, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="reflect"))
        found = [face for face in finder.find(image) if face.score >= CERTAIN_SCORE]
        middle = np.array([MARGIN + 72, MARGIN + 84, 80, 106], np.float32)
        track = Track(number + 1, found[0].box if found else middle, np.zeros(4, np.float32), 0)
        place = ellipse(area_of(track), image.size)
        assert place is not None
        frame = Frame(image=image, pts=number, time_base=1 / _RATE)
        hidden = Frame(image=hide(image, [place], "pixelate"), pts=number, time_base=1 / _RATE)
        made.append(_Portrait(frame, hidden, track))
    return made


def _stored(portraits: Sequence[_Portrait]) -> bytes:
    recorder = VaultRecorder(Passcode(_RIGHT), "pixelate")
    for each in portraits:
        recorder.add(each.frame, [each.track])
    return recorder.finish()


def _revealed(portraits: Sequence[_Portrait], data: bytes, passcode: str) -> Bytes:
    vault = OpenedVault(data, Passcode(passcode))
    shown = Revealing(vault, Decoys(vault.identity_key, None), 0.0, float(1_000_000 / _RATE))
    frames = [shown.apply(each.hidden, None) for each in portraits]
    return np.stack([each.pixels[MARGIN:-MARGIN, MARGIN:-MARGIN] for each in frames])


if __name__ == "__main__":
    cli()
