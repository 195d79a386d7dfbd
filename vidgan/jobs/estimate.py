"""An estimate of the time and disk space that a batch will take, from a few frames of its first video."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidgan.errors import VidganError
from vidgan.jobs.batch import Batch, Prospect
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest
from vidgan.jobs.settings import JobSettings
from vidgan.media.trim import Trim
from vidgan.sources import open_source

_FRAMES = 24


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Estimate for one file.

    Attributes:
        input, output: the files.
        frames: of the input; None where it does not say.
        seconds: of wall time; None where nothing is known.
        bytes: of the output; None likewise.
        error: why the file will fail, where that is known.
        done: an earlier run has done it, and it will be skipped.
    """

    input: Path
    output: Path
    frames: int | None = None
    seconds: float | None = None
    bytes: int | None = None
    error: str | None = None
    done: bool = False


@dataclass(frozen=True)
class _Rate:
    """Cost of one pixel of one frame."""

    seconds: float
    bytes: float


def estimate_batch(batch: Batch, inputs: Sequence[Path]) -> list[Estimate]:
    """Estimates each file on this machine, in proportion to its pixels.

    The first readable video is processed for a second or so to find out.
    """
    rate: _Rate | None = None
    estimates = []
    prospect = Prospect(batch)
    for path in inputs:
        output = batch.output_of(path)
        if prospect.is_done(path):
            estimates.append(Estimate(input=path, output=output, done=True))
            continue
        try:
            prospect.check(path)
            with open_source(path, size=batch.settings.size) as source:
                info = source.info
            if rate is None:
                rate = _measured(batch, path, info.width * info.height)
        except VidganError as exc:
            estimates.append(Estimate(input=path, output=output, error=str(exc)))
            continue
        frames = info.frame_count or (None if info.frame_rate else 1)
        pixels = None if frames is None else frames * info.width * info.height
        estimates.append(
            Estimate(
                input=path,
                output=output,
                frames=frames,
                seconds=None if pixels is None else rate.seconds * pixels,
                bytes=None if pixels is None else round(rate.bytes * pixels),
            )
        )
    return estimates


def _measured(batch: Batch, path: Path, pixels: int) -> _Rate:
    """Processes the first frames into a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="vidgan-") as folder:
        request = JobRequest(
            input=Input.at(path),
            output=Path(folder) / batch.output_of(path).name,
            steps=batch.steps,
            settings=_first_frames(batch, path),
        )
        result = batch.process(request, on_frame=lambda _: None)
        size = sum(each.stat().st_size for each in Path(folder).rglob("*") if each.is_file())
    processed = max(1, result.frames) * pixels
    return _Rate(seconds=result.seconds / processed, bytes=size / processed)


def _first_frames(batch: Batch, path: Path) -> JobSettings:
    if Input.at(path).kind != "video":
        return batch.settings
    trim = batch.settings.trim
    frames = min(trim.frames or _FRAMES, _FRAMES)
    return replace(batch.settings, trim=Trim(start=trim.start, end=trim.end, frames=frames))
