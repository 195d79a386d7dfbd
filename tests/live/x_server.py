"""An X server without a monitor, and simulated keyboard and mouse."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1280, 800
NEEDED = "Xvfb", "xdotool", "openbox"
"""Full screen and closing need a window manager; without one, Qt's windows sometimes stay black."""
MISSING = [name for name in NEEDED if shutil.which(name) is None]

_OPENBOX_CONFIG = """<openbox_config xmlns="http://openbox.org/3.4/rc"><applications><application class="*">
<decor>no</decor><position force="yes"><x>0</x><y>0</y></position></application></applications>
<keyboard><keybind key="A-F4"><action name="Close"/></keybind></keyboard></openbox_config>"""
"""Windows without decorations at the upper left, so that their pixels are at known places."""

Screenshot = NDArray[np.uint8]
"""RGB ``(H, W, 3)``."""


_CAPTURE = """
import sys
import av
options = {"video_size": sys.argv[2], "draw_mouse": "0"}
with av.open(sys.argv[1], format="x11grab", options=options) as container:
    frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
sys.stdout.buffer.write(frame.tobytes())
"""
"""A separate process, because x11grab crashes in one that has loaded OpenCV's window library."""


class XServer:
    """Starts Xvfb and a window manager; see Xvfb(1), openbox(1) and xdotool(1).

    Args:
        folder: for the configuration of the window manager.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                "1",
                "-screen",
                "0",
                f"{WIDTH}x{HEIGHT}x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._server.stdout is not None
        self.display = f":{self._server.stdout.readline().strip()}"
        settings = self._folder / "openbox.xml"
        settings.write_text(_OPENBOX_CONFIG)
        env = {**os.environ, "DISPLAY": self.display, "HOME": str(self._folder)}
        self._manager = subprocess.Popen(
            ["openbox", "--config-file", settings],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while subprocess.run(
            ["xdotool", "get_desktop"], env=env, capture_output=True, check=False
        ).returncode:
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manager.terminate()
        self._manager.wait()
        assert self._server.stdout is not None
        with self._server.stdout:
            self._server.terminate()
            self._server.wait()

    def screenshot(self) -> Screenshot:
        done = subprocess.run(
            [sys.executable, "-c", _CAPTURE, self.display, f"{WIDTH}x{HEIGHT}"],
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        )
        return np.frombuffer(done.stdout, np.uint8).reshape(HEIGHT, WIDTH, 3)

    def wait_for(self, condition: Callable[[Screenshot], bool]) -> Screenshot:
        """Takes screenshots until the condition holds."""
        until = time.monotonic() + 60
        while not condition(shot := self.screenshot()):
            if time.monotonic() > until:
                path = self._folder / "failure.png"
                cv2.imwrite(str(path), shot[..., ::-1])
                raise AssertionError(f"the expected image never appeared on the screen, see {path}")
            time.sleep(0.05)
        return shot

    def window(self, title: str = "vidgan") -> str:
        """Waits for a window; returns its id."""
        until = time.monotonic() + 60
        while not (found := self.xdotool("search", "--name", f"^{title}$", check=False).split()):
            assert time.monotonic() < until, f"no window called {title}"
            time.sleep(0.05)
        return found[-1]

    def press(self, *keys: str) -> None:
        self.xdotool("windowfocus", "--sync", self.window())
        for key in keys:
            self.xdotool("key", key)
            time.sleep(0.15)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        self.xdotool("mousemove", *start, "mousedown", 1, "mousemove", *end, "mouseup", 1)

    def xdotool(self, *arguments: object, check: bool = True) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, arguments)],
            env={**os.environ, "DISPLAY": self.display},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=check,
            timeout=60,
        )
        return done.stdout
