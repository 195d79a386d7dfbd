"""Names of the files that a live session writes."""

import time
from itertools import count
from pathlib import Path


def timestamped_path(folder: Path, suffix: str) -> Path:
    """``vidgan-20250131-235959.png``, with a number appended if that file exists."""
    return unused_path(folder / f"vidgan-{time.strftime('%Y%m%d-%H%M%S')}{suffix}")


def unused_path(path: Path) -> Path:
    """The path itself, or the first of ``name-2``, ``name-3``, … that does not exist."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(each for each in numbered if not each.exists())
