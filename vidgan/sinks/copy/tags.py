"""Tags and chapters of an input, for an output whose video was made anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from av.container import InputContainer

from vidgan.media.timeline import Timeline

if TYPE_CHECKING:
    from av.container.core import Chapter

_OF_THE_FILE = {"encoder", "major_brand", "minor_version", "compatible_brands", "creation_tool"}
_OF_THE_ENCODING = {"encoder"}
"""Tags, in small letters, that say how a file or its video was made: the output was made otherwise."""

_STATISTICS = re.compile(
    r"(_statistics_.*|bps|duration|number_of_(frames|bytes)|source_id)(-\w+)?", re.IGNORECASE
)
"""Statistics that mkvmerge writes about a stream; they are wrong for one that was encoded or cut."""

_NO_DATE = re.compile(r"1970-01-01T00:00:00(\.0+)?Z?")
"""The creation time that FFmpeg reads where a camera or an editor had no clock; it does not write it."""

_BINARY = re.compile(r"\S{1000}")
"""In a tag: what is no text, such as the cover in METADATA_BLOCK_PICTURE."""

_APPLE = "com.apple.quicktime."
_ANDROID = "com.android."


def file_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags of the container that hold for the output too."""
    return _without(tags, _OF_THE_FILE)


def text_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that hold no image."""
    return {key: value for key, value in tags.items() if not _BINARY.search(value)}


def stream_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags of a stream that hold for its copy too."""
    return _without(tags, _OF_THE_ENCODING)


def tag_options(tags: Mapping[str, str], muxer: str) -> dict[str, str]:
    """Options of the muxer that the tags need.

    Phones keep place, date and model under names of their own, for which mp4 and mov have no fields; FFmpeg
    writes them as keys (``mdta``) when it is asked to, and all others with them.
    """
    if muxer in ("mp4", "mov") and any(key.startswith((_APPLE, _ANDROID)) for key in tags):
        return {"movflags": "+use_metadata_tags"}
    return {}


def output_chapters(source: InputContainer, timeline: Timeline) -> list[Chapter]:
    """The chapters of the part that is wanted, at the output's times."""
    found = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, 1_000_000)
        start = max(timeline.map(chapter["start"] * base), Fraction(0))
        end = timeline.map(chapter["end"] * base)
        end = end if timeline.end is None else min(end, timeline.end)
        if end > start:
            found.append({**chapter, "start": round(start / base), "end": round(end / base)})
    return found  # type: ignore[return-value]


def _without(tags: Mapping[str, str], unwanted: set[str]) -> dict[str, str]:
    return {
        key: value
        for key, value in tags.items()
        if key.lower() not in unwanted
        and not _STATISTICS.fullmatch(key)
        and not (key == "creation_time" and _NO_DATE.fullmatch(value))
    }
