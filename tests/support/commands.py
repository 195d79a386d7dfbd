"""Running vidgan as a user does: as a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "samples"


def vidgan(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vidgan", *map(str, arguments)],
        capture_output=True,
        text=True,
        **{"timeout": 240} | options,
    )


def assert_one_clear_error(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It failed with exit code 1, one line that has all the words, and no traceback."""
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith(("error:", "Error:"))]
    assert len(errors) == 1 and "Traceback" not in done.stderr, done.stderr
    for word in words:
        assert word in errors[0]
