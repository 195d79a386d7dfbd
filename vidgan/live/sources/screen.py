"""The screen or a region of it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import av

from vidgan.errors import InputError
from vidgan.live.sources.stream import decode_low_delay

_FRAME_RATE = "30"
_REGION = re.compile(r"(\d+x\d+)(?:\+(\d+)\+(\d+))?")
_OFFSETS = {"x11grab": ("grab_x", "grab_y"), "gdigrab": ("offset_x", "offset_y")}
_BUFFER_BYTES = 1 << 20
_PROBING = {"probesize": "200000", "analyzeduration": "100000"}


class ScreenSource:
    """The screen; see :class:`vidgan.live.sources.LiveSource`.

    Args:
        region: width, height and offset such as ``"640x360+100+50"``; empty for the entire screen.

    Raises:
        InputError: the region is malformed, or FFmpeg cannot capture the screen of this system.
    """

    name = "screen"
    reconnects = True
    frame_rate = 0.0
    audio = None

    def __init__(self, region: str = "") -> None:
        self._request = {**_device(), "options": {"framerate": _FRAME_RATE}}
        if region:
            self._request["options"] |= _region_options(region, self._request["format"])

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        with subprocess.Popen(
            [sys.executable, "-m", "vidgan.live.sources.grab"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as grabber:
            assert grabber.stdin is not None and grabber.stderr is not None
            try:
                grabber.stdin.write(json.dumps(self._request).encode() + b"\n")
                grabber.stdin.close()
                with av.open(
                    grabber.stdout, "r", format="nut", options=_PROBING, buffer_size=_BUFFER_BYTES
                ) as container:
                    yield from decode_low_delay(container, self)
                raise InputError("`screen`: broke off")
            except (av.error.FFmpegError, OSError) as exc:
                lines = grabber.stderr.read().decode(errors="replace").split("\n")
                reason = next((line for line in reversed(lines) if line.strip()), "broke off")
                raise InputError(f"`screen`: cannot be captured: {reason.strip()}") from exc
            finally:
                grabber.kill()


def _device() -> dict[str, Any]:
    """FFmpeg's capture device of this system."""
    if sys.platform == "win32":
        return {"format": "gdigrab", "address": "desktop"}
    if sys.platform == "linux":
        if display := os.environ.get("DISPLAY"):
            return {"format": "x11grab", "address": display}
        raise InputError("`screen`: there is no display to capture; DISPLAY is not set")
    raise InputError("`screen`: capture works on X11 and Windows only; 'vidgan cameras' may list the screen")


def _region_options(region: str, device: str) -> dict[str, str]:
    match = _REGION.fullmatch(region)
    if match is None:
        raise InputError(f"`screen` {region}: is not a region; give WxH+X+Y such as 640x360+100+50")
    size, left, top = match.groups(default="0")
    return {"video_size": size, **dict(zip(_OFFSETS[device], (left, top), strict=True))}
