"""Windows that Qt takes for invisible, on a real X server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.x_server import MISSING, Screenshot, XServer

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")

_PROGRAM = """
import struct, sys, time
import cv2, numpy as np
from vidgan.live.window.mapping import MappedWindows, _Display

UNMAP_NOTIFY = 18

def show(color, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        cv2.imshow("vidgan", np.full((300, 400, 3), color, np.uint8))
        cv2.waitKey(10)

display = _Display()
print(display.tell_visible(), flush=True)
cv2.namedWindow("vidgan", cv2.WINDOW_NORMAL)
while not display.tell_visible():
    show((0, 0, 250), 0.1)
show((0, 0, 250), 2)
(window,) = [each for each in display._below(display._root, 3) if display._is_own(each)]
event = struct.pack("<BxHIIB19x", UNMAP_NOTIFY, 0, window, window, 0)
display._xcb.xcb_send_event(display._connection, 0, window, 0, event)
display._xcb.xcb_flush(display._connection)
show((0, 0, 250), 1)
print("lost", flush=True)
show((250, 0, 0), 4)
print("unpainted", flush=True)
sys.stdin.readline()
with MappedWindows():
    show((250, 0, 0), 60)
"""
"""A message that the window was unmapped does to Qt what a lost one of its mapping does."""


def _is_blue(shot: Screenshot) -> bool:
    return bool(shot[100:200, 100:200, 2].min() > 200)


def test_a_window_that_qt_takes_for_invisible_is_painted(tmp_path: Path) -> None:
    with XServer(tmp_path) as server:
        program = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "DISPLAY": server.display},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert program.stdin is not None and program.stdout is not None
        with program:
            assert program.stdout.readline() == "0\n", "no window yet"
            assert program.stdout.readline() == "lost\n"
            assert program.stdout.readline() == "unpainted\n"
            assert not _is_blue(server.screenshot())
            program.stdin.write("\n")
            program.stdin.flush()
            server.wait_for(_is_blue)
            program.kill()


def test_without_an_x_server_nothing_happens() -> None:
    program = "from vidgan.live.window.mapping import MappedWindows\nwith MappedWindows(): pass"
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "DISPLAY": ":9999"}, check=True)
