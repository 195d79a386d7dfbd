"""What a user wants of the live picture, from whichever thread or page the wish comes."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from vidgan.errors import InputError
from vidgan.temporal import Smooth


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the picture is painted.

    Attributes:
        style: a bundled style's name, or the path of a model file.
        strength: 0 (the picture as it was) to 1.
        preserve_color: keep the picture's own colours.
        smooth: against flicker, see :data:`vidgan.temporal.Smooth`.
        mirror: left and right swapped, as people know themselves.

    Raises:
        InputError: a value is out of its range.
    """

    style: str
    strength: float = 1.0
    preserve_color: bool = False
    smooth: Smooth = "flow"
    mirror: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise InputError(f"strength must be between 0 and 1, got {self.strength:g}")
        if self.smooth not in get_args(Smooth):
            raise InputError(f"smooth must be one of {', '.join(get_args(Smooth))}, got {self.smooth!r}")


class Controls:
    """Wishes, which may be made and read from any thread.

    Args:
        look: what to begin with.
        styles: to choose from; that of ``look`` is added if it is not among them.
        recording: whether to record from the start.
    """

    def __init__(self, look: Look, *, styles: Sequence[str], recording: bool = False) -> None:
        self.styles = list(styles) if look.style in styles else [look.style, *styles]
        self._look = look
        self._recording = recording
        self._snapshots = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    @property
    def look(self) -> Look:
        return self._look

    def change(self, **wishes: Any) -> Look:
        """Changes some attributes of the look; returns the new one.

        Raises:
            InputError: a value is out of its range, or no style of that name is to choose from.
        """
        if wishes.get("style", self._look.style) not in self.styles:
            raise InputError(f"no style called {wishes['style']!r}; there are {', '.join(self.styles)}")
        with self._lock:
            self._look = replace(self._look, **wishes)
            return self._look

    def step_style(self, by: int) -> None:
        """Goes on by so many styles, or back, round and round."""
        index = self.styles.index(self._look.style)
        self.change(style=self.styles[(index + by) % len(self.styles)])

    def step_strength(self, by: float) -> None:
        """Adds to the strength, within its bounds."""
        self.change(strength=round(min(1.0, max(0.0, self._look.strength + by)), 3))

    def step_smooth(self) -> None:
        """Goes on to the next way of smoothing."""
        kinds = get_args(Smooth)
        self.change(smooth=kinds[(kinds.index(self._look.smooth) + 1) % len(kinds)])

    @property
    def recording(self) -> bool:
        """Whether a recording is wanted."""
        return self._recording

    def record(self, on: bool) -> None:
        self._recording = on

    def snapshot(self) -> None:
        """Asks for the next picture as a file."""
        with self._lock:
            self._snapshots += 1

    def take_snapshot(self) -> bool:
        """Whether one was asked for; the wish is met by asking."""
        with self._lock:
            wanted = self._snapshots > 0
            self._snapshots -= wanted
            return wanted

    def stop(self) -> None:
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits so long, or until it is to stop; says whether it is."""
        return self._stopped.wait(seconds)
