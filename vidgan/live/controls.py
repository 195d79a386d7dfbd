"""Settings and requests of the user, from any thread: window, page, MIDI or OSC."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from vidgan.errors import InputError
from vidgan.live.settings import LiveSettings
from vidgan.temporal import Smooth


class Controls:
    """Settings that a pipeline reads before each frame. All methods may be called from any thread.

    Args:
        settings: the initial settings.
        styles: styles to choose from; the style of ``settings`` is inserted first if it is missing.
        recording: whether to record from the start.
    """

    def __init__(self, settings: LiveSettings, *, styles: Sequence[str], recording: bool = False) -> None:
        self.styles = list(styles) if settings.style in styles else [settings.style, *styles]
        self._settings = settings
        self._recording = recording
        self._snapshots = 0
        self._stopped = threading.Event()
        self._lock = threading.RLock()

    @property
    def settings(self) -> LiveSettings:
        return self._settings

    def update(self, **changes: Any) -> LiveSettings:
        """Changes some of the settings and returns the new ones.

        Raises:
            InputError: a value is out of range, or a style is not in :attr:`styles`.
        """
        for name in ("style", "second_style"):
            style = changes.get(name)
            if style is not None and style not in self.styles:
                raise InputError(f"no style called {style!r}; there are {', '.join(self.styles)}")
        with self._lock:
            self._settings = replace(self._settings, **changes)
            return self._settings

    def add_style(self, style: str) -> None:
        """Adds a style to choose from."""
        with self._lock:
            if style not in self.styles:
                self.styles.append(style)

    def step_style(self, by: int) -> None:
        """Moves by that many places in the list of styles, cyclically."""
        with self._lock:
            self.select_style(self.styles.index(self._settings.style) + by)

    def select_style(self, index: int) -> None:
        """Selects a style by its place in :attr:`styles`, modulo their number."""
        self.update(style=self.styles[index % len(self.styles)])

    def step_strength(self, by: float) -> None:
        """Adds to the strength, clamped to 0…1."""
        with self._lock:
            self.update(strength=round(min(1.0, max(0.0, self._settings.strength + by)), 3))

    def step_smooth(self) -> None:
        """Selects the next temporal filter, cyclically."""
        filters = get_args(Smooth)
        with self._lock:
            self.update(smooth=filters[(filters.index(self._settings.smooth) + 1) % len(filters)])

    def step_reuse(self) -> None:
        """Selects reuse as it is needed, or none."""
        with self._lock:
            self.update(reuse="off" if self._settings.reuse != "off" else "auto")

    def set_mix(self, mix: float) -> None:
        """Crossfades towards the second style, by default the one after the current style.

        Raises:
            InputError: ``mix`` is not within 0…1.
        """
        with self._lock:
            second = self._settings.second_style
            if second is None:
                second = self.styles[(self.styles.index(self._settings.style) + 1) % len(self.styles)]
            self.update(second_style=second, mix=mix)

    def step_mix(self, by: float) -> None:
        """Adds to the share of the second style, clamped to 0…1."""
        with self._lock:
            self.set_mix(round(min(1.0, max(0.0, self._settings.mix + by)), 3))

    @property
    def recording(self) -> bool:
        """Whether a recording is requested."""
        return self._recording

    def set_recording(self, on: bool) -> None:
        self._recording = on

    def request_snapshot(self) -> None:
        """Requests the next output frame as a file."""
        with self._lock:
            self._snapshots += 1

    def pop_snapshot_request(self) -> bool:
        """Whether a snapshot is requested; removes that request."""
        with self._lock:
            requested = self._snapshots > 0
            self._snapshots -= requested
            return requested

    def stop(self) -> None:
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits that long or until :meth:`stop` is called; returns whether it was."""
        return self._stopped.wait(seconds)
