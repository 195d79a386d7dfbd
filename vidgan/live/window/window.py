"""The preview window, and an output window for a second screen. Both need the main thread."""

import contextlib
from collections.abc import Callable

import cv2

from vidgan.live.frame_pair import FramePair
from vidgan.live.meter import Meter
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.window.composition import PLACEHOLDER_SIZE, Placement, WindowSize
from vidgan.live.window.compositor import Composition, View, WindowCompositor
from vidgan.live.window.keys import BY_CODE
from vidgan.live.window.mapping import MappedWindows

TITLE, OUTPUT_TITLE = "vidgan", "vidgan output"

# The compositor keeps the proportions, also where a window has others.
_FLAGS = cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL
_POLL_MS = 4
"""OpenCV returns one key per call and drops those that arrive in between, so that it is called almost all the time."""

_SETTLE_MS = 100
_SMALLEST_WIDTH = 640
"""Smallest initial width of the window, so that the status line is readable."""

_LARGEST = 1280, 800
"""Largest initial size of the window, so that it fits on a laptop's screen."""


class PreviewWindow:
    """Displays the newest output and maps keys and mouse to the controls.

    Args:
        pipeline: to display and control.
        on_idle: called many times per second.
        on_shown: called with each frame that was displayed.
        output_window: whether to open the output window at the start.
        output_position: its position on the desktop, where it opens in full screen; None leaves it to the system.

    Attributes:
        meter: counts the displayed frames.
    """

    def __init__(
        self,
        pipeline: LivePipeline,
        on_idle: Callable[[], None] = lambda: None,
        on_shown: Callable[[FramePair], None] = lambda pair: None,
        output_window: bool = False,
        output_position: tuple[int, int] | None = None,
    ) -> None:
        self.controls = pipeline.controls
        self.meter = Meter()
        self._pipeline, self._on_idle, self._on_shown = pipeline, on_idle, on_shown
        self._output_wanted, self._output_position = output_window, output_position
        self._view = View()
        self._compositor = WindowCompositor(pipeline, self.meter, self._view)
        self._placement = Placement(0, PLACEHOLDER_SIZE[0])
        self._content: WindowSize | None = None
        self._windowed = self._view.window
        self._full_screen = self._output_full_screen = self._dragging = False

    def run(self) -> None:
        """Displays frames until the pipeline ends or the window is closed.

        Raises:
            VidganError: see :meth:`LivePipeline.wait`.
        """
        cv2.namedWindow(TITLE, _FLAGS)
        # A window that is resized before the system has shown it sometimes stays black on X11.
        cv2.waitKey(_SETTLE_MS)
        cv2.setMouseCallback(TITLE, self._on_mouse)
        if self._output_wanted:
            self._open_output_window()
        if self._output_position is not None:
            self.toggle_output_full_screen()
        try:
            with self._compositor, MappedWindows():
                while not self._pipeline.wait(0):
                    self._on_idle()
                    self._compositor.check()
                    self._display(self._compositor.compositions.take(0))
                    self._handle(cv2.waitKeyEx(_POLL_MS))
        finally:
            self._close_output_window()
            _destroy(TITLE)

    def toggle_help(self) -> None:
        self._view.help = not self._view.help

    def toggle_side_by_side(self) -> None:
        self._view.layout = "output" if self._view.layout == "side by side" else "side by side"

    def toggle_split(self) -> None:
        self._view.layout = "output" if self._view.layout == "split" else "split"

    def toggle_overlay(self) -> None:
        self._view.overlay = not self._view.overlay

    def toggle_fill(self) -> None:
        self._view.fill = not self._view.fill

    def toggle_full_screen(self) -> None:
        self._full_screen = not self._full_screen
        if self._full_screen:
            self._windowed = self._view.window
        _set_full_screen(TITLE, self._full_screen)
        if not self._full_screen:
            # Qt on X11 sometimes goes on as if the window were as large as the screen.
            cv2.resizeWindow(TITLE, *self._windowed)

    def toggle_output_window(self) -> None:
        if self._view.output_window is None:
            self._open_output_window()
        else:
            self._close_output_window()

    def toggle_output_full_screen(self) -> None:
        if self._view.output_window is None:
            self._open_output_window()
        self._output_full_screen = not self._output_full_screen
        _set_full_screen(OUTPUT_TITLE, self._output_full_screen)

    def _display(self, composition: Composition | None) -> None:
        if composition is None:
            return
        self._placement = composition.placement
        cv2.imshow(TITLE, composition.preview)
        if self._view.output_window is not None:
            # An image shown in a window that the user has closed would open it again.
            self._view.output_window = None if _is_closed(OUTPUT_TITLE) else _size_of(OUTPUT_TITLE)
        if composition.output is not None and self._view.output_window is not None:
            cv2.imshow(OUTPUT_TITLE, composition.output)
        if composition.pair is not None:
            self.meter.count(composition.pair.input.pts)
            self._on_shown(composition.pair)
        self._follow_content(composition.content)
        self._view.window = _size_of(TITLE) or self._view.window

    def _handle(self, key: int) -> None:
        if _is_closed(TITLE):
            self.controls.stop()
        elif key in BY_CODE:
            BY_CODE[key].act(self, key)
            self._compositor.redraw()

    def _follow_content(self, content: WindowSize | None) -> None:
        """Gives the window the proportions of the image, at first and whenever these change."""
        if content is None or _same_shape(content, self._content):
            return
        first = self._content is None
        size = _initial_size(content) if first else _same_area(content, self._view.window)
        self._content = content
        if not self._full_screen:
            cv2.resizeWindow(TITLE, *size)

    def _open_output_window(self) -> None:
        cv2.namedWindow(OUTPUT_TITLE, _FLAGS)
        cv2.resizeWindow(OUTPUT_TITLE, *(self._content or PLACEHOLDER_SIZE))
        if self._output_position is not None:
            cv2.moveWindow(OUTPUT_TITLE, *self._output_position)
        self._view.output_window = PLACEHOLDER_SIZE

    def _close_output_window(self) -> None:
        if self._view.output_window is not None:
            self._view.output_window, self._output_full_screen = None, False
            _destroy(OUTPUT_TITLE)

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        if event == cv2.EVENT_LBUTTONDOWN:
            self._dragging = True
        if self._dragging and self._view.layout == "split":
            self._view.split = self._placement.share(x)
            self._compositor.redraw()
        if event == cv2.EVENT_LBUTTONUP:
            self._dragging = False


def _initial_size(content: WindowSize) -> WindowSize:
    """The size of the content, enlarged to a readable and reduced to a visible size."""
    scale = max(1.0, _SMALLEST_WIDTH / content[0])
    scale = min(scale, *(most / side for most, side in zip(_LARGEST, content, strict=True)))
    return round(scale * content[0]), round(scale * content[1])


def _same_area(content: WindowSize, window: WindowSize) -> WindowSize:
    """A size with the proportions of the content and the area of the window."""
    scale = (window[0] * window[1] / (content[0] * content[1])) ** 0.5
    return round(scale * content[0]), round(scale * content[1])


def _same_shape(one: WindowSize, other: WindowSize | None) -> bool:
    """Whether the proportions are equal."""
    return other is not None and one[0] * other[1] == one[1] * other[0]


def _set_full_screen(title: str, on: bool) -> None:
    cv2.setWindowProperty(title, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_FULLSCREEN if on else cv2.WINDOW_NORMAL)


def _size_of(title: str) -> WindowSize | None:
    """Size of a window's image area; None where it has been closed or does not tell."""
    with contextlib.suppress(cv2.error):
        _, _, width, height = cv2.getWindowImageRect(title)
        if width > 0 and height > 0:
            return width, height
    return None


def _is_closed(title: str) -> bool:
    try:
        return bool(cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1)
    except cv2.error:
        return True  # Qt raises once the last window has been closed.


def _destroy(title: str) -> None:
    with contextlib.suppress(cv2.error):  # The user may have closed it.
        cv2.destroyWindow(title)
        cv2.waitKey(1)
