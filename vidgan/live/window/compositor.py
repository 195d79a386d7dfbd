"""Composes images for the windows on a thread of its own, so that the main thread only displays and reads keys."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from vidgan.live.frame_pair import FramePair
from vidgan.live.mailbox import Mailbox
from vidgan.live.meter import Meter
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.window.composition import (
    PLACEHOLDER_SIZE,
    Canvas,
    Placement,
    WindowLayout,
    WindowSize,
    compose,
    content_size,
    draw_notification,
    draw_status,
    draw_table,
    placeholder,
)
from vidgan.live.window.keys import HELP

_POLL_SECONDS = 0.03
_REFRESH_SECONDS = 0.25
"""Interval at which the text is updated while no frames arrive."""

_NOTIFICATION_SECONDS = 4.0


@dataclass
class View:
    """View of the windows; written by the main thread.

    Attributes:
        window: size of the preview window in pixels.
        output_window: size of the output window; None while it is closed.
        layout: input and output in the preview window.
        split: dividing line of the split view, as a share of the width.
        help: show the table of keys.
        overlay: show status line, record dot and notifications.
        fill: crop to the window instead of adding black bars.
    """

    window: WindowSize = PLACEHOLDER_SIZE
    output_window: WindowSize | None = None
    layout: WindowLayout = "output"
    split: float = 0.5
    help: bool = False
    overlay: bool = True
    fill: bool = False


@dataclass(frozen=True, slots=True)
class Composition:
    """Images ready for display.

    Attributes:
        preview: for the preview window.
        output: for the output window; None while it is closed.
        pair: the frame that they show if they are the first to show it; None otherwise.
        placement: of the image in the preview window.
        content: size of the image without adaptive resolution; None before the first frame.
    """

    preview: Canvas
    output: Canvas | None
    pair: FramePair | None
    placement: Placement
    content: WindowSize | None


@dataclass
class WindowCompositor:
    """Composes the newest frame of a pipeline for the windows, from entering its ``with`` block to leaving it.

    Args:
        pipeline: whose output and state are shown.
        meter: of the frames that were displayed, for the status line.
        view: may change at any time; :meth:`redraw` shows the change.

    Attributes:
        compositions: the newest images.
    """

    pipeline: LivePipeline
    meter: Meter
    view: View
    compositions: Mailbox[Composition] = field(default_factory=Mailbox)

    def __post_init__(self) -> None:
        self._redraw = threading.Event()
        self._stopped = threading.Event()
        self._notification = "", 0.0
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="vidgan-compositor", daemon=True)

    def __enter__(self) -> "WindowCompositor":
        self._frames = self.pipeline.subscribe()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self.pipeline.unsubscribe(self._frames)

    def redraw(self) -> None:
        """Shows a change of the view without waiting for the next frame."""
        self._redraw.set()

    def check(self) -> None:
        """Raises the error that ended the thread, if any."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        pair: FramePair | None = None
        drawn = 0.0
        try:
            while not self._stopped.is_set():
                new = self._frames.take(_POLL_SECONDS)
                pair = new or pair
                stale = time.monotonic() - drawn > _REFRESH_SECONDS
                if new is not None or self._redraw.is_set() or stale:
                    self._redraw.clear()
                    self.compositions.put(self._compose(pair, new))
                    drawn = time.monotonic()
        except BaseException as exc:
            self._error = exc

    def _compose(self, pair: FramePair | None, new: FramePair | None) -> Composition:
        view = self.view
        if pair is None:
            preview = placeholder(f"waiting for {self.pipeline.source.name} ...", view.window)
            self._draw_overlay(preview)
            return Composition(preview, None, None, Placement(0, view.window[0]), None)
        frame_size = self.pipeline.state().full_size
        content = content_size(frame_size, view.layout)
        preview, placement = compose(pair, view.layout, view.split, content, view.window, fill=view.fill)
        self._draw_overlay(preview)
        output = None
        if view.output_window is not None:
            output, _ = compose(pair, "output", 0.0, frame_size, view.output_window, fill=view.fill)
        return Composition(preview, output, new, placement, content)

    def _draw_overlay(self, canvas: Canvas) -> None:
        state = self.pipeline.state()
        if self.view.help:
            draw_table(canvas, HELP)
        if not self.view.overlay:
            return
        draw_status(canvas, self._status(), recording=state.recording)
        if state.source == "lost":
            draw_notification(canvas, f"{self.pipeline.source.name} is lost; waiting for it to come back")
        elif text := self._recent(state.notifications):
            draw_notification(canvas, text)

    def _status(self) -> str:
        state = self.pipeline.state()
        settings = state.settings
        style = Path(state.active_style).stem
        if settings.style != state.active_style:
            style += f" (loading {Path(settings.style).stem})"
        if settings.second_style is not None and settings.mix:
            style += f" + {settings.mix:.0%} {Path(settings.second_style).stem}"
        parts = [
            style,
            f"{self.meter.fps:.0f} fps",
            f"{1000 * self.meter.latency_seconds:.0f} ms",
            f"strength {settings.strength:.0%}",
            f"smooth {settings.smooth}",
            f"reuse {settings.reuse}",
            f"{state.width}x{state.height}",
            *([f"strokes {settings.stroke:.0%}"] if settings.stroke != 1 else []),
            *(["input colors"] if settings.preserve_color else []),
            *(["mirror"] if settings.mirror else []),
        ]
        return "   ".join([*parts, "h: help"])

    def _recent(self, notifications: list[str]) -> str | None:
        """The last notification, for four seconds."""
        if notifications and notifications[-1] != self._notification[0]:
            self._notification = notifications[-1], time.monotonic()
        text, shown_at = self._notification
        return text if text and time.monotonic() - shown_at < _NOTIFICATION_SECONDS else None
