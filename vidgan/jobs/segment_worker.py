"""One segment of a job, processed apart from the others: the work of a cluster's worker.

A temporal filter depends on earlier frames. A segment that is processed alone runs through some frames before
it first, which bring the filter into about the state that it would have had.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from vidgan.errors import InputError
from vidgan.jobs.fingerprint import FileFingerprint, checksum, file_fingerprint
from vidgan.jobs.pipeline import run_pipeline
from vidgan.jobs.plan import Plan
from vidgan.media.encoding import Encoding
from vidgan.media.frame import Frame
from vidgan.media.trim import Trim
from vidgan.models.registry import ModelSpec
from vidgan.segments.encoder import EncodedSegment, SegmentEncoder
from vidgan.segments.store import SEGMENT_FRAMES
from vidgan.session import RealDevice, Session, cores
from vidgan.session.output_check import CheckedModel
from vidgan.sinks.verification import Verification
from vidgan.sources import Source, open_source

WARM_UP_FRAMES = 40
"""Generated frames that a temporal filter sees before a segment. Of older ones it keeps nothing where things move,
and a third where they stand still."""


@dataclass(frozen=True, kw_only=True)
class SegmentJob:
    """Data that all segments of a job share; travels to the workers.

    Attributes:
        plan: of the job, its input as every machine finds it.
        fingerprint: of the input.
        precise: float32 variants of the models, by step and role; None where there is none.
        encoding: of the segments.
        yuv: whether frames should come as luma and chroma.
    """

    plan: Plan
    fingerprint: FileFingerprint
    precise: tuple[dict[str, ModelSpec | None], ...]
    encoding: Encoding
    yuv: bool


@dataclass(frozen=True, kw_only=True)
class SegmentRange:
    """The frames of a segment, and those that are needed to process it.

    Attributes:
        first: number of the first frame of all.
        warm_up: how many come before the segment.
        count: how many are the segment's.
        times: of all of them, with those of a look-ahead, in units of the video's time base.
        seconds: position of the first one in the file; None if it can only be reached from the file's start.
    """

    first: int
    warm_up: int
    count: int
    times: list[int]
    seconds: Fraction | None


@dataclass(frozen=True, kw_only=True)
class ProcessedSegment:
    """A segment that is done, and what the user should know of it."""

    segment: EncodedSegment
    warnings: list[str]


def ranges_of(plan: Plan, source: Source, times: list[int], *, done: int) -> Iterator[SegmentRange]:
    """The segments after the first ``done`` frames.

    Args:
        source: the input, after its times were read.
        times: of all its frames.
    """
    for start in range(done, len(times), SEGMENT_FRAMES):
        first = _first_needed(plan, start)
        end = min(start + SEGMENT_FRAMES, len(times))
        yield SegmentRange(
            first=first,
            warm_up=start - first,
            count=end - start,
            times=times[first : end + plan.look_ahead],
            seconds=source.seconds_at(times[first]),
        )


def _first_needed(plan: Plan, start: int) -> int:
    """Number of the first frame that is needed for a segment that begins with frame ``start``."""
    if not plan.is_temporal:
        return start
    interval = max(1, plan.reuse)
    first = max(0, start - interval * WARM_UP_FRAMES)
    # The same frames are generated as in one go, where groups are counted from the start of a segment.
    return first - first % SEGMENT_FRAMES % interval


def process_segment(job: SegmentJob, wanted: SegmentRange) -> ProcessedSegment:
    """Processes and encodes one segment.

    Raises:
        InputError: the input is not what it was, or not here.
        VidganError: as of :func:`vidgan.run`.
    """
    _check_input(job)
    device = job.plan.device
    sessions = [
        {role: _session(_Key(spec), device) for role, spec in step.specs.items()} for step in job.plan.steps
    ]
    checked = [
        {role: _checked(session, precise[role], device) for role, session in by_role.items()}
        for by_role, precise in zip(sessions, job.precise, strict=True)
    ]
    try:
        segment, warnings = _encoded(job, wanted, sessions, checked)
    except (_LostError, InputError):
        # Files whose index is wrong or missing, or that change on the way.
        try:
            segment, warnings = _encoded(job, replace(wanted, seconds=None), sessions, checked)
        except _LostError:
            path = job.plan.input.path
            raise InputError(f"{path}: its frames are not those that were found at first") from None
    of_checks = [warning for by_role in checked for model in by_role.values() for warning in model.warnings]
    return ProcessedSegment(segment=segment, warnings=of_checks + warnings)


def _encoded(
    job: SegmentJob,
    wanted: SegmentRange,
    sessions: list[dict[str, Session]],
    checked: list[dict[str, CheckedModel]],
) -> tuple[EncodedSegment, list[str]]:
    """The segment, and remarks of the steps."""
    plan, output = job.plan, job.plan.output.path
    # A worker of a cluster has one core, or one GPU.
    of_gpu = [each.workers for by_role in sessions for each in by_role.values() if each.device != "cpu"]
    workers = max(of_gpu, default=1 if sessions else cores())
    with tempfile.TemporaryDirectory(prefix="vidgan-") as folder, _excerpt(job, wanted) as source:
        chain = plan.open_chain(checked, sessions, workers=workers)
        writer = SegmentEncoder(output, Path(folder) / "segment.nut", job.encoding, plan.output_info)
        try:
            run_pipeline(source, chain, _SegmentSink(writer, wanted), first=wanted.first)
        except BaseException:
            writer.abandon()
            raise
        writer.finish()
        segment = EncodedSegment(
            data=writer.path.read_bytes(), times=writer.times, end=writer.end, reordered=writer.reordered
        )
        return segment, chain.warnings()


class _LostError(Exception):
    """The frames at some position of the file are not the expected ones."""


class _Excerpt:
    """The frames of a range, with the video's times."""

    def __init__(self, source: Source, wanted: SegmentRange) -> None:
        self.info = source.info
        self.timeline = source.timeline
        self.warnings = source.warnings
        self.timeline = source.timeline
        self._source, self._wanted = source, wanted

    def __iter__(self) -> Iterator[Frame]:
        offset: int | None = None
        frames = iter(self._source)
        for pts in self._wanted.times:
            frame = next(frames, None)
            if frame is None:
                raise _LostError
            offset = pts - frame.pts if offset is None else offset
            if frame.pts + offset != pts:
                raise _LostError
            yield frame.at(pts)

    def skip(self, count: int) -> Frame | None:
        return self._source.skip(count)

    def times(self) -> Iterator[int]:
        return iter(self._wanted.times)

    def seconds_at(self, pts: int) -> Fraction | None:
        return self._source.seconds_at(pts)

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._source.__exit__(None, None, None)


def _excerpt(job: SegmentJob, wanted: SegmentRange) -> _Excerpt:
    plan, info = job.plan, job.plan.source_info
    trim = plan.settings.trim
    if wanted.seconds is not None:
        trim = Trim(start=wanted.seconds, frames=len(wanted.times))
    first = plan.steps[0]
    source = open_source(
        plan.input.path,
        size=f"{info.width}x{info.height}",
        trim=trim,
        rate=plan.settings.rate,
        keep_start=plan.settings.keep_start,
        hwaccel=plan.settings.hwaccel,
        yuv=job.yuv,
        palette=first.task.input_palette(first.settings, first.specs),
    )
    excerpt = _Excerpt(source, wanted)
    if wanted.seconds is None:
        excerpt.skip(wanted.first)
    elif replace(source.info, frame_count=info.frame_count) != info:
        with source:
            raise _LostError
    return excerpt


class _SegmentSink:
    """A sink that keeps the frames of the segment, and no others."""

    def __init__(self, writer: SegmentEncoder, wanted: SegmentRange) -> None:
        self.warnings: list[str] = []
        self.verification: Verification | None = None
        self._writer = writer
        self._wanted = set(wanted.times[wanted.warm_up : wanted.warm_up + wanted.count])

    def write(self, frame: Frame) -> None:
        if frame.pts in self._wanted:
            self._writer.write(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


def _check_input(job: SegmentJob) -> None:
    path = job.plan.input.path
    try:
        found = file_fingerprint(path)
    except OSError as exc:
        raise InputError(
            f"{path}: a worker does not find it; every machine needs it under this name"
        ) from exc
    if found != job.fingerprint:
        raise InputError(f"{path}: has changed, or is another file on one of the machines")


class _Key:
    """A model by its content, so that it is loaded once in a process."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._checksum = checksum(spec)

    def __hash__(self) -> int:
        return hash(self._checksum)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._checksum == other._checksum


@lru_cache(maxsize=8)
def _session(key: _Key, device: RealDevice) -> Session:
    return Session(key.spec, device=device)


def _checked(session: Session, precise: ModelSpec | None, device: RealDevice) -> CheckedModel:
    return CheckedModel(session, lambda: None if precise is None else _session(_Key(precise), device))
