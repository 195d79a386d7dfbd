"""Ctrl-C that gets through.

Python drops a KeyboardInterrupt that comes while it cleans up after a weak reference. So what came is
marked too, and whoever goes round for long looks at the mark.
"""

import signal
import threading
from types import FrameType
from typing import NoReturn

_came = False


def listen() -> None:
    """From now on Ctrl-C and SIGTERM interrupt the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def look() -> None:
    """Raises what was dropped; on other threads than the main one nothing happens.

    Raises:
        KeyboardInterrupt: one came, and did not get through.
    """
    if _came and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    global _came
    _came = True
    raise KeyboardInterrupt
