"""Ctrl-C that gets through.

Python drops a KeyboardInterrupt that comes while it cleans up after a weak reference, and prints where. So
what came is marked too, whoever goes round for long looks at the mark, and nothing is printed.
"""

import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_came = False


def listen() -> None:
    """From now on Ctrl-C and SIGTERM interrupt the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    sys.unraisablehook = _tell_of_others


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


def _tell_of_others(dropped: "UnraisableHookArgs") -> None:
    """A KeyboardInterrupt that was dropped is marked, and no news."""
    if dropped.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(dropped)
