"""Test whether a window can be opened. Must run before PyAV is imported, so this module does not import it."""

import contextlib
import ctypes
import subprocess
import sys
from pathlib import Path

import cv2

from vidgan.errors import OutputError

_PROBE = "import cv2; cv2.namedWindow('vidgan'); cv2.waitKey(1)"
_SHARED_LIBRARIES = "libxcb-shm-*", "libxcb-shape-*", "libxcb-xfixes-*"
"""X11 libraries that OpenCV and PyAV both bundle under the same names."""


def open_display() -> None:
    """Prepares for windows.

    The test runs in a process of its own, because Qt aborts the process where no window can be opened.

    Raises:
        OutputError: no window can be opened.
    """
    probe = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, check=False)
    if probe.returncode:
        raise OutputError(
            "no window can be opened: there is no display, or OpenCV was built without windows; "
            "`web` shows the output in a browser, `window=False` runs without"
        )
    # The copy that is loaded first serves both. PyAV's copies use another libxcb than OpenCV's windows do; both then
    # wait for each other's replies, and windows stay black or hang.
    for pattern in _SHARED_LIBRARIES:
        for library in Path(cv2.__file__).parents[1].glob(f"opencv_python*.libs/{pattern}"):
            with contextlib.suppress(OSError):
                ctypes.CDLL(str(library))
