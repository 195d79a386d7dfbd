"""What the keys of the window do; the overlay says the same, since it is made of this."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from vidgan.live.controls import Controls

_STEP = 0.1


class Driven(Protocol):
    """What keys act upon: the wishes, and what only the window knows."""

    controls: Controls

    def show_help(self) -> None: ...
    def toggle_side_by_side(self) -> None: ...
    def toggle_split(self) -> None: ...
    def toggle_full_screen(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Key:
    """Of the keyboard.

    Attributes:
        codes: of OpenCV, all of which do it; letters in both cases.
        name: in words.
        does: in words.
        act: does it.
    """

    codes: tuple[int, ...]
    name: str
    does: str
    act: Callable[[Driven], object]


def _letters(letters: str) -> tuple[int, ...]:
    return tuple(ord(each) for letter in letters for each in {letter.lower(), letter.upper()})


# Of X11, Windows and macOS.
_LEFT, _UP, _RIGHT, _DOWN = (
    (65361, 0x250000, 63234),
    (65362, 0x260000, 63232),
    (65363, 0x270000, 63235),
    (65364, 0x280000, 63233),
)
_ESCAPE = 27

KEYS = [
    Key((*_letters("n"), *_RIGHT), "n, right", "next style", lambda w: w.controls.step_style(1)),
    Key((*_letters("p"), *_LEFT), "p, left", "previous style", lambda w: w.controls.step_style(-1)),
    Key((*_letters("+="), *_UP), "+, up", "more painting", lambda w: w.controls.step_strength(_STEP)),
    Key((*_letters("-"), *_DOWN), "-, down", "less painting", lambda w: w.controls.step_strength(-_STEP)),
    Key(
        _letters("c"), "c", "keep the picture's own colours",
        lambda w: w.controls.change(preserve_color=not w.controls.look.preserve_color),
    ),
    Key(_letters("s"), "s", "smoothing: flow, off, blend", lambda w: w.controls.step_smooth()),
    Key(
        _letters("m"), "m", "mirror",
        lambda w: w.controls.change(mirror=not w.controls.look.mirror),
    ),
    Key(_letters("b"), "b", "original and painting side by side", lambda w: w.toggle_side_by_side()),
    Key(_letters("v"), "v, mouse", "split view; drag the line", lambda w: w.toggle_split()),
    Key(_letters("f"), "f", "full screen", lambda w: w.toggle_full_screen()),
    Key((ord(" "),), "space", "snapshot", lambda w: w.controls.snapshot()),
    Key(_letters("r"), "r", "record on, off", lambda w: w.controls.record(not w.controls.recording)),
    Key(_letters("h?"), "h, ?", "this help", lambda w: w.show_help()),
    Key((*_letters("q"), _ESCAPE), "q, Esc", "end", lambda w: w.controls.stop()),
]  # fmt: skip

BY_CODE = {code: key for key in KEYS for code in key.codes}
HELP = [(key.name, key.does) for key in KEYS]
