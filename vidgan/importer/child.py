"""The process that examines a foreign model: ``python -m vidgan.importer.child FOLDER``.

A request in JSON comes on stdin, messages in JSON go to stdout, one a line. Limits are set before anything of
the file is read.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from vidgan.session.limits import set_limits

_OUT_OF_MEMORY = "bad alloc", "bad_alloc", "Failed to allocate", "cannot allocate", "MemoryError"


def main() -> None:
    folder = Path(sys.argv[1])
    entries = json.loads(sys.stdin.readline())
    send = messages()
    path = Path(entries["file"])
    set_limits(path.stat().st_size if path.is_file() else 0)
    send({"step": "starting"})
    from vidgan.errors import VidganError
    from vidgan.importer.convention import Hints
    from vidgan.importer.examination import Request, examine

    hints = Hints(**entries.pop("hints"))
    origin = entries.pop("origin")
    request = Request(**entries, hints=hints, origin=tuple(origin) if origin else None)
    try:
        send(examine(request, folder, lambda step: send({"step": step})))
    except MemoryError:
        send({"error": "needs more memory than an examination may take"})
    except VidganError as exc:
        text = str(exc)
        if any(words in text for words in _OUT_OF_MEMORY):
            text = "needs more memory than an examination may take"
        send({"error": text})
    except Exception as exc:  # Whatever a foreign file causes is said in one line.
        send({"error": f"cannot be examined: {type(exc).__name__}: {' '.join(str(exc).split())[:200]}"})


def messages() -> Any:
    """Writes to what was stdout; what libraries print goes nowhere."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    if "VIDGAN_DEBUG" not in os.environ:
        os.dup2(nothing, 2)

    def send(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    return send


if __name__ == "__main__":
    main()
