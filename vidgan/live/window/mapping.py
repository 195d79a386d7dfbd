"""Telling Qt that its windows are visible, in case that it missed the message.

Qt 5.15, which OpenCV's windows are made of, loses a batch of X11 events in 1 to 10 of 100 starts on a busy machine.
If the one that says that a window was mapped is among them, Qt takes the window for invisible and it stays black.
"""

import contextlib
import ctypes
import os
import struct
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

_SECONDS = 1.0
_MAP_NOTIFY = 19
_VIEWABLE = 2
_LARGEST = 1 << 20
_DEEPEST = 3
"""Window managers put a window into one or two of theirs."""


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Screens(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.POINTER(ctypes.c_uint32)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


class MappedWindows:
    """Tells Qt of this process's visible windows after 1, 2, 4, 8 seconds and so on, within its ``with`` block.

    Does nothing where there is no X server, or no libxcb.
    """

    def __init__(self) -> None:
        self._stopped = threading.Event()
        # On a thread of its own: the one of the windows loses keys whenever it waits.
        self._thread = threading.Thread(target=self._run, name="vidgan-windows", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(OSError), contextlib.closing(_Display()) as display:
            pause = _SECONDS
            while not self._stopped.wait(pause):
                display.tell_visible()
                pause *= 2


class _Display:
    """A connection of its own to the X server; see X Protocol(7) and xcb_send_event(3).

    Raises:
        OSError: there is no X server, or no libxcb.
    """

    def __init__(self) -> None:
        self._xcb = _library()
        self._connection = ctypes.c_void_p(self._xcb.xcb_connect(None, None))
        if self._xcb.xcb_connection_has_error(self._connection):
            self._xcb.xcb_disconnect(self._connection)
            raise OSError("no connection to an X server")
        setup = ctypes.c_void_p(self._xcb.xcb_get_setup(self._connection))
        self._root = self._xcb.xcb_setup_roots_iterator(setup).data[0]
        self._pid_atom = self._atom(b"_NET_WM_PID")

    def close(self) -> None:
        self._xcb.xcb_disconnect(self._connection)

    def tell_visible(self) -> int:
        """Sends a MapNotify to the visible windows of this process; returns how many there are."""
        own = [window for window in self._below(self._root, _DEEPEST) if self._is_own(window)]
        visible = [window for window in own if self._is_viewable(window)]
        for window in visible:
            event = struct.pack("<BxHIIB19x", _MAP_NOTIFY, 0, window, window, 0)
            # Without a mask it goes to the client that made the window, and to no window manager.
            self._xcb.xcb_send_event(self._connection, 0, window, 0, event)
        self._xcb.xcb_flush(self._connection)
        return len(visible)

    def _below(self, window: int, depth: int) -> Iterator[int]:
        reply = self._reply("query_tree", window)
        if reply is None:
            return
        children = struct.unpack_from(f"<{struct.unpack_from('<H', reply, 16)[0]}I", reply, 32)
        for child in children:
            yield child
            if depth > 1:
                yield from self._below(child, depth - 1)

    def _is_own(self, window: int) -> bool:
        reply = self._reply("get_property", 0, window, self._pid_atom, 0, 0, 1)
        if reply is None or struct.unpack_from("<I", reply, 16)[0] < 1:
            return False
        return bool(struct.unpack_from("<I", reply, 32)[0] == os.getpid())

    def _is_viewable(self, window: int) -> bool:
        reply = self._reply("get_window_attributes", window)
        return reply is not None and reply[26] == _VIEWABLE

    def _atom(self, name: bytes) -> int:
        reply = self._reply("intern_atom", 0, len(name), name)
        return 0 if reply is None else int(struct.unpack_from("<I", reply, 8)[0])

    def _reply(self, request: str, *arguments: Any) -> bytes | None:
        """The bytes of a reply, 32 and what follows; None where the window is gone."""
        error = ctypes.c_void_p()
        cookie = getattr(self._xcb, f"xcb_{request}")(self._connection, *arguments)
        reply = getattr(self._xcb, f"xcb_{request}_reply")(self._connection, cookie, ctypes.byref(error))
        if error:
            _free(error)
        if not reply:
            return None
        words = min(struct.unpack("<I", ctypes.string_at(reply + 4, 4))[0], _LARGEST)
        found = ctypes.string_at(reply, 32 + 4 * words)
        _free(ctypes.c_void_p(reply))
        return found


def _library() -> Any:
    xcb = ctypes.CDLL("libxcb.so.1")
    connection, window, byte = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint8
    xcb.xcb_connect.restype = xcb.xcb_get_setup.restype = ctypes.c_void_p
    xcb.xcb_setup_roots_iterator.restype = _Screens
    for name in ("xcb_connection_has_error", "xcb_disconnect", "xcb_get_setup", "xcb_flush"):
        getattr(xcb, name).argtypes = (connection,)
    xcb.xcb_send_event.argtypes = connection, byte, window, ctypes.c_uint32, ctypes.c_char_p
    xcb.xcb_send_event.restype = _Cookie
    for request, arguments in {
        "query_tree": (window,),
        "get_window_attributes": (window,),
        "get_property": (byte, window, *(ctypes.c_uint32,) * 4),
        "intern_atom": (byte, ctypes.c_uint16, ctypes.c_char_p),
    }.items():
        asked, answered = (getattr(xcb, f"xcb_{request}{end}") for end in ("", "_reply"))
        asked.argtypes, asked.restype = (connection, *arguments), _Cookie
        answered.argtypes = connection, _Cookie, ctypes.POINTER(ctypes.c_void_p)
        answered.restype = ctypes.c_void_p
    return xcb


def _free(pointer: ctypes.c_void_p) -> None:
    ctypes.CDLL(None).free(pointer)
