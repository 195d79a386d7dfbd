"""The files that a batch takes: files, folders and patterns."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from vidgan.errors import InputError
from vidgan.jobs.fingerprint import FileFingerprint, file_fingerprint
from vidgan.media.address import not_found
from vidgan.media.encoding import VIDEO_SUFFIXES
from vidgan.sources import READABLE_SUFFIXES

INPUT_SUFFIXES = {
    *VIDEO_SUFFIXES, *READABLE_SUFFIXES,
    ".3gp", ".avi", ".flv", ".gif", ".m2ts", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".vob", ".wmv",
}  # fmt: skip

_WILDCARDS = re.compile(r"[*?\[]")


@dataclass(frozen=True, kw_only=True)
class BatchInputs:
    """Where a batch's files come from.

    Attributes:
        places: files, folders, and patterns such as ``clips/*.mp4``.
        out: folder of the outputs, whose files are never inputs.
        recursive: also take subfolders.
        include, exclude: patterns (``*.mp4``) of names or of paths within a folder; no ``include`` means all.
    """

    places: Sequence[Path]
    out: Path
    recursive: bool = False
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def find(self) -> list[Path]:
        """The files that are there now, each once, in natural order (2 before 10).

        Raises:
            InputError: a place is not there.
        """
        found = {path: None for place in self.places for path in self._files_of(place)}
        return sorted(found, key=natural_key)

    def folder_of(self, path: Path) -> Path:
        """The path of its folder, relative to the place that it was found in."""
        for place in self.places:
            if place.is_dir() and place in path.parents:
                return path.relative_to(place).parent
        return Path()

    def skipped_folders(self) -> list[Path]:
        """Subfolders that have files for a recursive batch."""
        if self.recursive:
            return []
        below = [each for place in self.places if place.is_dir() for each in place.iterdir() if each.is_dir()]
        return sorted(
            each
            for each in below
            if not each.name.startswith(".")
            and each.resolve() != self.out.resolve()
            and any(path.suffix.lower() in INPUT_SUFFIXES for path in each.rglob("*"))
        )

    def _files_of(self, place: Path) -> Iterator[Path]:
        if place.is_dir():
            found = place.rglob("*") if self.recursive else place.iterdir()
            yield from (path for path in found if self._is_wanted(path, place))
        elif place.is_file():
            yield place
        elif _WILDCARDS.search(str(place)):
            anchor = Path(place.anchor or ".")
            pattern = place.relative_to(anchor) if place.anchor else place
            yield from (path for path in anchor.glob(str(pattern)) if self._is_wanted(path, path.parent))
        else:
            raise InputError(not_found(place, "no such file or folder"))

    def _is_wanted(self, path: Path, place: Path) -> bool:
        name = path.relative_to(place).as_posix()
        return (
            path.suffix.lower() in INPUT_SUFFIXES
            and not path.name.startswith(".")
            and self.out.resolve() not in path.resolve().parents
            and path.is_file()
            and (not self.include or _matches(name, self.include))
            and not _matches(name, self.exclude)
        )


class SettledInputs:
    """Finds the inputs that nobody is writing to any more.

    A file is settled once its size and time have not changed for a while by this machine's clock: the time that a file
    has may be of another machine, or of the file that is being copied.

    Args:
        inputs: where they come from.
        seconds: for which nothing has to have changed.
    """

    def __init__(self, inputs: BatchInputs, seconds: float) -> None:
        self._inputs = inputs
        self._seconds = seconds
        self._since: dict[Path, tuple[FileFingerprint, float]] = {}

    def find(self) -> Iterator[tuple[Path, FileFingerprint]]:
        """Yields those that are settled now; to be called again and again."""
        now = time.monotonic()
        for path in self._inputs.find():
            try:
                found = file_fingerprint(path)
            except OSError:
                continue  # Gone since.
            before, since = self._since.get(path, (None, now))
            if before != found:
                self._since[path] = found, now
            elif now - since >= self._seconds:
                yield path, found


def natural_key(path: Path) -> list[tuple[tuple[int, int, str], ...]]:
    """A key that sorts numbers in names by their value."""
    return [tuple(map(_part_key, re.split(r"([0-9]+)", part))) for part in path.parts]


def _part_key(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part.lower())


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, each) or fnmatch(name.rpartition("/")[2], each) for each in patterns)
