"""Whether a window can be opened; to be asked before PyAV is imported, which is why this does not."""

import contextlib
import ctypes
import subprocess
import sys
from pathlib import Path

import cv2

from vidgan.errors import OutputError

_TRY = "import cv2; cv2.namedWindow('vidgan'); cv2.waitKey(1)"
_SHARED = "libxcb-shm-*", "libxcb-shape-*", "libxcb-xfixes-*"
"""Libraries of X that OpenCV and PyAV both bring, by the same names."""


def open_display() -> None:
    """Makes ready for windows, or says that none can be opened.

    It is tried in a process of its own, since where none can be opened Qt ends the process.

    Raises:
        OutputError: none can be opened.
    """
    tried = subprocess.run([sys.executable, "-c", _TRY], capture_output=True, check=False)
    if tried.returncode:
        raise OutputError(
            "no window can be opened: there is no display here, or OpenCV is built without windows; "
            "--no-window goes without"
        )
    # Whoever is loaded first lends them to the other. Those of PyAV speak to X through a library of its own,
    # beside that of OpenCV's windows, and both wait for the other's answers: windows stay black, or hang.
    for pattern in _SHARED:
        for library in Path(cv2.__file__).parents[1].glob(f"opencv_python*.libs/{pattern}"):
            with contextlib.suppress(OSError):
                ctypes.CDLL(str(library))
