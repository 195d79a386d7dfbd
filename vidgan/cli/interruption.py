"""Ctrl-C that gets through.

A first Ctrl-C raises KeyboardInterrupt on the main thread, and ends models that go on running for longer than
half a second. A second one ends the process, whatever it is doing.

Python drops a KeyboardInterrupt that comes while it cleans up after a weak reference, and prints where. So
what came is marked too, whoever goes round for long looks at the mark, and nothing is printed.
"""

import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_came = False
_told: socket.socket | None = None

_INTERRUPTED = 130
_PATIENCE_SECONDS = 0.4
_LOOK_SECONDS = 0.2


def listen() -> None:
    """From now on Ctrl-C and SIGTERM interrupt the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    _watch()
    sys.unraisablehook = _tell_of_others


def came() -> bool:
    """Whether Ctrl-C or SIGTERM came."""
    return _came


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


def _watch() -> None:
    """Signals are told to a thread of its own, too: the main thread hears of none while it is within a library."""
    global _told
    stop_watching()
    read, _told = socket.socketpair()
    _told.setblocking(False)
    signal.set_wakeup_fd(_told.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_end, args=(read,), name="vidgan-signals", daemon=True).start()


def stop_watching() -> None:
    """Ends the thread that hears of signals beside the main thread."""
    global _told
    if _told is not None:
        signal.set_wakeup_fd(-1)
        _told.close()
        _told = None


def _end(read: socket.socket) -> None:
    came = 0
    with read:
        while came < 2:
            if came == 1 and not _readable(read):
                _terminate_runs()
                continue
            numbers = read.recv(16)
            if not numbers:
                return
            came += sum(number in (signal.SIGINT, signal.SIGTERM) for number in numbers)
    os._exit(_INTERRUPTED)


def _readable(read: socket.socket) -> bool:
    read.settimeout(_LOOK_SECONDS)
    try:
        read.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return False
    return True


def _terminate_runs() -> None:
    """Where models run at all."""
    termination = sys.modules.get("vidgan.session.termination")
    if termination is not None:
        termination.terminate_runs(older_than_seconds=_PATIENCE_SECONDS)
