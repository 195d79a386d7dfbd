"""What windows need of the libraries that OpenCV and PyAV both bring."""

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

_PROGRAM = """
import click
from vidgan.cli import cli
context = click.Context(cli)
cli.get_command(context, "live").get_params(context)
import av, cv2
print(*{line.split()[-1] for line in open("/proc/self/maps") if "libxcb-shm" in line}, sep="\\n")
"""


def test_x11_libraries_are_those_of_opencv() -> None:
    """With PyAV's copies, windows stay black or hang; the options of 'vidgan live' load both packages."""
    bundled = [*Path(cv2.__file__).parents[1].glob("opencv_python*.libs/libxcb-shm-*")]
    if not bundled or not Path("/proc/self/maps").exists():
        pytest.skip("this OpenCV brings no X11 libraries")
    loaded = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
    ).stdout
    assert loaded.split() == [str(path) for path in bundled]
