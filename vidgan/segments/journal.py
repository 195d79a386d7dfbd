"""The journal of an unfinished output, and the folder that it is in: see :mod:`vidgan.segments.store`."""

import contextlib
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

SUFFIX = ".vidgan"
JOURNAL = "journal.jsonl"
LOCK = "lock"

FORMAT = 2
"""Version of the journal. Format 1 had one unnamed state per segment."""

COMPLETE = {"complete": True}
"""The last line of a journal."""

OWN_FILES = re.compile(rf"{JOURNAL}(\.new)?|{LOCK}|vault|(joined|whole)(\..*)?|\d{{5,}}\.(nut|npz)")
"""Names in the folder; nothing else is ever made there. ``whole`` is what ``joined`` was called once."""

_NAME_BYTES = 255
"""That a file's name may have on all common file systems."""

_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, kw_only=True)
class SegmentRecord:
    """A line of the journal: one segment that is complete on disk.

    Attributes:
        times: of its frames, in units of the video's time base.
        end: of the last frame.
        reordered: by how many frames decoding runs ahead of presentation.
        sha256: of the encoded segment.
        state_sha256: of the arrays that stateful steps had after it; None if there are none.
        data: what else steps had, in JSON's own types.
    """

    times: list[int]
    end: int
    reordered: int
    sha256: str
    state_sha256: str | None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """How many."""
        return len(self.times)

    @property
    def start(self) -> int:
        """Time of the first frame."""
        return self.times[0]


def clear_away(output: Path) -> None:
    """Removes what is left of a run that was killed when its output was in its place already.

    Args:
        output: as :class:`vidgan.segments.store.SegmentStore` has it.
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
    """The hidden folder beside an output that holds its segments while it is made."""
    return output.absolute().with_name(hidden_name(output.name, SUFFIX))


def hidden_name(name: str, suffix: str) -> str:
    """``.NAME.SUFFIX``; where that is longer than file systems allow, part of the name and a digest of it."""
    hidden = f".{name}{suffix}"
    if len(os.fsencode(hidden)) <= _NAME_BYTES:
        return hidden
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:_DIGEST_CHARACTERS]
    room = _NAME_BYTES - len(os.fsencode(f".~{digest}{suffix}"))
    head = os.fsencode(name)[:room].decode(errors="ignore")
    return f".{head}~{digest}{suffix}"


def exists(path: Path) -> bool:
    """Whether there is such a file; a name that the system does not allow is none."""
    try:
        return path.exists()
    except OSError:
        return False


def is_delivered(folder: Path, output: Path) -> bool:
    """Whether the output that was made in the folder has gone to its place."""
    journal = folder / JOURNAL
    if not exists(output) or journal.is_symlink():
        return False
    if not journal.is_file():
        # Killed after the very last file was gone.
        return folder.is_dir() and not any(folder.iterdir())
    last = journal.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
    return last == [json.dumps(COMPLETE)] and not any(folder.glob("joined.*"))


def read_journal(path: Path) -> tuple[Any, list[SegmentRecord]]:
    """The job's fingerprint, and the segments up to a line that was cut off.

    A journal of another format comes without its segments and without the versions in its fingerprint, so
    that it belongs to no job of this version.
    """
    if not path.is_file():
        return None, []
    first, *lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    try:
        head = json.loads(first)
        fingerprint = head["facts"]
        current = head.get("format") == FORMAT
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, []
    if not current:
        return ({**fingerprint, "versions": None} if isinstance(fingerprint, dict) else None), []
    segments: list[SegmentRecord] = []
    for line in lines:
        record = _record(line)
        if record is None:
            break
        segments.append(record)
    return fingerprint, segments


def head_of(fingerprint: Any, notes: dict[str, Any]) -> dict[str, Any]:
    """The first line of a journal."""
    return {"format": FORMAT, "facts": fingerprint, "notes": notes}


def read_notes(path: Path) -> dict[str, Any]:
    """The header of a journal beside the fingerprint; empty where it cannot be read."""
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


def _record(line: str) -> SegmentRecord | None:
    try:
        record = SegmentRecord(**json.loads(line))
        numbers = (*record.times, record.end, record.reordered)
    except (ValueError, TypeError, RecursionError):
        return None
    valid = record.times and isinstance(record.data, dict) and all(isinstance(each, int) for each in numbers)
    return record if valid else None
