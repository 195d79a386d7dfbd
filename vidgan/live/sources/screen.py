"""The screen, or a part of it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import av

from vidgan.errors import InputError
from vidgan.live.sources.stream import decoded_at_once

_RATE = "30"
_REGION = re.compile(r"(\d+x\d+)(?:\+(\d+)\+(\d+))?")
_OFFSETS = {"x11grab": ("grab_x", "grab_y"), "gdigrab": ("offset_x", "offset_y")}
_BUFFER = 1 << 20
_IN = {"probesize": "200000", "analyzeduration": "100000"}


class ScreenSource:
    """See :class:`vidgan.live.sources.LiveSource`.

    Args:
        region: ``"640x360+100+50"``: how large, and how far from the left and the top; empty for all of it.

    Raises:
        InputError: it is no region, there is no screen, or none that FFmpeg can look at.
    """

    name = "screen"
    returns = True
    rate = 0.0

    def __init__(self, region: str = "") -> None:
        self._wanted = {**_screen(), "options": {"framerate": _RATE}}
        if region:
            self._wanted["options"] |= _placed(region, self._wanted["format"])

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        with subprocess.Popen(
            [sys.executable, "-m", "vidgan.live.sources.grab"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as grabber:
            assert grabber.stdin is not None and grabber.stderr is not None
            try:
                grabber.stdin.write(json.dumps(self._wanted).encode() + b"\n")
                grabber.stdin.close()
                with av.open(grabber.stdout, "r", format="nut", options=_IN, buffer_size=_BUFFER) as given:
                    yield from decoded_at_once(given, self)
                raise InputError("screen: broke off")
            except (av.error.FFmpegError, OSError) as exc:
                lines = grabber.stderr.read().decode(errors="replace").split("\n")
                reason = next((line for line in reversed(lines) if line.strip()), "broke off")
                raise InputError(f"screen: cannot be looked at: {reason.strip()}") from exc
            finally:
                grabber.kill()


def _screen() -> dict[str, Any]:
    """What FFmpeg is to open."""
    if sys.platform == "win32":
        return {"format": "gdigrab", "address": "desktop"}
    if sys.platform == "linux":
        if display := os.environ.get("DISPLAY"):
            return {"format": "x11grab", "address": display}
        raise InputError("screen: there is none to look at; DISPLAY is not set")
    raise InputError("screen: can be looked at on X11 and Windows only; cameras of this system may list it")


def _placed(region: str, muxer: str) -> dict[str, str]:
    found = _REGION.fullmatch(region)
    if found is None:
        raise InputError(f"--screen {region}: is no region, such as 640x360+100+50")
    size, left, top = found.groups(default="0")
    return {"video_size": size, **dict(zip(_OFFSETS[muxer], (left, top), strict=True))}
