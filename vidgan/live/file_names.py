"""Names of the files that a live session writes."""

import time
from itertools import count
from pathlib import Path

from vidgan.errors import OutputError


def timestamped_path(folder: Path, suffix: str) -> Path:
    """``vidgan-20250131-235959.png``, with a number appended if that file exists."""
    return unused_path(folder / f"vidgan-{time.strftime('%Y%m%d-%H%M%S')}{suffix}")


def unused_path(path: Path) -> Path:
    """The path itself, or the first of ``name-2``, ``name-3``, … that does not exist."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(each for each in numbered if not each.exists())


def check_not_input(output: Path, source: Path) -> None:
    """Refuses an output that is the input file, also through a symbolic or hard link.

    Raises:
        OutputError: both paths lead to the same file.
    """
    if output.exists() and source.exists() and output.samefile(source):
        raise OutputError(f"{output}: is the input {source} itself; choose another name for the output")
