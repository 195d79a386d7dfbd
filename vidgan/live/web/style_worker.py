"""Makes the style of one image: ``python -m vidgan.live.web.style_worker``.

A job is one line of JSON on standard input: paths ``image`` and ``folder``. The answer is a line of JSON: ``model``,
the path of a file in the folder, and ``warnings``; or ``error``. A process of its own, since a file may be malicious.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from vidgan.errors import InputError, VidganError
from vidgan.sources.header import size_of
from vidgan.tasks.style.images import style_of

_NICE = 10
_MAX_PIXELS = 64_000_000


def main() -> int:
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_NICE)
    job = json.loads(sys.stdin.readline())
    try:
        answer = _made(Path(job["image"]), Path(job["folder"]))
    except VidganError as exc:
        answer = {"error": str(exc)}
    print(json.dumps(answer), flush=True)
    return 0


def _made(image: Path, folder: Path) -> dict[str, Any]:
    width, height = size_of(image.read_bytes()) or (0, 0)
    if width * height > _MAX_PIXELS:
        raise InputError(f"{image}: {width}x{height} pixels are too many; the limit here is 64 megapixels")
    made = style_of([(str(image), 1.0)], root=folder)
    # The last warning tells where the style is kept.
    return {"model": str(made.folder / "int8.onnx"), "warnings": list(made.warnings[:-1])}


if __name__ == "__main__":
    sys.exit(main())
