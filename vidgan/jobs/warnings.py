"""Sentences about a job: options that had no effect, an interrupted run, and what the output has lost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from vidgan.jobs.plan import Plan
from vidgan.media.encoding import DEFAULT_ENCODER
from vidgan.segments.store import SegmentStore
from vidgan.sinks import Sink, numbered
from vidgan.sources import open_source

_CHECKED_FRAMES = 10
"""Frames of a finished video of label maps whose colors are checked."""


def unused_encoder(plan: Plan) -> Iterator[str]:
    if plan.output.kind != "video" and plan.encoder != DEFAULT_ENCODER:
        yield f"{plan.output.path}: is no video; the encoder and its options were not used"


def changed_sides(plan: Plan) -> Iterator[str]:
    if (fitted := plan.even_sides) is not None:
        width, height = fitted.size
        done = "cropped" if plan.settings.even == "crop" else "padded"
        yield (
            f"{plan.output.path}: odd sides were {done} to {width}x{height}, as most "
            "players need; `even='444'` keeps them"
        )


def findings(plan: Plan, sink: Sink) -> Iterator[str]:
    """Warnings about what the finished output has lost."""
    if plan.output.kind == "stdout" and plan.request.provenance.credentials:
        yield "standard output: is not signed, since there is no place for credentials in it"
    output, found = plan.output.path, sink.verification
    if plan.palette is not None and not _keeps_colors(plan):
        where = "standard output" if plan.output.kind == "stdout" else str(output)
        yield f"{where}: compression changed the colors of classes; .mkv, .mp4, .png keep them, with no `encoder`"
    if found is not None and found.missing_tags:
        yield f"{output}: without tags that such files have no place for: {', '.join(found.missing_tags)}"


def _keeps_colors(plan: Plan) -> bool:
    """Whether the first label maps of the output have exactly the palette's colors."""
    palette, output = plan.palette, plan.output
    # Standard output has subsampled chroma, and is gone.
    if palette is None or output.kind == "stdout":
        return palette is None
    first = numbered(output.path, 1) if output.kind == "images" else output.path
    with open_source(first) as source:
        return all(palette.exact(frame.pixels) for frame in islice(source, _CHECKED_FRAMES))


def resume_warnings(store: SegmentStore) -> list[str]:
    """Warnings about an interrupted run."""
    if store.frames:
        return [f"{store.output}: continued after frame {store.frames} of an interrupted run"]
    if store.discarded:
        return [f"{store.output}: an interrupted run had other settings or another input; begun anew"]
    return []
