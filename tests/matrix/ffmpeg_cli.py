"""Inputs that the ``ffmpeg`` command writes."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .media import Video


def by_ffmpeg(
    folder: Path, *, video: Video, name: str, before: Sequence[str] = (), after: Sequence[str] = ()
) -> Path:
    """A video that ``ffmpeg`` makes into another file.

    Args:
        before, after: options of the input and of the output.

    Raises:
        FileNotFoundError: there is no such command.
    """
    source = video(folder)
    command = [shutil.which("ffmpeg") or "ffmpeg", "-v", "error", "-nostdin"]
    subprocess.run([*command, *before, "-i", source, *after, folder / name], check=True, timeout=60)
    source.unlink()
    return folder / name
