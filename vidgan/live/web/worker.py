"""Paints one clip that a stranger sent: ``python -m vidgan.live.web.worker``.

A process of its own: what is wrong with a file takes nothing else with it, the live picture is not held up,
and to cancel is to end it.
"""

import contextlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import vidgan
from vidgan.errors import InputError, VidganError
from vidgan.media.frame import VideoInfo

_NICE = 10
_MOST_PIXELS = 4096 * 2304
_MOST_FRAMES = 10 * 60 * 60
"""Ten minutes of 60 a second. A file says of its length what it likes, so frames are counted."""

_SAY_EVERY = 5


def main() -> int:
    """Tells on standard output, a line of JSON each, what it does."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_NICE)
    wanted = json.loads(sys.stdin.readline())
    # Whoever asked keeps the line open; when it breaks, nobody waits for the clip any more.
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    try:
        _say(result=_paint(Path(wanted["input"]), Path(wanted["output"]), wanted["settings"]))
    except VidganError as exc:
        _say(error=str(exc))
    return 0


def _paint(source: Path, output: Path, settings: dict[str, Any]) -> dict[str, Any]:
    def begun(info: VideoInfo) -> None:
        if info.width * info.height > _MOST_PIXELS:
            raise InputError(
                f"{source}: has frames of {info.width}x{info.height}; 4096x2304 is the most here"
            )
        if (info.frame_count or 0) > _MOST_FRAMES:
            raise _too_long(source)
        _say(total=info.frame_count)

    def painted(count: int) -> None:
        if count > _MOST_FRAMES:
            raise _too_long(source)
        if count % _SAY_EVERY == 0:
            _say(done=count)

    result = vidgan.stylize(source, output, on_start=begun, on_frame=painted, **settings)
    return {name: getattr(result, name) for name in ("frames", "width", "height", "notices")}


def _too_long(source: Path) -> InputError:
    return InputError(
        f"{source}: has more than {_MOST_FRAMES} frames, ten minutes of 60 a second; cut it first"
    )


def _say(**news: Any) -> None:
    print(json.dumps(news), flush=True)


def _end_with_the_asker() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
