"""One segment of a film, painted apart from the others: what a worker of a cluster does.

A smoother remembers what was before. Where a segment is painted for itself, it goes through some frames
before the segment first, so that it remembers about what it would have.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vidgan.errors import InputError
from vidgan.jobs.fingerprint import Identity, checksum, identity
from vidgan.jobs.pipeline import run_pipeline
from vidgan.media.encoder import Encoding
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.label_map import Palette
from vidgan.media.trim import Trim
from vidgan.models.registry import ModelSpec
from vidgan.segments.store import SEGMENT_FRAMES, EncodedPart, PartWriter
from vidgan.session import RealDevice, Session
from vidgan.session.output_check import Guard
from vidgan.sinks.verification import Verification
from vidgan.sources import Source, open_source
from vidgan.tasks.effects import open_effects, palette_of
from vidgan.tasks.settings import Settings
from vidgan.tasks.steadier import open_steadier
from vidgan.temporal import open_look_ahead

WARM_UP = 40
"""Frames that a smoother sees before a segment. Of what moves it remembers nothing that is older, of what
stands still a third."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """What all segments of a film have in common.

    Attributes:
        input: as every machine finds it.
        identity: what tells it from another one.
        info: of its frames, as they go in.
        settings: how to paint them.
        encoding: of the segments.
        output: for messages.
    """

    input: Path
    identity: Identity
    info: VideoInfo
    settings: Settings
    encoding: Encoding
    output: Path


@dataclass(frozen=True, kw_only=True)
class Models:
    """The model that paints, and the more precise one that repeats what came out broken, if there is one."""

    usual: ModelSpec
    precise: ModelSpec | None
    device: RealDevice


@dataclass(frozen=True, kw_only=True)
class Span:
    """Which frames a segment has, and which others are needed to paint it.

    Attributes:
        first: number of the first frame of all.
        warm_up: how many come before the segment.
        count: how many are the segment's.
        times: of all of them, with those that are looked ahead to, in units of the film's time base.
        seconds: where the first one is in the file; None if it can only be reached from the file's start.
    """

    first: int
    warm_up: int
    count: int
    times: list[int]
    seconds: Fraction | None


@dataclass(frozen=True, kw_only=True)
class Painted:
    """A segment that is done, and what the user should know of it."""

    part: EncodedPart
    notices: list[str]


def spans_of(
    source: Source, times: list[int], settings: Settings, spec: ModelSpec, *, done: int
) -> Iterator[Span]:
    """The segments of a film after the first ``done`` frames.

    Args:
        source: the film, after it was gone through.
        times: of all its frames.
        spec: of the model; one that remembers does as a smoother would.
    """
    smoothed = spec.past or (settings.smoothing(spec) != "off" and settings.smooth_strength > 0)
    for start in range(done, len(times), SEGMENT_FRAMES):
        first = max(0, start - WARM_UP) if smoothed else start
        end = min(start + SEGMENT_FRAMES, len(times))
        ahead = settings.look_ahead if smoothed else 0
        yield Span(
            first=first,
            warm_up=start - first,
            count=end - start,
            times=times[first : end + ahead],
            seconds=source.seconds_at(times[first]),
        )


def paint_segment(film: Film, models: Models, span: Span) -> Painted:
    """Paints and encodes one segment.

    Raises:
        InputError: the input is not what it was, or not here.
        VidganError: as :func:`vidgan.jobs.job.stylize`.
    """
    _check_input(film)
    session = _session(_Key(models.usual), models.device)
    guard = Guard(session, lambda: _session(_Key(models.precise), models.device) if models.precise else None)
    try:
        part = _encoded(film, span, session, guard)
    except (_LostError, InputError):
        # Files whose index is wrong, or missing, or that change on the way.
        try:
            part = _encoded(film, replace(span, seconds=None), session, guard)
        except _LostError:
            raise InputError(f"{film.input}: its frames are not those that were found at first") from None
    return Painted(part=part, notices=guard.notices)


def _encoded(film: Film, span: Span, session: Session, guard: Guard) -> EncodedPart:
    settings = film.settings
    yuv = guard.takes_planes or settings.keeps_luma(film.output)
    look_ahead = open_look_ahead(
        settings.smoothing(session.spec), strength=settings.smooth_strength, frames=settings.look_ahead
    )
    with (
        tempfile.TemporaryDirectory(prefix="vidgan-") as folder,
        _excerpt(film, span, yuv=yuv, palette=palette_of(session.spec, settings)) as source,
    ):
        info = settings.output_info(film.input, film.info)
        part = PartWriter(film.output, Path(folder) / "segment.nut", film.encoding, info)
        try:
            run_pipeline(
                source,
                open_effects(guard, session.spec, settings, (info.width, info.height), film.input),
                _Segment(part, span),
                smoother=open_steadier(session, settings, film.input),
                look_ahead=look_ahead,
                workers=_workers(session),
            )
        except BaseException:
            part.abandon()
            raise
        part.finish()
        return EncodedPart(
            data=part.path.read_bytes(), times=part.times, end=part.end, reordered=part.reordered
        )


class _LostError(Exception):
    """What was found at some place of the file is not what was expected there."""


class _Excerpt:
    """The frames of a span, with the film's times."""

    def __init__(self, source: Source, span: Span) -> None:
        self.info = source.info
        self.notices = source.notices
        self._source, self._span = source, span

    def __iter__(self) -> Iterator[Frame]:
        offset: int | None = None
        frames = iter(self._source)
        for pts in self._span.times:
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
        return iter(self._span.times)

    def seconds_at(self, pts: int) -> Fraction | None:
        return self._source.seconds_at(pts)

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.__exit__(kind, exc, trace)


def _excerpt(film: Film, span: Span, *, yuv: bool, palette: Palette | None) -> _Excerpt:
    settings, info = film.settings, film.info
    trim = settings.trim
    if span.seconds is not None:
        trim = Trim(start=span.seconds, frames=len(span.times))
    source = open_source(
        film.input,
        size=f"{info.width}x{info.height}",
        trim=trim,
        rate=settings.rate,
        hwaccel=settings.hwaccel,
        yuv=yuv,
        palette=palette,
    )
    excerpt = _Excerpt(source, span)
    if span.seconds is None:
        excerpt.skip(span.first)
    elif replace(source.info, frame_count=info.frame_count) != info:
        with source:
            raise _LostError
    return excerpt


class _Segment:
    """A sink that keeps the frames of the segment, and no others."""

    def __init__(self, part: PartWriter, span: Span) -> None:
        self.notices: list[str] = []
        self.verification: Verification | None = None
        self._part = part
        self._wanted = set(span.times[span.warm_up : span.warm_up + span.count])

    def write(self, frame: Frame) -> None:
        if frame.pts in self._wanted:
            self._part.write(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


def _check_input(film: Film) -> None:
    try:
        found = identity(film.input)
    except OSError as exc:
        raise InputError(
            f"{film.input}: a worker does not find it; every machine needs it under this name"
        ) from exc
    if found != film.identity:
        raise InputError(f"{film.input}: has changed, or is another file on one of the machines")


class _Key:
    """A model by what is in it, so that it is loaded once in a process."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._checksum = checksum(spec)

    def __hash__(self) -> int:
        return hash(self._checksum)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._checksum == other._checksum


@lru_cache(maxsize=2)
def _session(key: _Key, device: RealDevice) -> Session:
    return Session(key.spec, device=device)


def _workers(session: Session) -> int:
    """A worker of a cluster has one core, or one GPU."""
    return 1 if session.device == "cpu" else session.workers
