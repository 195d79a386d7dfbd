"""Names of files that are made while it is live."""

import time
from itertools import count
from pathlib import Path


def dated(folder: Path, suffix: str) -> Path:
    """``vidgan-20250131-235959.png``, or with a number behind it where that is taken."""
    return free(folder / f"vidgan-{time.strftime('%Y%m%d-%H%M%S')}{suffix}")


def free(path: Path) -> Path:
    """The name, or the first of ``name-2``, ``name-3``, … that is not taken."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return path if not path.exists() else next(name for name in names if not name.exists())
