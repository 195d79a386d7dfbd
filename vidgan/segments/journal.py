"""What is written down of a film in the making, and where: see :mod:`vidgan.segments.store`."""

import contextlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

SUFFIX = ".vidgan"
JOURNAL = "journal.jsonl"
LOCK = "lock"

COMPLETE = {"complete": True}
"""The last line of a journal."""

OWN_FILES = re.compile(rf"{JOURNAL}(\.new)?|{LOCK}|whole(\..*)?|\d{{5,}}\.(nut|npz)")
"""Names in the folder; nothing else is ever made there."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A line of the journal.

    Attributes:
        times: of its frames, in units of the film's time base.
        end: of the last frame.
        reordered: by how many frames decoding runs ahead of showing.
        sha256: of the encoded segment.
        state_sha256: of the smoother's state after it; None if there is none.
    """

    times: list[int]
    end: int
    reordered: int
    sha256: str
    state_sha256: str | None

    @property
    def frames(self) -> int:
        return len(self.times)

    @property
    def start(self) -> int:
        return self.times[0]


def clear_away(output: Path) -> None:
    """Removes what is left of a run that was killed when its film was in its place already.

    Args:
        output: as :class:`Parts` has it.
    """
    folder = folder_of(output)
    if is_delivered(folder, output):
        with contextlib.suppress(OSError, Timeout), FileLock(folder / LOCK).acquire(timeout=0):
            remove(folder)


def remove(folder: Path) -> None:
    """Removes the folder, the journal last, because without it the next run would not know the rest."""
    if folder.is_symlink():
        return
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if entry.name != JOURNAL and not entry.is_dir():
                entry.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def folder_of(output: Path) -> Path:
    """Where the parts of a film are while it is made."""
    return output.absolute().with_name(f".{output.name}{SUFFIX}")


def is_delivered(folder: Path, output: Path) -> bool:
    """Whether the film that was made in the folder has gone to its place."""
    journal = folder / JOURNAL
    if not output.exists() or journal.is_symlink():
        return False
    if not journal.is_file():
        # Killed after the very last file was gone.
        return folder.is_dir() and not any(folder.iterdir())
    last = journal.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
    return last == [json.dumps(COMPLETE)] and not any(folder.glob("whole.*"))


def read_journal(path: Path) -> tuple[Any, list[Segment]]:
    """The facts, and the segments up to a line that was cut off."""
    if not path.is_file():
        return None, []
    first, *lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    try:
        facts = json.loads(first)["facts"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, []
    segments: list[Segment] = []
    for line in lines:
        try:
            segment = Segment(**json.loads(line))
            numbers = (*segment.times, segment.end, segment.reordered)
        except (ValueError, TypeError, RecursionError):
            break
        if not segment.times or not all(isinstance(each, int) for each in numbers):
            break
        segments.append(segment)
    return facts, segments


def read_notes(path: Path) -> dict[str, Any]:
    """What a journal says beside the facts; empty where it says nothing that can be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            notes = json.loads(lines.readline())["notes"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return notes if isinstance(notes, dict) else {}


def append(path: Path, entry: dict[str, Any]) -> None:
    """Adds a line that is on the disk when this returns."""
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(entry) + "\n")
        lines.flush()
        os.fsync(lines.fileno())
