"""Figures of vaults of videos: how exactly faces come back, and what tells right from wrong passcodes from outside."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from click.testing import CliRunner

import vidgan
from benchmarks.face_passcodes import RATE, RIGHT, Figure, spread
from vidgan.cli import cli as vidgan_command
from vidgan.sources import open_source
from vidgan.sources.vault import find_vault
from vidgan.tasks.faces.vault.crops import cut
from vidgan.tasks.faces.vault.opened import OpenedVault
from vidgan.tasks.faces.vault.passcode import PASSCODE_VARIABLE, Passcode

_MEASURED = "seconds", "busy_seconds", "fps"
"""Facts of a report that differ between any two runs."""


@dataclass(frozen=True)
class _Run:
    """A run of ``vidgan reveal``.

    Attributes:
        told: what it says: exit code, messages and report, without times that it measured.
        length: of the output, in bytes.
        seconds: of the processor.
    """

    told: str
    length: int
    seconds: float


@dataclass(frozen=True)
class _Clip:
    """What was measured of a clip.

    Attributes:
        psnr: of the luma of each crop, in dB.
        rate: of the vault, in kB for each second of a face.
        right, wrong: runs by turns.
    """

    psnr: list[float]
    rate: float
    right: list[_Run]
    wrong: list[_Run]


def figures_of_clips(
    clips: Sequence[Path], generator: str | None, seconds: float, passcodes: Sequence[str]
) -> list[Figure]:
    """Figures of whole videos, with the right passcode and with wrong ones by turns.

    Args:
        clips: with faces.
        generator: name or file of a generator of faces; None for faces that are pixelated.
        seconds: length of each clip.
        passcodes: wrong ones.
    """
    measured = [_measured(clip, generator, seconds, passcodes) for clip in clips]
    psnr = np.concatenate([each.psnr for each in measured])
    lengths = [run.length / each.right[0].length for each in measured for run in (*each.right, *each.wrong)]
    told = [run.told == each.right[0].told for each in measured for run in (*each.right, *each.wrong)]
    times = [
        float(np.median([run.seconds for run in each.wrong]) / np.median([run.seconds for run in each.right]))
        for each in measured
    ]
    names = ", ".join(clip.stem for clip in clips)
    return [
        Figure(f"PSNR of crops, dB, {names}", spread(psnr, 1), "≥ 35"),
        Figure("vault, kB a second and face", spread([each.rate for each in measured], 1), "≤ 10"),
        Figure("length of outputs, over a right one's", spread(lengths), "1"),
        Figure("exit code and messages as a right one's, share of runs", f"{np.mean(told):.3f}", "1"),
        Figure("processor time, wrong over right, medians", spread(times), "0.95 to 1.05"),
    ]


def _measured(clip: Path, generator: str | None, seconds: float, passcodes: Sequence[str]) -> _Clip:
    way = {"pixelate": True} if generator is None else {"model": generator}
    with TemporaryDirectory() as folder:
        video = Path(folder) / f"video{clip.suffix}"
        vidgan.deidentify(clip, video, passcode=RIGHT, trim=(0, seconds), **way)
        data = find_vault(video)
        assert data is not None
        psnr, face_seconds = _crops(clip, OpenedVault(data, Passcode(RIGHT)), seconds)
        # The first run loads what later ones find in memory.
        _run(video, generator, RIGHT)
        right, wrong = [], []
        for number, passcode in enumerate(passcodes):
            right.append(_run(video, generator, RIGHT))
            wrong.append(_run(video, generator, passcode))
            click.echo(f"{clip.stem}: {number + 1} of {len(passcodes)} wrong passcodes", err=True)
    return _Clip(psnr, len(data) / 1000 / max(face_seconds, 1e-9), right, wrong)


def _run(video: Path, generator: str | None, passcode: str) -> _Run:
    output = video.with_name(f"shown{video.suffix}")
    output.unlink(missing_ok=True)
    arguments = ["reveal", str(video), "-o", str(output), "--json", "--quiet"]
    arguments += [] if generator is None else ["--generator", generator]
    started = time.process_time()
    result = CliRunner(env={PASSCODE_VARIABLE: passcode}).invoke(vidgan_command, arguments)
    seconds = time.process_time() - started
    if result.exception is not None:
        raise result.exception
    report = json.loads(result.stdout)
    facts = {name: each for name, each in report.items() if name not in _MEASURED}
    told = json.dumps([result.exit_code, result.stderr, facts])
    return _Run(told, output.stat().st_size, seconds)


def _crops(clip: Path, vault: OpenedVault, seconds: float) -> tuple[list[float], float]:
    """PSNR of the luma of each crop, and seconds of faces."""
    found = []
    trim = vidgan.Trim(end=Fraction(seconds).limit_denominator(1000))
    with open_source(clip, yuv=True, trim=trim) as source:
        length = 1_000_000 / float(source.info.frame_rate or RATE)
        for frame in source:
            for place, crop in vault.faces_at(round(frame.pts_seconds * 1_000_000), length):
                assert crop is not None
                error = (cut(frame.image, place).luma.astype(float) - crop.luma) ** 2
                found.append(float(10 * np.log10(255**2 / max(error.mean(), 1e-3))))
    return found, len(found) * length / 1_000_000
