"""A window of OpenCV's, on the thread that asks for it, which has to be the main one."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from vidgan.live.live import Live
from vidgan.live.meter import Meter
from vidgan.live.stylizer import Shot
from vidgan.live.window.composition import (
    Arrangement,
    Canvas,
    blank,
    composed,
    write_lines,
    write_notice,
    write_status,
)
from vidgan.live.window.keys import BY_CODE, HELP

TITLE = "vidgan"

_KIND = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
_TURN_SECONDS = 0.03
"""For how long a new picture is waited for before keys are looked after."""

_REFRESH_SECONDS = 0.25
"""After which words are written anew, although no picture came."""

_NOTICE_SECONDS = 4.0


class Window:
    """Shows the newest shots, and turns keys and mouse into wishes.

    Args:
        live: what is shown and driven.
        each_turn: called many times a second.
        on_shown: called with each shot that was shown.

    Attributes:
        meter: of the shots that were shown.
    """

    def __init__(
        self,
        live: Live,
        each_turn: Callable[[], None] = lambda: None,
        on_shown: Callable[[Shot], None] = lambda shot: None,
    ) -> None:
        self.controls = live.controls
        self.meter = Meter()
        self._live, self._each_turn, self._on_shown = live, each_turn, on_shown
        self._arrangement: Arrangement = "painted"
        self._split = 0.5
        self._help = self._full_screen = self._dragging = False
        self._width = 1
        self._said = "", 0.0

    def run(self) -> None:
        """Shows what comes until it is to stop, or the window is closed.

        Raises:
            VidganError: see :meth:`vidgan.live.live.Live.wait`.
        """
        view = self._live.open_view()
        cv2.namedWindow(TITLE, _KIND)
        cv2.setMouseCallback(TITLE, self._on_mouse)
        try:
            shot: Shot | None = None
            drawn = 0.0
            while not self._live.wait(0):
                self._each_turn()
                new = view.take(_TURN_SECONDS)
                shot = new or shot
                if new is not None or time.monotonic() - drawn > _REFRESH_SECONDS:
                    self._show(shot, first=drawn == 0)
                    drawn = time.monotonic()
                key = cv2.waitKeyEx(1)
                if new is not None:
                    self.meter.count(new.source.pts)
                    self._on_shown(new)
                if _is_closed():
                    self.controls.stop()
                elif key in BY_CODE:
                    BY_CODE[key].act(self)
                    self._show(shot, first=False)
        finally:
            self._live.close_view(view)
            _close()

    def show_help(self) -> None:
        self._help = not self._help

    def toggle_side_by_side(self) -> None:
        self._arrangement = "painted" if self._arrangement == "side by side" else "side by side"

    def toggle_split(self) -> None:
        self._arrangement = "painted" if self._arrangement == "split" else "split"

    def toggle_full_screen(self) -> None:
        self._full_screen = not self._full_screen
        wanted = cv2.WINDOW_FULLSCREEN if self._full_screen else cv2.WINDOW_NORMAL
        cv2.setWindowProperty(TITLE, cv2.WND_PROP_FULLSCREEN, wanted)

    def _show(self, shot: Shot | None, *, first: bool) -> None:
        if shot is None:
            canvas = blank(f"waiting for {self._live.source.name} ...")
        else:
            canvas = composed(shot, self._arrangement, self._split)
        self._write(canvas)
        self._width = canvas.shape[1]
        if first:
            cv2.resizeWindow(TITLE, canvas.shape[1], canvas.shape[0])
        cv2.imshow(TITLE, canvas)

    def _write(self, canvas: Canvas) -> None:
        state = self._live.state()
        if self._help:
            write_lines(canvas, HELP)
        write_status(canvas, self._status(), recording=state.recording)
        if state.source == "lost":
            write_notice(canvas, f"{self._live.source.name} is lost; waiting for it to come back")
        elif notice := self._fresh(state.notices):
            write_notice(canvas, notice)

    def _status(self) -> str:
        state = self._live.state()
        look = state.look
        style = Path(state.shown).stem
        if look.style != state.shown:
            style += f" (loading {Path(look.style).stem})"
        words = [
            style,
            f"{self.meter.fps:.0f} fps",
            f"{1000 * self.meter.latency:.0f} ms",
            f"strength {look.strength:.0%}",
            f"smooth {look.smooth}",
            f"{state.width}x{state.height}",
            *(["own colours"] if look.preserve_color else []),
            *(["mirror"] if look.mirror else []),
        ]
        return "   ".join([*words, "h: help"])

    def _fresh(self, notices: list[str]) -> str | None:
        """The last notice, for a while after it came."""
        if notices and notices[-1] != self._said[0]:
            self._said = notices[-1], time.monotonic()
        said, when = self._said
        return said if said and time.monotonic() - when < _NOTICE_SECONDS else None

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        if event == cv2.EVENT_LBUTTONDOWN:
            self._dragging = True
        if self._dragging and self._arrangement == "split":
            self._split = min(1.0, max(0.0, x / self._width))
        if event == cv2.EVENT_LBUTTONUP:
            self._dragging = False


def _is_closed() -> bool:
    try:
        return bool(cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1)
    except cv2.error:
        return True  # With its last window Qt forgets that there were any.


def _close() -> None:
    with contextlib.suppress(cv2.error):  # The user may have closed it.
        cv2.destroyWindow(TITLE)
        cv2.waitKey(1)
