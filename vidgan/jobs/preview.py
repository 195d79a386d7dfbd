"""A preview: a few frames of a job before and after, or all that it follows, as one image, before a long run."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vidgan.jobs.plan import JobRequest, open_input, plan_job
from vidgan.jobs.runner import LocalBackend
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.media.trim import WHOLE, Trim
from vidgan.session import Device
from vidgan.sinks import check_output, open_sink

_FRAMES = 4
_WIDTH = 480
"""Width of one image of the sheet, in pixels."""
_GAP = 4


def preview(request: JobRequest, sheet: Path, *, device: Device = "auto", overwrite: bool = False) -> str:
    """Writes an image of what the job makes of its input.

    Of a task that follows something, all of it: a row for each face, or the poses. Otherwise frames that are spread
    over the input: inputs in the left column, outputs in the right one; temporal filters are not shown then, since
    they take effect over neighboring frames.

    Args:
        request: the job; its output is not written.
        sheet: an image file.

    Returns:
        What is in it.

    Raises:
        VidganError: as of :func:`vidgan.run`.
    """
    check_output(sheet, overwrite=overwrite)
    backend = LocalBackend(request, device)
    drawn, summary = _overview(request, backend)
    if not drawn:
        drawn = [_row(request, backend, frame, info) for frame, info in _spread(request, backend)]
        count = f"{len(drawn)} frame{'s' if len(drawn) > 1 else ''} before and after"
        summary = f"{count}, {summary}" if summary else count
    image = RgbImage(_stacked(drawn))
    width, height = image.size
    info = VideoInfo(width=width, height=height, time_base=Fraction(1))
    with open_sink(sheet, info, overwrite=overwrite) as sink:
        sink.write(Frame(image=image, pts=0, time_base=Fraction(1)))
    return summary


def _overview(request: JobRequest, backend: LocalBackend) -> tuple[list[Pixels], str]:
    """Images of what the steps follow, and in words what; nothing where none follows anything."""
    with open_input(request, backend.models) as source:
        chain, _ = backend.open_chain(plan_job(request, backend.models, backend.device, source.info))
        overviews = chain.begin_overviews()
        if not overviews:
            return [], ""
        for _ in chain.run(source, {"effect": 0.0, "smooth": 0.0}):
            pass
    drawn = [each.draw() for each in overviews]
    return [each for each in drawn if each is not None], ", ".join(each.summary for each in overviews)


def _stacked(rows: Sequence[Pixels]) -> Pixels:
    """Under each other, with gaps."""
    width = max(row.shape[1] for row in rows)
    return np.vstack(
        [np.pad(row, ((0, _GAP), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    )


def _row(request: JobRequest, backend: LocalBackend, frame: Frame, info: VideoInfo) -> Pixels:
    chain, _ = backend.open_chain(plan_job(request, backend.models, backend.device, info))
    (output,) = chain.run([frame], {"effect": 0.0, "smooth": 0.0})
    gap = np.full((_height(output.frame), _GAP, 3), 255, np.uint8)
    return np.hstack(
        [_fitted(frame, _height(output.frame)), gap, _fitted(output.frame, _height(output.frame))]
    )


def _spread(request: JobRequest, backend: LocalBackend) -> Iterator[tuple[Frame, VideoInfo]]:
    """Frames at equal distances of the part that is wanted."""
    if request.input.kind != "video":
        with open_input(request, backend.models) as source:
            yield next(iter(source)), source.info
        return
    for start in _starts(request, backend):
        settings = replace(request.settings, trim=Trim(start=start, frames=1))
        with open_input(replace(request, settings=settings), backend.models) as source:
            for frame in source:
                # As in the whole job.
                shift = (start - request.settings.trim.start) / frame.time_base
                yield frame.at(frame.pts + round(shift)), source.info


def _starts(request: JobRequest, backend: LocalBackend) -> list[Fraction]:
    trim = request.settings.trim
    whole = replace(request, settings=replace(request.settings, trim=WHOLE))
    with open_input(whole, backend.models) as source:
        info = source.info
    length = Fraction(info.frame_count or 1) / (info.frame_rate or Fraction(25))
    end = min(trim.end or length, length)
    step = max(Fraction(0), end - trim.start) / _FRAMES
    return [trim.start + index * step for index in range(_FRAMES if step else 1)]


def _height(frame: Frame) -> int:
    width, height = frame.size
    return max(1, round(height * _WIDTH / width))


def _fitted(frame: Frame, height: int) -> Pixels:
    size = (_WIDTH, height)
    interpolation = cv2.INTER_AREA if frame.size[0] > _WIDTH else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(frame.over_black().pixels, size, interpolation=interpolation), np.uint8)
