"""Words for people, and reports in JSON for other programs."""

import json
import os
from pathlib import Path
from typing import Any

from vidgan.errors import OutputError


def write_report(path: Path, entries: Any) -> None:
    """Writes them to a file that appears when it is complete; an older one is replaced.

    Raises:
        OutputError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise OutputError(f"{path}: the report cannot be written: {exc.strerror}") from exc


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """``0:01:30``."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
